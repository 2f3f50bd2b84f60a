//! Steering a saga that runs: RetryStep asks the step that it stands at again, AbortBeforePivot gives up before the
//! decision.

use saga::{SagaImage, SagaKey};
use types::{Fingerprint, Reason, Refusal, SagaId, Tenant};

use super::{UseCase, Work};
use crate::domain::change::ChangeOrder;
use crate::domain::history::{Entry, Visibility};
use crate::domain::order::Order;
use crate::domain::policy::Permission;
use crate::ops::books::attention::SAGA;
use crate::ops::books::wanted::Wanted;
use crate::ops::decide::carry;
use crate::store::orders;

/// Asks the step again, now, with the same key.
pub struct RetryStep {
    pub saga_id: SagaId,
    pub note: String,
}

/// Puts back what a saga has done, before its decision.
pub struct AbortBeforePivot {
    pub saga_id: SagaId,
    pub note: String,
}

impl UseCase for RetryStep {
    const METHOD: &'static str = "RetryStep";
    type Answer = SagaImage;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.saga_id.as_str().as_bytes(), self.note.as_bytes()])
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.sagas.insert(SagaKey::new(tenant.clone(), self.saga_id.clone()));
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<SagaImage, Refusal> {
        let key = steered(work, &self.saga_id)?;
        work.books.sagas.retry(&key)?;
        work.books.close(&key.tenant, SAGA, self.saga_id.as_str());
        note(work, &key, ("operator.retried", "an operator asked for another try"), &self.note)?;
        work.after.due = true;
        Ok(image(work, &key))
    }
}

impl UseCase for AbortBeforePivot {
    const METHOD: &'static str = "AbortBeforePivot";
    type Answer = SagaImage;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.saga_id.as_str().as_bytes(), self.note.as_bytes()])
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.sagas.insert(SagaKey::new(tenant.clone(), self.saga_id.clone()));
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<SagaImage, Refusal> {
        let key = steered(work, &self.saga_id)?;
        note(work, &key, ("operator.aborted", "an operator asked to put everything back"), &self.note)?;
        let message = format!("{} aborted it before its decision", work.asked.actor.user);
        carry::turn_back(work.books, &key, Refusal::new(Reason::AbortedByOperator, message))?;
        work.books.close(&key.tenant, SAGA, self.saga_id.as_str());
        work.after.due = true;
        Ok(image(work, &key))
    }
}

/// A saga that exists, for whoever has the permission from the policy of its order.
fn steered(work: &Work<'_>, saga_id: &SagaId) -> Result<SagaKey, Refusal> {
    let key = SagaKey::new(work.asked.tenant.clone(), saga_id.clone());
    if work.books.sagas.get(&key).is_none() {
        return Err(Refusal::not_found("Saga", saga_id.as_str()));
    }
    let policies = work.shelf();
    let order = subject(work, &key)?.0;
    work.author(policies.of(&order)).must_have(Permission::Resolve)?;
    Ok(key)
}

fn subject(work: &Work<'_>, key: &SagaKey) -> Result<(Order, Option<ChangeOrder>), Refusal> {
    let row = work.books.sagas.get(key).expect("the saga was just found");
    work.books.subject(row).map_err(|error| Refusal::new(Reason::StateConflict, error.0))
}

fn note(
    work: &mut Work<'_>,
    key: &SagaKey,
    (event, summary): (&str, &str),
    note: &str,
) -> Result<(), Refusal> {
    let (order, change) = subject(work, key)?;
    let mut entry =
        Entry::new(work.books.now, work.asked.actor.clone(), event, summary).visible_to(Visibility::Internal);
    entry.change_order_id = change.map(|change| change.change_order_id);
    entry.saga_id = Some(key.id.clone());
    work.books.note(&orders::key(&order), entry.because("", note));
    Ok(())
}

fn image(work: &Work<'_>, key: &SagaKey) -> SagaImage {
    work.books.sagas.image(key).expect("the saga was just found")
}

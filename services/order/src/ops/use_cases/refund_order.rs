//! Money that goes back without units: RefundOrder, and PayOut of what is owed.

use types::{Fingerprint, Refusal, Tenant};

use super::{UseCase, Work};
use crate::domain::change::ChangeView;
use crate::domain::lifecycle::{self, RefundRequest};
use crate::domain::policy::Capability;
use crate::ops::books::wanted::Wanted;
use crate::ops::command::Named;
use crate::ops::plans;

pub struct RefundOrder(pub RefundRequest);

pub struct PayOut(pub RefundRequest);

impl UseCase for RefundOrder {
    const METHOD: &'static str = "RefundOrder";
    const NEEDS: Option<Capability> = Some(Capability::Goodwill);
    type Answer = ChangeView;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.0.content.as_str().as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Order(&self.0.order_id))
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.order_and_changes(tenant, &self.0.order_id);
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<ChangeView, Refusal> {
        refund(work, &self.0)
    }
}

impl UseCase for PayOut {
    const METHOD: &'static str = "PayOut";
    type Answer = ChangeView;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.0.content.as_str().as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Order(&self.0.order_id))
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.order_and_changes(tenant, &self.0.order_id);
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<ChangeView, Refusal> {
        refund(work, &self.0)
    }
}

fn refund(work: &mut Work<'_>, request: &RefundRequest) -> Result<ChangeView, Refusal> {
    let mut order = work.order(&request.order_id)?;
    let changes = work.changes_of(&order);
    let policies = work.shelf();
    let author = work.author(policies.of(&order));
    policies.check_reason(&order, &request.reason_code, &request.note)?;
    let (change, happened) = lifecycle::accept_refund(&mut order, request, &changes, &author)?;
    let (lease, traceparent) = work.saga_begins();
    let saga = plans::cancel(&order, &change, lease, traceparent);
    Ok(work.begin(&order, &change, happened, saga))
}

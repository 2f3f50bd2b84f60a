//! RestoreOrder: brings cancelled units back, with the tenders that pay for them.

use types::{Fingerprint, Refusal, Tenant};

use super::{UseCase, Work};
use crate::domain::change::{ChangeState, ChangeView};
use crate::domain::lifecycle::{self, RestoreRequest};
use crate::domain::policy::Capability;
use crate::ops::books::wanted::Wanted;
use crate::ops::command::Named;
use crate::ops::plans;

pub struct RestoreOrder(pub RestoreRequest);

impl UseCase for RestoreOrder {
    const METHOD: &'static str = "RestoreOrder";
    const NEEDS: Option<Capability> = Some(Capability::Restoring);
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
        let mut order = work.order(&self.0.order_id)?;
        let mut settling = work.changes_of(&order);
        settling.retain(|change| change.state == ChangeState::Settling);
        let policies = work.shelf();
        let author = work.author(policies.of(&order));
        let (change, happened) = lifecycle::accept_restore(&mut order, &self.0, &settling, &author)?;
        let (tenders, (lease, traceparent)) = (work.payments(&self.0.tenders), work.saga_begins());
        let saga = plans::restore(&order, &change, &tenders, lease, traceparent);
        Ok(work.begin(&order, &change, happened, saga))
    }
}

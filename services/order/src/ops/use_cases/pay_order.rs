//! PayOrder: pays what is missing. Whose tenders are refused may try again.

use types::{Fingerprint, Refusal};

use super::{UseCase, Work};
use crate::domain::change::ChangeView;
use crate::domain::lifecycle::{self, PayRequest};
use crate::domain::policy::Capability;
use crate::ops::command::Named;
use crate::ops::plans;

pub struct PayOrder(pub PayRequest);

impl UseCase for PayOrder {
    const METHOD: &'static str = "PayOrder";
    const NEEDS: Option<Capability> = Some(Capability::Restoring);
    type Answer = ChangeView;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.0.content.as_str().as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Order(&self.0.order_id))
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<ChangeView, Refusal> {
        let mut order = work.order(&self.0.order_id)?;
        let policies = work.shelf();
        let author = work.author(policies.of(&order));
        let (change, happened) = lifecycle::accept_payment(&mut order, &author)?;
        let (tenders, (lease, traceparent)) = (work.payments(&self.0.tenders), work.saga_begins());
        let saga = plans::pay(&order, &change, &tenders, lease, traceparent);
        Ok(work.begin(&order, &change, happened, saga))
    }
}

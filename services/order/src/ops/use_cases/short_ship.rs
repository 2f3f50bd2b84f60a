//! ShortShip: the warehouse cannot send what is still open, and the customer does not pay for it.

use types::{Fingerprint, Refusal};

use super::{UseCase, Work};
use crate::domain::change::ChangeView;
use crate::domain::lifecycle::{self, ShortShipRequest};
use crate::ops::command::Named;
use crate::ops::plans;

pub struct ShortShip(pub ShortShipRequest);

impl UseCase for ShortShip {
    const METHOD: &'static str = "ShortShip";
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
        policies.check_reason(&order, &self.0.reason_code, &self.0.note)?;
        let (change, happened) = lifecycle::accept_short_ship(&mut order, &self.0, &author)?;
        let (lease, traceparent) = work.saga_begins();
        let saga = plans::cancel(&order, &change, lease, traceparent);
        Ok(work.begin(&order, &change, happened, saga))
    }
}

//! What the clock asks of an order that nobody pays for: a warning, and then its end.

use types::{Fingerprint, OrderId, Refusal, Tenant};

use super::{UseCase, Work};
use crate::domain::change::ChangeView;
use crate::domain::lifecycle;
use crate::domain::order::Order;
use crate::ops::books::wanted::Wanted;
use crate::ops::plans;

/// An order that was paid meanwhile stays as it is.
pub struct WarnOfExpiry {
    pub order_id: OrderId,
}

pub struct ExpireUnpaid {
    pub order_id: OrderId,
}

impl UseCase for WarnOfExpiry {
    const METHOD: &'static str = "WarnOfExpiry";
    type Answer = Order;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.order_id.as_str().as_bytes()])
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.order(tenant, &self.order_id);
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Order, Refusal> {
        let mut order = work.order(&self.order_id)?;
        let policies = work.shelf();
        if let Some(happened) = lifecycle::warn_of_expiry(&order, policies.of(&order), work.books.now) {
            order.version += 1;
            work.put(order.clone(), None, happened);
        }
        Ok(order)
    }
}

impl UseCase for ExpireUnpaid {
    const METHOD: &'static str = "ExpireOrder";
    type Answer = ChangeView;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.order_id.as_str().as_bytes()])
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.order(tenant, &self.order_id);
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<ChangeView, Refusal> {
        let mut order = work.order(&self.order_id)?;
        let policies = work.shelf();
        let author = work.author(policies.of(&order));
        let (change, happened) = lifecycle::accept_expiry(&mut order, &author)?;
        let (lease, traceparent) = work.saga_begins();
        let saga = plans::cancel(&order, &change, lease, traceparent);
        Ok(work.begin(&order, &change, happened, saga))
    }
}

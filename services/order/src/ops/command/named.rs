//! What of an order a request names, for whoever may not see every order.

use types::{ChangeOrderId, OrderId, Refusal, ReturnId};

/// What of an order a request names.
pub enum Named<'a> {
    Order(&'a OrderId),
    Change(&'a ChangeOrderId),
    Return(&'a ReturnId),
}

impl Named<'_> {
    pub fn absent(&self) -> Refusal {
        match self {
            Self::Order(id) => Refusal::not_found("Order", id.as_str()),
            Self::Change(id) => Refusal::not_found("ChangeOrder", id.as_str()),
            Self::Return(id) => Refusal::not_found("Return", id.as_str()),
        }
    }
}

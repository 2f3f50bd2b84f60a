//! What a request names of an order: callers who may not see that order are told that it does not exist.

use types::{ChangeOrderId, OrderId, Refusal, ReturnId};

/// An order, or a change or a return of one, by its id.
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

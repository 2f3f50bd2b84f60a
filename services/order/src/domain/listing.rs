//! What lists are asked for. Empty conditions select everything.

use types::OrderId;

use super::change::ChangeState;
use super::order::{ExternalReference, OrderState};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderFilter {
    /// Any of these.
    pub states: Vec<OrderState>,
    pub customer_id: Option<String>,
    pub reference: Option<ExternalReference>,
    /// References of this external system, whatever their value.
    pub external_system: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeFilter {
    pub order_id: Option<OrderId>,
    /// Any of these.
    pub states: Vec<ChangeState>,
    /// Changes of orders with a reference of this external system.
    pub external_system: Option<String>,
}

/// One page: what comes after a key, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The last id of the page before; none for the first page.
    pub after: Option<String>,
    /// 1 to 200.
    pub size: i64,
}

/// A page of results, and the key after which the next one starts, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

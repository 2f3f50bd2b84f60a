//! What lists are asked for. Empty conditions select everything.

use types::{FolderId, OrderId, Reach, Timestamp};

use super::change::ChangeState;
use super::order::{Actor, ExternalReference, OrderState};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderFilter {
    /// Any of these.
    pub states: Vec<OrderState>,
    pub customer_id: Option<String>,
    pub reference: Option<ExternalReference>,
    /// References of this external system, whatever their value.
    pub external_system: Option<String>,
    pub folder_id: Option<FolderId>,
    /// Orders that this organisation has a part in.
    pub organisation: Option<String>,
    /// The human number, exactly.
    pub number: Option<String>,
    pub created_from: Option<Timestamp>,
    pub created_before: Option<Timestamp>,
    /// Only what concerns a caller who is a party.
    pub concerning: Option<Concern>,
}

/// The orders that are there for a caller, by the relations of the caller's role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    pub reach: Reach,
    pub user: String,
    pub organisation: String,
}

/// One of the usual tabs of a list of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Something is still to be done.
    Active,
    Cancelled,
    /// Nothing more will happen, and it was not all cancelled.
    Closed,
}

impl View {
    /// Every state of an order is in one view but PLACEMENT_FAILED, which never was an order to anybody.
    pub const fn states(self) -> &'static [OrderState] {
        match self {
            Self::Active => &[
                OrderState::Placing,
                OrderState::Pending,
                OrderState::Confirmed,
                OrderState::Processing,
                OrderState::PartiallyShipped,
                OrderState::Shipped,
                OrderState::OutForDelivery,
                OrderState::PartiallyDelivered,
            ],
            Self::Cancelled => &[OrderState::Cancelled],
            Self::Closed => &[OrderState::Delivered, OrderState::Returned, OrderState::ClosedMixed],
        }
    }
}

impl Concern {
    /// Nothing is left out for those who run the place.
    pub fn of(reach: Reach, caller: &Actor) -> Option<Self> {
        let Actor { user, organisation, .. } = caller.clone();
        (!reach.is_tenant()).then_some(Self { reach, user, organisation })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeFilter {
    pub order_id: Option<OrderId>,
    /// Any of these.
    pub states: Vec<ChangeState>,
    /// Changes of orders with a reference of this external system.
    pub external_system: Option<String>,
    /// Only changes of what concerns a caller who is a party.
    pub concerning: Option<Concern>,
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

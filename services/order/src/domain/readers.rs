//! Who may read and write what about an order: decided by the caller's current role, and by whether the caller's organisation is a party of
//! the order.

use types::{Reach, Reason, Refusal, Relation};

use super::history::Visibility;
use super::order::{Actor, Order};

/// What the caller is to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Sees every order of the tenant, and reads everything.
    Ours,
    /// A party of this order: buyer, supplier or client.
    Party,
    /// No party of the order.
    Outsider,
}

impl Reader {
    /// What a caller whose role has this reach is to an order.
    pub fn of(reach: Reach, caller: &Actor, order: &Order) -> Self {
        if reach.is_tenant() {
            return Self::Ours;
        }
        let takes_part = reach.relations().any(|relation| is(relation, caller, order));
        if takes_part { Self::Party } else { Self::Outsider }
    }

    /// Whether the caller may see the order and its changes. For others they do not exist.
    pub fn sees_the_order(self) -> bool {
        match self {
            Self::Ours | Self::Party => true,
            Self::Outsider => false,
        }
    }

    pub fn reads(self, visibility: Visibility) -> bool {
        match self {
            Self::Ours => true,
            Self::Party => visibility >= Visibility::Parties,
            Self::Outsider => visibility >= Visibility::Public,
        }
    }

    /// Nobody may write what they could not read.
    pub fn may_write(self, visibility: Visibility) -> Result<(), Refusal> {
        let refused = |message: &str| Err(Refusal::new(Reason::PermissionDenied, message));
        match self {
            Self::Ours => Ok(()),
            Self::Party if self.reads(visibility) => Ok(()),
            Self::Party => refused("internal notes are for those who work here"),
            Self::Outsider => refused("the caller has no part in this order"),
        }
    }
}

/// Whether the caller has this relation to the order. An empty organisation is never a party.
fn is(relation: Relation, caller: &Actor, order: &Order) -> bool {
    let parties = &order.parties;
    let acts_for = |organisation: &str| !organisation.is_empty() && caller.organisation == organisation;
    match relation {
        Relation::Tenant => true,
        Relation::Buyer => acts_for(&parties.buyer),
        Relation::Supplier => acts_for(&parties.supplier),
        Relation::SourceRouter => acts_for(&parties.source_router),
        Relation::Customer => is_customer(caller, order),
        Relation::Creator => is_creator(caller, order),
        // A partner has tasks, no orders.
        Relation::Integration => false,
    }
}

pub fn is_customer(caller: &Actor, order: &Order) -> bool {
    !caller.user.is_empty() && caller.user == order.customer_id
}

/// Whether the caller placed the order, and still acts for the same organisation.
pub fn is_creator(caller: &Actor, order: &Order) -> bool {
    let by = &order.created_by;
    caller.user == by.user && caller.organisation == by.organisation
}

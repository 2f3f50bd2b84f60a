//! Who reads and writes what about an order: by the caller's role at this moment, and by whether the caller's
//! organisation has a part in the order.

use types::{Reason, Refusal};

use super::history::Visibility;
use super::order::{Actor, Order};

/// What the caller is to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Works here, and reads everything.
    Ours,
    /// Buyer, supplier or client of this very order.
    Party,
    /// Has no part in it: reads what is public.
    Outsider,
}

impl Reader {
    pub fn of(caller: &Actor, order: &Order) -> Self {
        let parties = &order.parties;
        let acts_for = |organisation: &str| !organisation.is_empty() && caller.organisation == organisation;
        let takes_part = match caller.role.as_str() {
            "buyer" => {
                acts_for(&parties.buyer)
                    || acts_for(&parties.source_router)
                    || acts_for(&order.created_by.organisation)
            }
            "supplier" => acts_for(&parties.supplier),
            "client" | "customer" => {
                acts_for(&parties.buyer) || (!caller.user.is_empty() && caller.user == order.customer_id)
            }
            "guest" => false,
            _ => return Self::Ours,
        };
        if takes_part { Self::Party } else { Self::Outsider }
    }

    /// Whether the order and its changes are there at all for the caller: to an outsider they do not exist.
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

    /// Nobody writes what they could not read.
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

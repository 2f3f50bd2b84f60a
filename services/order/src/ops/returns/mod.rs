//! Returns: what is wished for and what it touches. Decided in the one batch like everything that writes.

mod calls;
mod clock;
mod decide;

use std::collections::BTreeSet;

use types::{ReturnId, Tenant};

use crate::domain::lifecycle::{Accepted, Counted, Opening};
use crate::store::keys::OrderKey;
use crate::store::returns::ReturnKey;

pub(super) use decide::decide;

/// What may be wished for here.
pub enum ReturnWish {
    Open(Box<Opening>),
    Move { return_id: ReturnId, step: Step },
}

/// What happens to a return that is open.
pub enum Step {
    Receive {
        lines: Counted,
        note: String,
    },
    Accept {
        lines: Vec<Accepted>,
        note: String,
    },
    Reject {
        lines: Counted,
        note: String,
    },
    Close {
        note: String,
    },
    /// Asked for by the clock.
    Expire,
}

/// What the wishes of a batch touch.
#[derive(Default)]
pub(super) struct Needed {
    pub(super) returns: BTreeSet<ReturnKey>,
    /// Orders whose open returns have to be at hand.
    pub(super) of_orders: BTreeSet<OrderKey>,
}

impl Needed {
    pub(super) fn add(&mut self, tenant: &Tenant, wish: &ReturnWish, orders: &mut BTreeSet<OrderKey>) {
        match wish {
            ReturnWish::Open(opening) => {
                let key = (tenant.clone(), opening.order_id.clone());
                orders.insert(key.clone());
                self.of_orders.insert(key);
            }
            ReturnWish::Move { return_id, .. } => {
                self.returns.insert((tenant.clone(), return_id.clone()));
            }
        }
    }
}

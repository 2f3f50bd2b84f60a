//! What is done after a cancellation, or instead of one. Like everything that writes, it is decided in the one batch.

mod answers;
mod calls;
mod clock;
mod decide;

use std::collections::BTreeSet;

use types::{ChangeOrderId, OrderId, Tenant};

use crate::domain::lifecycle::{Proposal, RefundRequest, RestoreRequest};
use crate::domain::reissue::Reissue;
use crate::store::keys::{ChangeKey, OrderKey};

pub(super) use decide::decide;

/// What may be wished for here.
pub enum RemedyWish {
    Reissue(Box<Reissue>),
    Restore(Box<RestoreRequest>),
    Refund(Box<RefundRequest>),
    Propose {
        order_id: OrderId,
        proposal: Box<Proposal>,
        counter_of: Option<ChangeOrderId>,
    },
    Approve(ChangeOrderId),
    Decline {
        change_order_id: ChangeOrderId,
        note: String,
    },
    /// Asked for by the clock.
    Expire(ChangeOrderId),
    /// `contact` proves that the caller is the order's client.
    ReceiveWithdrawal {
        order_id: OrderId,
        contact: String,
        note: String,
    },
}

/// What the wishes of a batch touch.
#[derive(Default)]
pub(super) struct Needed {
    /// Orders all of whose changes have to be at hand.
    pub(super) histories: BTreeSet<OrderKey>,
    /// Orders that are made again, under a number like theirs.
    pub(super) reissued: BTreeSet<OrderKey>,
    /// Changes whose order is not known yet.
    pub(super) answered: BTreeSet<ChangeKey>,
}

impl Needed {
    /// Also names the orders and changes that have to be at hand.
    pub(super) fn add(
        &mut self,
        tenant: &Tenant,
        wish: &RemedyWish,
        orders: &mut BTreeSet<OrderKey>,
        changes: &mut BTreeSet<ChangeKey>,
    ) {
        let order = |order_id: &OrderId| (tenant.clone(), order_id.clone());
        match wish {
            RemedyWish::Reissue(wish) => {
                orders.insert(order(&wish.order_id));
                self.reissued.insert(order(&wish.order_id));
            }
            RemedyWish::Restore(request) => self.with_history(order(&request.order_id), orders),
            RemedyWish::Refund(request) => self.with_history(order(&request.order_id), orders),
            RemedyWish::ReceiveWithdrawal { order_id, .. } => self.with_history(order(order_id), orders),
            RemedyWish::Propose { order_id, counter_of, .. } => {
                orders.insert(order(order_id));
                changes.extend(counter_of.iter().map(|change| (tenant.clone(), change.clone())));
            }
            RemedyWish::Approve(change_order_id)
            | RemedyWish::Decline { change_order_id, .. }
            | RemedyWish::Expire(change_order_id) => {
                let key = (tenant.clone(), change_order_id.clone());
                changes.insert(key.clone());
                self.answered.insert(key);
            }
        }
    }

    fn with_history(&mut self, key: OrderKey, orders: &mut BTreeSet<OrderKey>) {
        orders.insert(key.clone());
        self.histories.insert(key);
    }
}

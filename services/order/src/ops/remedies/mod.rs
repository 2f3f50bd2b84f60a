//! What is done after a cancellation, or instead of one. Like everything that writes, it is decided in the one batch.

mod answers;
mod calls;
mod clock;
mod decide;
mod expiry;
mod preview;

use std::collections::BTreeSet;

use types::{ChangeOrderId, OrderId, Tenant};

use crate::domain::lifecycle::{PayRequest, Proposal, RefundRequest, RestoreRequest, ShortShipRequest};
use crate::domain::placing::NewTender;
use crate::domain::policy::Capability;
use crate::domain::reissue::Reissue;
use crate::store::keys::{ChangeKey, OrderKey};

pub use calls::Approval;
pub(super) use decide::{author, begin, decide};

/// What may be wished for here.
pub enum RemedyWish {
    Reissue(Box<Reissue>),
    Restore(Box<RestoreRequest>),
    Pay(Box<PayRequest>),
    Refund(Box<RefundRequest>),
    PayOut(Box<RefundRequest>),
    ShortShip(Box<ShortShipRequest>),
    /// Both asked for by the clock, of an order that nobody pays for.
    WarnOfExpiry(OrderId),
    ExpireUnpaid(OrderId),
    Propose {
        order_id: OrderId,
        proposal: Box<Proposal>,
        counter_of: Option<ChangeOrderId>,
    },
    /// `tenders` pay what the order comes to more, instead of those of the proposal.
    Approve {
        change_order_id: ChangeOrderId,
        tenders: Vec<NewTender>,
    },
    Decline {
        change_order_id: ChangeOrderId,
        note: String,
    },
    /// Asked for by the clock.
    Expire(ChangeOrderId),
    /// `contact` proves that the caller is the order's client.
    ReceiveWithdrawal {
        order_id: OrderId,
        /// As it was given.
        number: String,
        contact: String,
        note: String,
    },
}

impl RemedyWish {
    /// What of the program has to be in the tenant's edition. Answers to what was proposed before, and a client's
    /// statutory withdrawal, need nothing.
    fn needs(&self) -> Option<Capability> {
        match self {
            Self::Reissue(_) | Self::Restore(_) | Self::Pay(_) => Some(Capability::Restoring),
            Self::Refund(_) => Some(Capability::Goodwill),
            Self::Propose { .. } => Some(Capability::Proposals),
            Self::PayOut(_)
            | Self::ShortShip(_)
            | Self::WarnOfExpiry(_)
            | Self::ExpireUnpaid(_)
            | Self::Approve { .. }
            | Self::Decline { .. }
            | Self::Expire(_)
            | Self::ReceiveWithdrawal { .. } => None,
        }
    }
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
            RemedyWish::Pay(request) => {
                orders.insert(order(&request.order_id));
            }
            RemedyWish::Restore(request) => self.with_history(order(&request.order_id), orders),
            RemedyWish::Refund(request) | RemedyWish::PayOut(request) => {
                self.with_history(order(&request.order_id), orders);
            }
            RemedyWish::ShortShip(request) => {
                orders.insert(order(&request.order_id));
            }
            RemedyWish::WarnOfExpiry(order_id) | RemedyWish::ExpireUnpaid(order_id) => {
                orders.insert(order(order_id));
            }
            RemedyWish::ReceiveWithdrawal { order_id, .. } => self.with_history(order(order_id), orders),
            RemedyWish::Propose { order_id, counter_of, .. } => {
                orders.insert(order(order_id));
                changes.extend(counter_of.iter().map(|change| (tenant.clone(), change.clone())));
            }
            RemedyWish::Approve { change_order_id, .. }
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

//! What is done after a cancellation, or instead of one. Like everything that writes, it is decided in the one batch.

use types::{ChangeOrderId, OrderId};

use crate::domain::lifecycle::{PayRequest, Proposal, RefundRequest, RestoreRequest, ShortShipRequest};
use crate::domain::placing::NewTender;
use crate::domain::policy::Capability;
use crate::domain::reissue::Reissue;

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
    pub fn needs(&self) -> Option<Capability> {
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

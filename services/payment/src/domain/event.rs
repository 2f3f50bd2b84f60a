//! What the order service is told.

use types::{ChangeOrderId, RefundId, Refusal};

use super::owing::{LeftOwed, Told};
use super::refund::State;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A step that was answered "pending" has ended.
    StepSettled { saga_id: String, step: String },
    /// A refund changed after its step had ended.
    RefundEnded {
        change_order_id: Option<ChangeOrderId>,
        refund_id: RefundId,
        state: State,
        amount_minor: i64,
        detail: String,
        retry_of: Option<RefundId>,
    },
    /// The owed amount has changed, or a change no longer leaves anything owed.
    OwedChanged {
        /// By the decision that is known here, and by that of a change that is reserved.
        positions: Vec<Told>,
        left: Vec<LeftOwed>,
    },
    /// Somebody has refunded money at the gateway itself.
    RefundFound {
        refund_id: RefundId,
        amount_minor: i64,
        gateway_reference: String,
        /// What we still hold of what was captured.
        kept_minor: i64,
    },
    /// A person has to look at it.
    AttentionRaised { subject: Attention, change_order_id: Option<ChangeOrderId>, cause: Refusal },
    /// The cause is gone: nobody has to look any more.
    AttentionCleared { subject: Attention, change_order_id: Option<ChangeOrderId> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attention {
    /// "payment", "capture" or "refund".
    pub subject_type: &'static str,
    pub subject_id: String,
}

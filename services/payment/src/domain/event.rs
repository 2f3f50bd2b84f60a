//! What the order service is told.

use types::{ChangeOrderId, RefundId, Refusal};

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
    /// A person has to look at it.
    AttentionRaised { subject: Attention, change_order_id: Option<ChangeOrderId>, cause: Refusal },
    /// Nobody has to look at it any more.
    AttentionCleared { subject: Attention, change_order_id: Option<ChangeOrderId> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attention {
    /// "payment", "capture" or "refund".
    pub subject_type: &'static str,
    pub subject_id: String,
}

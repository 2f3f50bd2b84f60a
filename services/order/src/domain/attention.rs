//! What a person has to look at.

use types::{AttentionId, ChangeOrderId, OrderId, Refusal, Timestamp};

/// An item of the operator's one list; other services bring theirs by events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttentionItem {
    pub attention_id: AttentionId,
    /// What it is about: "saga", "order", "refund", "outbox" …
    pub subject_type: String,
    pub subject_id: String,
    pub order_id: Option<OrderId>,
    pub change_order_id: Option<ChangeOrderId>,
    pub cause: Refusal,
    /// RPC names the operator may use; never empty.
    pub allowed_actions: Vec<String>,
    pub opened_at: Timestamp,
    pub closed_at: Option<Timestamp>,
}

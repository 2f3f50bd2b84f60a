//! What a person has to look at: which causes there are, what closes each, and what a person may do about it.

use types::{AttentionId, ChangeOrderId, OrderId, Reason, Refusal, Timestamp};

/// The action of an item that only needs a person to look at it.
pub const ACKNOWLEDGE: &str = "AcknowledgeAttention";

/// An item of the attention list. Items of other services arrive as events.
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
    /// Who acknowledged it, and with which words; both are empty when its cause went away.
    pub closed_by: String,
    pub closing_note: String,
}

/// One cause of items. The first row of [`CAUSES`] that fits an item decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    pub subject_type: &'static str,
    /// None: any other reason about such a subject.
    pub reason: Option<Reason>,
    /// What closes its items by itself. Empty where only a person can close them.
    pub closes_when: &'static str,
    /// The RPCs that end the cause, the most fitting one first.
    pub actions: &'static [&'static str],
}

const fn cause(
    subject_type: &'static str,
    reason: Option<Reason>,
    closes_when: &'static str,
    actions: &'static [&'static str],
) -> Cause {
    Cause { subject_type, reason, closes_when, actions }
}

const PARTNERS_WORD: &str = "the partner answers, or its task ends";

/// Every cause that the suite knows.
pub const CAUSES: &[Cause] = &[
    // What the saga's state allows is on the item itself.
    cause("saga", None, "the saga goes on, or ends", &["RetryStep", "AbortBeforePivot"]),
    cause("change_order", Some(Reason::ConfirmationRequired), "", &[ACKNOWLEDGE]),
    cause("event", None, "", &[ACKNOWLEDGE]),
    cause("outbox", None, "the events leave", &["ListAttentionItems"]),
    cause("publisher", None, "the events leave", &["ListAttentionItems"]),
    cause("books", None, "verify --raise finds them sound", &["RaiseFindings"]),
    cause("order", Some(Reason::ShippedFirst), "", &[ACKNOWLEDGE]),
    cause("partner_task", Some(Reason::PartnerUnconfirmed), PARTNERS_WORD, &["ResolvePartnerTask"]),
    cause("partner_task", Some(Reason::NoAnswerInTime), PARTNERS_WORD, &["ResolvePartnerTask"]),
    cause(
        "partner_task",
        Some(Reason::PartnerRejected),
        "it is told that the partner shipped",
        &["ReportPartnerShipment", ACKNOWLEDGE],
    ),
    cause("partner_task", Some(Reason::Withdrawn), "", &[ACKNOWLEDGE]),
    cause("partner_task", Some(Reason::ShippedAfterCancel), "", &[ACKNOWLEDGE]),
    cause("cart", Some(Reason::PartnerRejected), "", &[ACKNOWLEDGE]),
    cause("cart", Some(Reason::Withdrawn), "", &[ACKNOWLEDGE]),
    cause("fulfilment", Some(Reason::ShippedAfterCancel), "", &[ACKNOWLEDGE]),
    cause("label", Some(Reason::WarehouseInactive), "its units are on a shelf", &["RestockLabel"]),
    cause(
        "refund",
        Some(Reason::RefundDeclined),
        "the money goes back in another way",
        &["RetryRefund", "ResolveRefund"],
    ),
    // While nobody knows whether the refund was made, it is neither retried nor paid by hand.
    cause("refund", Some(Reason::NoAnswerInTime), "the gateway answers", &[ACKNOWLEDGE]),
    cause("refund", Some(Reason::StateConflict), "its capture ends", &[ACKNOWLEDGE]),
    cause(
        "external_refund",
        None,
        "the order is worth as much less",
        &["SubmitChangeOrder", "RefundOrder", ACKNOWLEDGE],
    ),
    cause("capture", Some(Reason::AboveCaptureCeiling), "the excess is given back", &[ACKNOWLEDGE]),
    cause("capture", None, "", &[ACKNOWLEDGE]),
    cause("dispute", None, "the dispute is won", &[ACKNOWLEDGE]),
    cause("payment", None, "", &[ACKNOWLEDGE]),
    cause("gateway", None, "", &[ACKNOWLEDGE]),
    cause("delivery", None, "somebody decides about it", &["RequeueDelivery", "DiscardDelivery"]),
    cause(
        "webhook",
        None,
        "its endpoint is asked again",
        &["Redeliver", "UpsertEndpoint", "DisableEndpoint"],
    ),
];

/// The cause of a subject that is unknown here, because a newer service raised it.
const UNKNOWN: Cause = cause("", None, "", &[ACKNOWLEDGE]);

impl Cause {
    pub fn of(subject_type: &str, reason: Reason) -> &'static Self {
        let fits = |row: &&Self| {
            row.subject_type == subject_type && row.reason.is_none_or(|expected| expected == reason)
        };
        CAUSES.iter().find(fits).unwrap_or(&UNKNOWN)
    }
}

impl AttentionItem {
    /// Closes an item that only asked for a look.
    pub fn acknowledge(&mut self, user: &str, note: &str, now: Timestamp) -> Result<(), Refusal> {
        if let Some(at) = self.closed_at {
            let message = format!("the item was closed at {at}");
            return Err(Refusal::new(Reason::AlreadyDecided, message));
        }
        if !self.allowed_actions.iter().any(|action| action == ACKNOWLEDGE) {
            let actions = self.allowed_actions.join(", ");
            let message = format!("looking is not enough; the item closes by {actions}");
            return Err(Refusal::new(Reason::StateConflict, message).detail("allowed_actions", actions));
        }
        self.closed_at = Some(now);
        user.clone_into(&mut self.closed_by);
        note.clone_into(&mut self.closing_note);
        Ok(())
    }
}

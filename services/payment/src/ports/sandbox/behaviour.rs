//! What the sandbox does wrong, by token.

use super::store::Outcome;
use crate::domain::gateway;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    Approve,
    DeclineAuthorisation,
    LoseAuthorisation,
    DeclineCapture,
    DeclineRefund,
    LoseRefund,
    DelayRefund,
    /// Until somebody ends it.
    KeepRefundPending,
    FailRefundAfter,
    /// No more is given back than was captured, whoever asks.
    CapRefunds,
}

/// No token is part of another, so the order does not matter.
const TOKENS: [(&str, Behaviour); 9] = [
    ("tok_decline", Behaviour::DeclineAuthorisation),
    ("tok_timeout", Behaviour::LoseAuthorisation),
    ("tok_capture_decline", Behaviour::DeclineCapture),
    ("tok_refund_decline", Behaviour::DeclineRefund),
    ("tok_refund_timeout", Behaviour::LoseRefund),
    ("tok_refund_late", Behaviour::DelayRefund),
    ("tok_refund_pending", Behaviour::KeepRefundPending),
    ("tok_refund_fail_after", Behaviour::FailRefundAfter),
    ("tok_refund_capped", Behaviour::CapRefunds),
];

impl Behaviour {
    /// Any other token, and any reference of a payment made elsewhere, is approved.
    pub fn of(token: &str) -> Self {
        let known = TOKENS.iter().find(|(name, _)| token.contains(name));
        known.map_or(Self::Approve, |(_, behaviour)| *behaviour)
    }

    /// What an effect becomes at once, and why if that is a no.
    pub fn outcome(self, effect: gateway::Effect) -> (Outcome, &'static str) {
        use gateway::Effect::{Authorise, Capture, Refund};
        match (self, effect) {
            (Self::DeclineAuthorisation, Authorise) => (Outcome::Declined, "insufficient funds"),
            (Self::DeclineCapture, Capture) => (Outcome::Declined, "the authorisation has expired"),
            (Self::DeclineRefund, Refund) => (Outcome::Declined, "the card account is closed"),
            (Self::DelayRefund | Self::KeepRefundPending, Refund) => {
                (Outcome::Pending, "the refund is on its way")
            }
            (
                Self::Approve
                | Self::DeclineAuthorisation
                | Self::LoseAuthorisation
                | Self::DeclineCapture
                | Self::DeclineRefund
                | Self::LoseRefund
                | Self::DelayRefund
                | Self::KeepRefundPending
                | Self::FailRefundAfter
                | Self::CapRefunds,
                Authorise
                | Capture
                | Refund
                | gateway::Effect::Void
                | gateway::Effect::Lower
                | gateway::Effect::Read,
            ) => (Outcome::Applied, ""),
        }
    }

    /// Whether the effect is applied and the answer never comes.
    pub fn loses_answer(self, effect: gateway::Effect) -> bool {
        matches!(
            (self, effect),
            (Self::LoseAuthorisation, gateway::Effect::Authorise)
                | (Self::LoseRefund, gateway::Effect::Refund)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_hides_in_another() {
        for (name, behaviour) in TOKENS {
            assert_eq!(Behaviour::of(name), behaviour, "{name}");
            assert_eq!(Behaviour::of(&format!("bank-{name}-1")), behaviour, "{name}");
        }
        assert_eq!(Behaviour::of("tok_approve"), Behaviour::Approve);
        assert_eq!(Behaviour::of("INV-536365"), Behaviour::Approve);
    }
}

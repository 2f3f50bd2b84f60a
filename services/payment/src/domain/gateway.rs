//! The words between us and a gateway: what it is asked to do, and what it may answer.

use types::{CaptureId, Currency, OrderId, PaymentId, RefundId};

/// What a gateway can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    Authorise,
    Capture,
    Refund,
    /// Give a whole authorisation back.
    Void,
    /// Give part of an authorisation back.
    Lower,
}

impl Effect {
    pub const ALL: [Self; 5] = [Self::Authorise, Self::Capture, Self::Refund, Self::Void, Self::Lower];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorise => "authorise",
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Void => "void",
            Self::Lower => "lower",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.as_str() == text)
    }
}

/// The row a task is about. Its id is the gateway's idempotency key, constant for every attempt of
/// every replica, and committed before the first call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    Payment(PaymentId),
    Capture(CaptureId),
    Refund(RefundId),
}

impl Subject {
    pub fn key(&self) -> &str {
        match self {
            Self::Payment(id) => id.as_str(),
            Self::Capture(id) => id.as_str(),
            Self::Refund(id) => id.as_str(),
        }
    }
}

/// One thing to ask a gateway for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub order_id: OrderId,
    pub subject: Subject,
    /// The saga whose step may end by the answer; none if a client asked.
    pub saga_id: Option<String>,
    pub effect: Effect,
    pub currency: Currency,
    pub amount_minor: i64,
    pub payment_id: PaymentId,
    pub gateway: String,
    /// The payment method's token; the reference of a payment that was brought in from elsewhere.
    pub token: String,
    /// The gateway's reference of the authorisation; empty while it is being asked for.
    pub authorisation: String,
}

/// What a gateway said of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Done {
        reference: String,
    },
    Declined {
        detail: String,
    },
    /// It will take its time; the end comes later.
    Pending {
        reference: String,
        detail: String,
    },
    /// The customer has to do something first.
    ActionRequired {
        detail: String,
    },
    /// It was done, and failed afterwards.
    FailedAfter {
        reference: String,
        detail: String,
    },
    /// No answer: it may have been done or not.
    Unknown {
        detail: String,
    },
}

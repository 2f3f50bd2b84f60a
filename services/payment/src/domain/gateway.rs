//! The language between us and a gateway: what it is asked, what it may answer, what it is capable of, and what it tells by
//! itself.

use std::time::Duration;

use types::{CaptureId, Currency, OrderId, PaymentId, RefundId, Timestamp};

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
    /// Do nothing, but say what there is of a payment that another system made.
    Read,
}

impl Effect {
    pub const ALL: [Self; 6] =
        [Self::Authorise, Self::Capture, Self::Refund, Self::Void, Self::Lower, Self::Read];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorise => "authorise",
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Void => "void",
            Self::Lower => "lower",
            Self::Read => "read",
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

/// One request to a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub order_id: OrderId,
    pub subject: Subject,
    /// When the key was made: it was first sent then or later.
    pub asked_at: Timestamp,
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

/// What a gateway answered about one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Done {
        reference: String,
    },
    Declined {
        detail: String,
    },
    /// It is under way; the outcome comes later.
    Pending {
        reference: String,
        detail: String,
    },
    /// The customer has to do something first.
    ActionRequired {
        detail: String,
    },
    /// It succeeded first and failed afterwards.
    FailedAfter {
        reference: String,
        detail: String,
    },
    /// No answer: nobody knows whether it was done.
    Unknown {
        detail: String,
    },
}

/// What a gateway is able to do, as its adapter declares it. What is decided about a call without an
/// answer is decided by these and never by the adapter's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own with a yes or a no")]
pub struct Capabilities {
    /// How long a key that was sent is recognised; for ever if none. A key is never sent again after
    /// half of it: the gateway's clock and ours need not agree.
    pub key_window: Option<Duration>,
    /// A key that ended in an error answers that same error again, so sending it again is harmless
    /// whatever became of the first attempt.
    pub caches_errors: bool,
    /// A refund can be found by our id, which went along as metadata.
    pub queries_by_reference: bool,
    /// It refuses to give back more than it took. Without that, our own cap is the only one.
    pub enforces_refund_cap: bool,
    pub partial_capture: PartialCapture,
    /// An authorisation can be given back before it is captured.
    pub voids: bool,
    /// Part of an authorisation can be given back at once. Where it cannot, the rest is dropped by
    /// the gateway with the capture, or with the authorisation's end.
    pub lowers: bool,
    /// It sends signed webhooks; without them the end of a pending refund is only found by asking.
    pub webhooks: bool,
    pub amounts: Amounts,
}

/// What happens to the rest of an authorisation when less than its amount is captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartialCapture {
    /// The rest stays, and can be captured later.
    KeepsTheRest,
    /// There is one capture; the gateway gives the rest back with it.
    DropsTheRest,
}

/// Which amounts a gateway accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amounts {
    /// Any number of minor units of any currency.
    Any,
    /// As card networks carry them: in currencies of three decimals the last digit is always 0, and
    /// the ariary, whose cents are no tenths, goes in whole units.
    Stepped,
}

impl Capabilities {
    /// The smallest amount that can be given back, in minor units; every amount is a multiple of it.
    pub fn step_minor(&self, currency: Currency) -> i64 {
        match self.amounts {
            Amounts::Stepped if currency.exponent() == 3 => 10,
            Amounts::Stepped if currency.code() == "MGA" => 100,
            Amounts::Any | Amounts::Stepped => 1,
        }
    }
}

/// What a gateway's webhook said, after its signature was found good. It is a hint and never a fact:
/// the state is fetched from the gateway before anything is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayEvent {
    /// The gateway's name, as tenders name it.
    pub gateway: String,
    /// The gateway's own id of the event; a repeat carries the same.
    pub event_id: String,
    pub kind: EventKind,
    /// The gateway's id of what the event is about: a refund, a payment, a dispute.
    pub gateway_reference: String,
    /// The gateway's id of the payment that it belongs to; empty if the event does not tell.
    pub payment_reference: String,
    /// Our id that went along as metadata (a refund's, a payment's); none on what we did not make.
    pub our_reference: Option<String>,
    /// When it happened, by the gateway's clock; events arrive in any order.
    pub happened_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    Payment,
    Refund,
    Dispute,
    /// Something that concerns no money of ours: it is accepted and ignored.
    Other,
}

impl EventKind {
    pub const ALL: [Self; 4] = [Self::Payment, Self::Refund, Self::Dispute, Self::Other];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Other => "other",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The gateway's own record of one payment, read to find what was done there and not by us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub captured_minor: i64,
    pub refunds: Vec<FoundRefund>,
    pub disputes: Vec<FoundDispute>,
}

/// What a gateway has of a payment that another system made there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The gateway's canonical reference, whatever the payment was called here.
    pub reference: String,
    pub currency: Currency,
    pub captured_minor: i64,
    /// Authorised, and neither captured nor given back.
    pub open_minor: i64,
    pub refunded_minor: i64,
    /// Whom it was made for, if its metadata says so in our format.
    pub tenant: Option<String>,
    pub order_id: Option<OrderId>,
}

/// How reading such a payment went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    Holds(Holding),
    /// There is no such payment, or it is not one that this order may have.
    Refuted {
        detail: String,
    },
    /// No answer: nothing is known.
    Silent {
        detail: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRefund {
    pub gateway_reference: String,
    /// Our id, if it was made by us.
    pub refund_id: Option<RefundId>,
    pub amount_minor: i64,
    /// Where it stands.
    pub answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDispute {
    pub gateway_reference: String,
    pub amount_minor: i64,
    pub state: DisputeState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DisputeState {
    /// The bank has taken the money until it is decided.
    Open,
    /// The money came back to us.
    Won,
    /// The customer keeps the money.
    Lost,
}

impl DisputeState {
    pub const ALL: [Self; 3] = [Self::Open, Self::Won, Self::Lost];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

//! What the service can be asked to commit, and what it answers.

use storage::{RequestKey, StepCall};
use types::{ChangeOrderId, Currency, Fingerprint, OrderId, PaymentId, RefundId, Refusal, Tenant};

use super::waiters::Awaited;
use crate::domain::gateway::{Answer, Reading, Statement, Subject, Task};
use crate::domain::refund::Resolution;
use crate::domain::{CaptureAsked, Opening, Recorded, Terms};

#[derive(Debug, Clone)]
pub enum Command {
    Step(Step),
    Authorise(Authorise),
    Capture(Capture),
    Answered(Answered),
    Mend(Mend),
    Observed(Observed),
}

/// A step of a saga.
#[derive(Debug, Clone)]
pub struct Step {
    pub call: StepCall,
    pub order_id: OrderId,
    pub deed: Deed,
}

#[derive(Debug, Clone)]
pub enum Deed {
    AuthorisePayments(Opening),
    /// The order has an account, and is to come to something again.
    ReopenPayments {
        opening: Opening,
        change_order_id: ChangeOrderId,
    },
    VoidAuthorisations,
    CapturePayments,
    ReserveRefund {
        change_order_id: ChangeOrderId,
        target_minor: i64,
        move_no_money: bool,
        worth_version: i64,
        terms: Terms,
    },
    ReleaseRefund,
    SettleRefund {
        /// How a person pays it.
        by_hand: Option<Resolution>,
    },
}

/// A client wants one more tender for an order.
#[derive(Debug, Clone)]
pub struct Authorise {
    pub key: RequestKey,
    pub fingerprint: Fingerprint,
    pub order_id: OrderId,
    pub currency: Currency,
    pub gateway: String,
    pub token: String,
    pub amount_minor: i64,
}

/// A client wants authorised money taken.
#[derive(Debug, Clone)]
pub struct Capture {
    pub key: RequestKey,
    pub fingerprint: Fingerprint,
    pub payment_id: PaymentId,
    pub asked: CaptureAsked,
}

/// The gateway has answered a task, or has not in time.
#[derive(Debug, Clone)]
pub struct Answered {
    pub tenant: Tenant,
    pub order_id: OrderId,
    pub subject: Subject,
    /// The saga whose step may end by it; none if a client asked.
    pub saga_id: Option<String>,
    pub answer: Answer,
}

/// An operator mends a refund that failed, or tells of one that was made elsewhere. Which order it belongs to never changes.
#[derive(Debug, Clone)]
pub struct Mend {
    pub key: RequestKey,
    pub fingerprint: Fingerprint,
    pub order_id: OrderId,
    pub how: Mending,
}

#[derive(Debug, Clone)]
pub enum Mending {
    /// On another tender, if one is named.
    Retry {
        refund_id: RefundId,
        payment_id: Option<PaymentId>,
    },
    Resolve {
        refund_id: RefundId,
        resolution: Resolution,
    },
    Record(Recorded),
}

/// What the gateway's own book says of a payment, or what it has of one that was made elsewhere.
#[derive(Debug, Clone)]
pub struct Observed {
    pub tenant: Tenant,
    pub order_id: OrderId,
    pub payment_id: PaymentId,
    /// The sagas whose steps may end by it.
    pub saga_ids: Vec<String>,
    pub report: Report,
}

#[derive(Debug, Clone)]
pub enum Report {
    Statement(Statement),
    /// A payment that was made elsewhere; the gateway is the payment's.
    Read {
        gateway: String,
        reading: Reading,
    },
    /// It could not be asked, often enough that a person must know.
    Silence {
        detail: String,
    },
}

/// What a command has become, and what follows from it once it is committed.
#[derive(Debug, Clone)]
pub struct Decided {
    pub reply: Reply,
    pub tasks: Vec<(Tenant, Task)>,
    /// Those who wait for these need wait no longer.
    pub ended: Vec<(Awaited, StepAnswer)>,
    /// There are events to send.
    pub told: bool,
}

#[derive(Debug, Clone)]
pub enum Reply {
    Step(StepAnswer),
    /// The payment that was made or captured.
    Request(Result<(OrderId, PaymentId), Refusal>),
    /// Taken, or already known.
    Answered,
    /// The refund that mends it: the new one, or itself.
    Mended(Result<RefundId, Refusal>),
    /// Whether it was news, and whether some of it must wait for what is in flight.
    Observed {
        changed: bool,
        later: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepAnswer {
    /// With the stored reply.
    Applied(Vec<u8>),
    Pending,
    Refused(Refusal),
}

impl Decided {
    /// Nothing has changed.
    pub fn only(reply: Reply) -> Self {
        Self { reply, tasks: Vec::new(), ended: Vec::new(), told: false }
    }
}

//! What a step answers.

use types::{PaymentId, RefundId, Refusal};

use super::origin::Origin;
use super::owing::Told;
use super::refund::{Kind, State};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    pub nothing_to_do: bool,
    pub legs: Vec<Leg>,
    /// What exceeds the order's new total and was not given back.
    pub owed_minor: i64,
    /// What is still to be paid of an order that is restored.
    pub missing_minor: i64,
    /// What is owed once the change is committed.
    pub told: Option<Told>,
}

/// One tender's share of what is given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    pub refund_id: RefundId,
    pub payment_id: PaymentId,
    pub kind: Kind,
    pub state: State,
    pub amount_minor: i64,
    pub detail: String,
    /// It failed, and another leg has taken its place.
    pub made_good: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOutcome {
    Applied(Reply),
    /// The gateway has been asked; the end comes later.
    Pending,
}

impl StepOutcome {
    pub fn nothing_to_do() -> Self {
        Self::Applied(Reply { nothing_to_do: true, ..Reply::default() })
    }
}

/// A pending step that a gateway's answer has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub origin: Origin,
    pub ending: Ending,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Applied(Reply),
    Rejected(Refusal),
}

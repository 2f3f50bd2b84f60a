//! One row of the sandbox's book.

use storage::{DbError, Row};
use types::{Currency, OrderId, PaymentId, Timestamp};

use crate::domain::gateway::{self, Answer, Task};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Applied,
    Declined,
    Pending,
    FailedAfter,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Declined => "declined",
            Self::Pending => "pending",
            Self::FailedAfter => "failed_after",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let all = [Self::Applied, Self::Declined, Self::Pending, Self::FailedAfter];
        all.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    pub key: String,
    pub kind: gateway::Effect,
    pub order_id: OrderId,
    pub payment_id: PaymentId,
    pub gateway_reference: String,
    pub currency: Currency,
    pub amount_minor: i64,
    pub outcome: Outcome,
    pub detail: String,
    pub changes_at: i64,
    pub at: Timestamp,
}

impl Effect {
    /// Whether a task asks for this very effect. A key that comes with another body is a mistake of
    /// the sender's, and nothing is known of what it meant.
    pub fn is_asked_by(&self, task: &Task) -> bool {
        self.kind == task.effect
            && self.payment_id == task.payment_id
            && self.currency == task.currency
            && self.amount_minor == task.amount_minor
    }

    pub fn answer(&self) -> Answer {
        let (reference, detail) = (self.gateway_reference.clone(), self.detail.clone());
        match self.outcome {
            Outcome::Applied => Answer::Done { reference },
            Outcome::Declined => Answer::Declined { detail },
            Outcome::Pending => Answer::Pending { reference, detail },
            Outcome::FailedAfter => Answer::FailedAfter { reference, detail },
        }
    }
}

pub fn effect(row: &Row) -> Result<Effect, DbError> {
    Ok(Effect {
        key: row.text("key")?,
        kind: row.named("kind", gateway::Effect::parse)?,
        order_id: row.parsed("order_id", OrderId::parse)?,
        payment_id: row.parsed("payment_id", PaymentId::parse)?,
        gateway_reference: row.text("gateway_reference")?,
        currency: row.parsed("currency", Currency::parse)?,
        amount_minor: row.int("amount_minor")?,
        outcome: row.named("outcome", Outcome::parse)?,
        detail: row.text("detail")?,
        changes_at: row.int("changes_at")?,
        at: row.timestamp("at")?,
    })
}

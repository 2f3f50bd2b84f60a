//! How the simulator speaks over HTTP: the same words for its face and for the adapter that calls it.

use serde::{Deserialize, Serialize};
use types::{CaptureId, Currency, OrderId, PaymentId, RefundId, Timestamp};

use crate::domain::gateway::{
    Answer, DisputeState, Effect, FoundDispute, FoundRefund, Holding, Statement, Subject, Task,
};

/// One effect asked for; its key goes as `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    pub effect: String,
    pub order_id: String,
    pub payment_id: String,
    pub currency: String,
    pub amount_minor: i64,
    pub token: String,
    pub authorisation: String,
}

/// What has become of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Told {
    Done { reference: String },
    Declined { detail: String },
    Pending { reference: String, detail: String },
    ActionRequired { detail: String },
    FailedAfter { reference: String, detail: String },
}

/// One payment to be told of, by the name that the simulator or another system gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    pub reference: String,
}

/// What the simulator has under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub reference: String,
    pub currency: String,
    pub captured_minor: i64,
    pub open_minor: i64,
    pub refunded_minor: i64,
    pub tenant: Option<String>,
    pub order_id: Option<String>,
}

impl Held {
    pub fn of(holding: Holding) -> Self {
        Self {
            reference: holding.reference,
            currency: holding.currency.code().to_owned(),
            captured_minor: holding.captured_minor,
            open_minor: holding.open_minor,
            refunded_minor: holding.refunded_minor,
            tenant: holding.tenant,
            order_id: holding.order_id.map(|id| id.to_string()),
        }
    }

    pub fn holding(self) -> Result<Holding, Unreadable> {
        let order_id = self.order_id.as_deref().map(OrderId::parse).transpose();
        Ok(Holding {
            reference: self.reference,
            currency: Currency::parse(&self.currency).map_err(|_| Unreadable("currency"))?,
            captured_minor: self.captured_minor,
            open_minor: self.open_minor,
            refunded_minor: self.refunded_minor,
            tenant: self.tenant,
            order_id: order_id.map_err(|_| Unreadable("order_id"))?,
        })
    }
}

/// The simulator's own book of one payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    pub captured_minor: i64,
    pub refunds: Vec<BookRefund>,
    pub disputes: Vec<BookDispute>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookRefund {
    pub reference: String,
    /// Our id, if it was asked for by us.
    pub key: Option<String>,
    pub amount_minor: i64,
    pub told: Told,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookDispute {
    pub reference: String,
    pub amount_minor: i64,
    /// `open`, `won` or `lost`.
    pub state: String,
}

/// Why a request is no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not readable")]
pub struct Unreadable(pub &'static str);

impl Ask {
    pub fn of(task: &Task) -> Self {
        Self {
            effect: task.effect.as_str().to_owned(),
            order_id: task.order_id.to_string(),
            payment_id: task.payment_id.to_string(),
            currency: task.currency.code().to_owned(),
            amount_minor: task.amount_minor,
            token: task.token.clone(),
            authorisation: task.authorisation.clone(),
        }
    }

    pub fn task(self, key: &str) -> Result<Task, Unreadable> {
        let effect = Effect::parse(&self.effect).ok_or(Unreadable("effect"))?;
        let subject = match effect {
            Effect::Authorise => PaymentId::parse(key).map(Subject::Payment).ok(),
            Effect::Capture => CaptureId::parse(key).map(Subject::Capture).ok(),
            Effect::Refund | Effect::Void | Effect::Lower => RefundId::parse(key).map(Subject::Refund).ok(),
            // It has an address of its own, and no key.
            Effect::Read => None,
        };
        if self.amount_minor < 1 {
            return Err(Unreadable("amount_minor"));
        }
        Ok(Task {
            order_id: OrderId::parse(&self.order_id).map_err(|_| Unreadable("order_id"))?,
            subject: subject.ok_or(Unreadable("the idempotency key"))?,
            asked_at: Timestamp::UNIX_EPOCH,
            saga_id: None,
            effect,
            currency: Currency::parse(&self.currency).map_err(|_| Unreadable("currency"))?,
            amount_minor: self.amount_minor,
            payment_id: PaymentId::parse(&self.payment_id).map_err(|_| Unreadable("payment_id"))?,
            gateway: String::new(),
            token: self.token,
            authorisation: self.authorisation,
        })
    }
}

impl Told {
    /// None of an answer that nobody can be told.
    pub fn of(answer: Answer) -> Option<Self> {
        Some(match answer {
            Answer::Done { reference } => Self::Done { reference },
            Answer::Declined { detail } => Self::Declined { detail },
            Answer::Pending { reference, detail } => Self::Pending { reference, detail },
            Answer::ActionRequired { detail } => Self::ActionRequired { detail },
            Answer::FailedAfter { reference, detail } => Self::FailedAfter { reference, detail },
            Answer::Unknown { .. } => return None,
        })
    }

    pub fn answer(self) -> Answer {
        match self {
            Self::Done { reference } => Answer::Done { reference },
            Self::Declined { detail } => Answer::Declined { detail },
            Self::Pending { reference, detail } => Answer::Pending { reference, detail },
            Self::ActionRequired { detail } => Answer::ActionRequired { detail },
            Self::FailedAfter { reference, detail } => Answer::FailedAfter { reference, detail },
        }
    }
}

impl Book {
    pub fn of(statement: Statement) -> Self {
        let refunds = statement.refunds.into_iter().filter_map(|refund| {
            Some(BookRefund {
                reference: refund.gateway_reference,
                key: refund.refund_id.map(|id| id.to_string()),
                amount_minor: refund.amount_minor,
                told: Told::of(refund.answer)?,
            })
        });
        let disputes = statement.disputes.into_iter().map(|dispute| BookDispute {
            reference: dispute.gateway_reference,
            amount_minor: dispute.amount_minor,
            state: dispute.state.as_str().to_owned(),
        });
        Self {
            captured_minor: statement.captured_minor,
            refunds: refunds.collect(),
            disputes: disputes.collect(),
        }
    }

    pub fn statement(self) -> Result<Statement, Unreadable> {
        let refunds = self.refunds.into_iter().map(|refund| FoundRefund {
            gateway_reference: refund.reference,
            refund_id: refund.key.and_then(|key| RefundId::parse(&key).ok()),
            amount_minor: refund.amount_minor,
            answer: refund.told.answer(),
        });
        let refunds = refunds.collect();
        let mut disputes = Vec::new();
        for dispute in self.disputes {
            disputes.push(FoundDispute {
                gateway_reference: dispute.reference,
                amount_minor: dispute.amount_minor,
                state: DisputeState::parse(&dispute.state).ok_or(Unreadable("a dispute's state"))?,
            });
        }
        Ok(Statement { captured_minor: self.captured_minor, refunds, disputes })
    }
}

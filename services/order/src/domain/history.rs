//! What a decision leaves to be told: entries for the order's timeline, and facts for others.
//!
//! Decisions return these as values; the caller numbers them under the order's lock and stores them
//! in the commit that stores the decision, so that nothing is told that did not happen.

use serde::{Deserialize, Serialize};
use types::{ChangeOrderId, EventId, OrderId, Refusal, SagaId, Timestamp};

use super::attention::AttentionItem;
use super::change::ChangeOrder;
use super::conversation::Message;
use super::folders::FolderName;
use super::order::{Actor, Order, OrderState, Summary};
use super::outside::PartnerMail;
use super::returns::Return;

/// Everything one decision leaves to be told, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "what happened has to be stored with the decision"]
pub struct Happened {
    pub entries: Vec<Entry>,
    pub facts: Vec<Fact>,
}

/// One line of an order's timeline, before it has a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub at: Timestamp,
    pub actor: Actor,
    /// Dotted lower-case name, such as "change_order.accepted".
    pub event: String,
    /// One sentence for people.
    pub summary: String,
    pub visibility: Visibility,
    pub change_order_id: Option<ChangeOrderId>,
    pub saga_id: Option<SagaId>,
    /// Set for exactly one entry a step: the one that tells of the step itself.
    pub step: Option<StepMark>,
    pub reason_code: String,
    pub note: String,
}

/// The step an entry tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepMark {
    pub step: String,
    pub direction: StepDirection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepDirection {
    Do,
    Undo,
}

/// A numbered entry, as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub sequence: i64,
    pub entry: Entry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    Internal,
    Parties,
    Public,
}

/// What other services and subscribers are told, with the picture of that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    OrderPlaced {
        order: Summary,
        /// It was brought in: no news for whoever ordered.
        elsewhere: bool,
    },
    OrderPlacementFailed {
        order: Summary,
        cause: Refusal,
    },
    /// The derived state moved.
    OrderProgressed {
        order: Summary,
        before: OrderState,
    },
    /// The other side has to answer it.
    ChangeProposed {
        change: Box<ChangeOrder>,
        order: Summary,
    },
    /// A proposal comes to nothing; the change's state says why.
    ChangeDropped {
        change: Box<ChangeOrder>,
        order: Summary,
    },
    ChangeAccepted {
        change: Box<ChangeOrder>,
        order: Summary,
    },
    ChangeCommitted {
        change: Box<ChangeOrder>,
        before: Summary,
        after: Summary,
    },
    ChangeRejected {
        change: Box<ChangeOrder>,
        order: Summary,
    },
    ChangeCompleted {
        change: Box<ChangeOrder>,
        order: Summary,
    },
    /// The order was moved to another folder, or out of all.
    FolderChanged {
        order: Summary,
        before: Option<FolderName>,
        after: Option<FolderName>,
        moved_by: Actor,
        /// How many rules in a row led to it.
        depth: i64,
    },
    MessageAdded {
        message: Message,
        order: Summary,
    },
    /// It is not paid, and ends when this passes.
    OrderExpiring {
        order: Summary,
        expires_at: Timestamp,
    },
    /// A return was opened, units of it came or were rejected, or it ended.
    ReturnProgressed {
        returned: Box<Return>,
        order: Summary,
        /// "opened", "received", "rejected", "closed" or "expired".
        what: &'static str,
    },
    /// A partner or a cart that is reached by e-mail has to be written to.
    PartnerMail {
        order_id: OrderId,
        order_number: String,
        mail: Box<PartnerMail>,
    },
    /// Somebody has to look.
    AttentionOpened {
        item: AttentionItem,
    },
}

/// A fact as others are told it, with its place among all events of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Gap-free from 1 per tenant.
    pub position: i64,
    pub event_id: EventId,
    pub order_id: OrderId,
    /// Gap-free from 1 per order.
    pub sequence: i64,
    /// Full name of the payload's message.
    pub kind: String,
    pub payload: Vec<u8>,
    pub traceparent: Option<String>,
    pub occurred_at: Timestamp,
}

impl Happened {
    pub fn entry(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    pub fn fact(mut self, fact: Fact) -> Self {
        self.facts.push(fact);
        self
    }

    /// Tells of a new derived state, if there is one.
    pub fn progressed(self, before: OrderState, order: &Order) -> Self {
        if order.state() == before {
            self
        } else {
            self.fact(Fact::OrderProgressed { order: order.summary(), before })
        }
    }
}

impl Entry {
    pub fn new(at: Timestamp, actor: Actor, event: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            at,
            actor,
            event: event.into(),
            summary: summary.into(),
            visibility: Visibility::Parties,
            change_order_id: None,
            saga_id: None,
            step: None,
            reason_code: String::new(),
            note: String::new(),
        }
    }

    /// The entry of one step of a saga, which only our own people see.
    pub fn of_step(at: Timestamp, saga_id: SagaId, mark: StepMark, outcome: &str, summary: String) -> Self {
        let event = match mark.direction {
            StepDirection::Do => format!("step.{}.{outcome}", mark.step),
            StepDirection::Undo => format!("step.{}.undo.{outcome}", mark.step),
        };
        Self {
            visibility: Visibility::Internal,
            saga_id: Some(saga_id),
            step: Some(mark),
            ..Self::new(at, Actor::system(), event, summary)
        }
    }

    #[must_use]
    pub fn visible_to(mut self, visibility: Visibility) -> Self {
        self.visibility = visibility;
        self
    }

    /// The change it belongs to, with the saga that carries it.
    #[must_use]
    pub fn about(mut self, change: &ChangeOrder) -> Self {
        self.change_order_id = Some(change.change_order_id.clone());
        self.saga_id = Some(change.saga_id.clone());
        self
    }

    #[must_use]
    pub fn because(mut self, reason_code: impl Into<String>, note: impl Into<String>) -> Self {
        self.reason_code = reason_code.into();
        self.note = note.into();
        self
    }
}

impl StepDirection {
    /// The text that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Do => "do",
            Self::Undo => "undo",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Do, Self::Undo].into_iter().find(|direction| direction.as_str() == text)
    }
}

impl Visibility {
    /// The text that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Parties => "parties",
            Self::Public => "public",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Internal, Self::Parties, Self::Public].into_iter().find(|known| known.as_str() == text)
    }
}

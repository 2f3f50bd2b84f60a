//! Rules: when this happens and that holds, do those things. Each rule acts once for each event.

use serde::{Deserialize, Serialize};
use types::{EventId, FolderId, OrderId, Reason, Refusal, RuleId, Tenant, Timestamp};

use crate::domain::change::ChangeOrder;
use crate::domain::condition::{ChangeFacts, Condition, EventFacts, Facts, LineFacts, OrderFacts};
use crate::domain::history::Visibility;
use crate::domain::order::{Actor, Order};

/// The most rules a tenant may have.
pub const RULES_MAX: usize = 200;
/// The most actions of one rule.
pub const ACTIONS_MAX: usize = 5;
/// An event that rules led to so many in a row sets off none: what they made stands, and nothing goes in a circle.
pub const DEPTH_MAX: i64 = 3;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub tenant: Tenant,
    pub rule_id: RuleId,
    pub name: String,
    pub trigger: Trigger,
    pub condition: String,
    pub actions: Vec<Action>,
    pub enabled: bool,
    pub version: i64,
    /// When it was last switched on: it acts on what happened since.
    pub active_since: Timestamp,
}

/// A rule as it is asked for: a new one without an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleWish {
    pub rule_id: Option<RuleId>,
    pub name: String,
    pub trigger: Trigger,
    pub condition: String,
    pub actions: Vec<Action>,
    pub enabled: bool,
}

/// What sets a rule off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    OrderPlaced,
    OrderProgressed,
    OrderFolderChanged,
    ChangeAccepted,
    ChangeCommitted,
    ChangeRejected,
    ChangeCompleted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Cancels the whole order.
    SubmitCancel {
        reason_code: String,
        note: String,
    },
    /// Out of its folder, where none is named.
    MoveToFolder {
        folder_id: Option<FolderId>,
    },
    WriteNote {
        visibility: Visibility,
        text: String,
    },
    /// Tells the cart that sold the order that it is cancelled.
    PropagateTo {
        target: String,
    },
}

/// What a rule did for an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub tenant: Tenant,
    pub rule_id: RuleId,
    pub rule_version: i64,
    pub event_id: EventId,
    pub order_id: OrderId,
    pub outcome: Outcome,
    pub cause: Option<Refusal>,
    /// What its actions made: change orders and messages.
    pub resources: Vec<String>,
    pub depth: i64,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Done,
    NotMet,
    /// An action was refused; those before it stand.
    Refused,
    /// The condition could not be evaluated.
    Failed,
    /// Rules had led to the event too often in a row.
    Loop,
}

/// Makes or changes a rule, held against all rules of the tenant.
pub fn upsert(
    tenant: &Tenant,
    wish: &RuleWish,
    known: &[Rule],
    minted: RuleId,
    now: Timestamp,
) -> Result<Rule, Refusal> {
    Condition::compile(&wish.condition)?;
    let namesake = known.iter().find(|rule| rule.name == wish.name);
    if let Some(other) = namesake
        && Some(&other.rule_id) != wish.rule_id.as_ref()
    {
        let message = format!("another rule is called {:?}", wish.name);
        return Err(Refusal::new(Reason::ExternalReferenceTaken, message)
            .field("rule.name")
            .detail("rule_id", &other.rule_id));
    }
    let (rule_id, version, active_since) = match &wish.rule_id {
        Some(rule_id) => {
            let before = known.iter().find(|rule| rule.rule_id == *rule_id);
            let before = before.ok_or_else(|| Refusal::not_found("Rule", rule_id.as_str()))?;
            let since = if before.enabled { before.active_since } else { now };
            (rule_id.clone(), before.version + 1, since)
        }
        None if known.len() >= RULES_MAX => {
            let message = format!("there are {RULES_MAX} rules already");
            return Err(Refusal::new(Reason::StateConflict, message).detail("max", RULES_MAX));
        }
        None => (minted, 1, now),
    };
    Ok(Rule {
        tenant: tenant.clone(),
        rule_id,
        name: wish.name.clone(),
        trigger: wish.trigger,
        condition: wish.condition.clone(),
        actions: wish.actions.clone(),
        enabled: wish.enabled,
        version,
        active_since,
    })
}

/// Who acts when a rule does: the rule itself, with the authority of the operator who wrote it.
pub fn actor(rule: &Rule) -> Actor {
    Actor { user: rule.rule_id.to_string(), organisation: String::new(), role: "staff".to_owned() }
}

/// What a condition is held against.
pub fn facts(event: EventFacts, order: &Order, folder: &str, change: Option<&ChangeOrder>) -> Facts {
    let parties = &order.parties;
    let line = |line: &crate::domain::order::Line| LineFacts {
        sku: line.sku.clone(),
        ordered: line.quantities.ordered,
        open: line.quantities.open,
        cancelled: line.quantities.cancelled,
        shipped: line.quantities.fulfilled,
    };
    Facts {
        event,
        order: OrderFacts {
            id: order.order_id.to_string(),
            number: order.number.clone(),
            state: order.state().as_str().to_owned(),
            currency: order.currency.to_string(),
            total_minor: order.total_minor(),
            placed_minor: order.placed_minor,
            customer_id: order.customer_id.clone(),
            buyer: parties.buyer.clone(),
            supplier: parties.supplier.clone(),
            source_router: parties.source_router.clone(),
            created_by_org: order.created_by.organisation.clone(),
            folder: folder.to_owned(),
            systems: order.references.iter().map(|name| name.system.clone()).collect(),
            lines: order.lines.iter().map(line).collect(),
        },
        change: change.map(change_facts).unwrap_or_default(),
    }
}

fn change_facts(change: &ChangeOrder) -> ChangeFacts {
    ChangeFacts {
        id: change.change_order_id.to_string(),
        r#type: change.change_type.as_str().to_owned(),
        state: change.state.as_str().to_owned(),
        reason_code: change.reason_code.clone(),
        note: change.note.clone(),
        channel: change.channel.as_str().to_owned(),
        stage: change.stage.as_str().to_owned(),
        amount_minor: change.amounts.amount,
        units: change.lines.iter().map(|line| line.quantity).sum(),
        by_user: change.requested_by.user.clone(),
        by_org: change.requested_by.organisation.clone(),
        by_role: change.requested_by.role.clone(),
    }
}

impl Trigger {
    pub const ALL: [Self; 7] = [
        Self::OrderPlaced,
        Self::OrderProgressed,
        Self::OrderFolderChanged,
        Self::ChangeAccepted,
        Self::ChangeCommitted,
        Self::ChangeRejected,
        Self::ChangeCompleted,
    ];

    /// The text that is stored, and that conditions read as `event.type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrderPlaced => "order.placed",
            Self::OrderProgressed => "order.progressed",
            Self::OrderFolderChanged => "order.folder_changed",
            Self::ChangeAccepted => "change.accepted",
            Self::ChangeCommitted => "change.committed",
            Self::ChangeRejected => "change.rejected",
            Self::ChangeCompleted => "change.completed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.as_str() == text)
    }

    /// Whether the event is about a change of the order.
    pub const fn is_of_change(self) -> bool {
        match self {
            Self::OrderPlaced | Self::OrderProgressed | Self::OrderFolderChanged => false,
            Self::ChangeAccepted | Self::ChangeCommitted | Self::ChangeRejected | Self::ChangeCompleted => {
                true
            }
        }
    }
}

impl Outcome {
    pub const ALL: [Self; 5] = [Self::Done, Self::NotMet, Self::Refused, Self::Failed, Self::Loop];

    /// The text that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotMet => "not_met",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Loop => "loop",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// Why a rule does not act on what rules did.
pub fn too_deep(depth: i64) -> Refusal {
    let message = format!("{depth} rules in a row led to this; no more may follow");
    Refusal::new(Reason::StateConflict, message).detail("depth", depth).detail("max", DEPTH_MAX)
}

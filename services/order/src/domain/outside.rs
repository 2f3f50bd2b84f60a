//! What the inventory has told of things outside: labels, goods that partners have, and what partners were asked. It
//! shows and advises; the inventory decides. Nothing is called cancelled at a partner without its word.

use serde::{Deserialize, Serialize};
use types::{ChangeOrderId, Reason, Refusal, Timestamp};

use super::history::{Entry, Fact, Happened, Visibility};
use super::order::{Actor, Order};

/// The picture of one order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Outside {
    pub labels: Vec<Label>,
    pub handed: Vec<Handed>,
    pub legs: Vec<Leg>,
}

/// A carrier's label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    pub label_id: String,
    pub fulfillment_id: String,
    pub tracking_number: String,
    pub state: String,
    pub credit: String,
    pub refusal: String,
    pub currency: String,
    pub cost_minor: i64,
}

/// Goods that a partner was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    pub fulfillment_id: String,
    pub integration: String,
    pub external_number: String,
    pub submitted_at: String,
    /// The first way to stop it, and until when; empty without a window.
    pub method: String,
    pub window_closes_at: String,
    pub confirmation_required: bool,
    pub needs_reason: bool,
    /// The reasons that it knows, where it wants one.
    #[serde(default)]
    pub reasons: Vec<String>,
}

/// One partner's part in one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    pub task_id: String,
    pub change_order_id: String,
    pub fulfillment_id: String,
    pub integration: String,
    pub external_number: String,
    pub state: LegState,
    pub method: String,
    pub detail: String,
    pub shipped_after_cancel: bool,
    pub updated_at: String,
}

/// A request that goes by e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerMail {
    pub address: String,
    pub units: i64,
    pub reason: String,
    pub note: String,
    pub deadline_at: String,
    pub leg: Leg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegState {
    NotSent,
    Sent,
    Acked,
    Rejected,
    Unconfirmed,
    /// A person has to ask.
    Manual,
    /// The change was put back.
    Withdrawn,
}

impl LegState {
    /// From the state of the inventory's task.
    pub fn of_task(state: &str, method: &str, sent: bool) -> Option<Self> {
        const ENDED: [(&str, LegState); 5] = [
            ("accepted", LegState::Acked),
            ("rejected", LegState::Rejected),
            ("expired", LegState::Rejected),
            ("unconfirmed", LegState::Unconfirmed),
            ("withdrawn", LegState::Withdrawn),
        ];
        if state != "requested" {
            return ENDED.iter().find(|(name, _)| *name == state).map(|(_, leg)| *leg);
        }
        // A mail without an address was not sent either.
        let by_hand = method != "api";
        Some(if sent {
            Self::Sent
        } else if by_hand {
            Self::Manual
        } else {
            Self::NotSent
        })
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Sent => "sent",
            Self::Acked => "acked",
            Self::Rejected => "rejected",
            Self::Unconfirmed => "unconfirmed",
            Self::Manual => "manual",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Label {
    pub fn can_be_voided(&self) -> bool {
        ["purchased", "void_refused"].contains(&self.state.as_str())
    }
}

impl Handed {
    /// Whether its partner's program can still be asked to stop it, as far as is known.
    pub fn has_button(&self, now: Timestamp) -> bool {
        let open = || Timestamp::parse(&self.window_closes_at).is_ok_and(|closes| now <= closes);
        self.method == "api" && (self.window_closes_at.is_empty() || open())
    }
}

impl Leg {
    /// Of a cart that sold the order; a partner has goods, and so a fulfilment.
    pub fn is_upstream(&self) -> bool {
        self.fulfillment_id.is_empty()
    }
}

impl Outside {
    /// Refuses a reason that a partner who still has goods would not understand: it would refuse when goods and refund are
    /// held already.
    pub fn check_reason(&self, code: &str) -> Result<(), Refusal> {
        let is_stopped = |handed: &Handed| {
            let of_it = self.legs.iter().filter(|leg| leg.fulfillment_id == handed.fulfillment_id);
            of_it.into_iter().any(|leg| leg.state == LegState::Acked)
        };
        let deaf = |handed: &&Handed| {
            handed.needs_reason && !is_stopped(handed) && !handed.reasons.iter().any(|known| known == code)
        };
        let Some(handed) = self.handed.iter().find(deaf) else { return Ok(()) };
        let known = handed.reasons.join(", ");
        let message =
            format!("{} has goods of the order and wants one of its reasons: {known}", handed.integration);
        Err(Refusal::new(Reason::ReasonRequired, message)
            .field("change.reason_code")
            .detail("integration", &handed.integration)
            .detail("known", known))
    }

    /// Whose rate a cancellation of the order counts against: whoever was given goods of it last.
    pub fn integration(&self) -> &str {
        self.handed.last().map_or("", |handed| &handed.integration)
    }

    /// Whether a label is there to void. The tracking number of one that was voided is kept all the same.
    pub fn has_label(&self) -> bool {
        self.labels.iter().any(Label::can_be_voided)
    }

    /// Whether a program of a partner that has goods can still be asked to stop, as far as is known.
    pub fn has_button(&self, now: Timestamp) -> bool {
        self.handed.iter().any(|handed| handed.has_button(now))
    }

    pub fn legs_of(&self, change: &ChangeOrderId) -> Vec<Leg> {
        self.legs.iter().filter(|leg| leg.change_order_id == change.as_str()).cloned().collect()
    }
}

/// A label was attached, or has come further.
pub fn record_label(order: &mut Order, label: Label, now: Timestamp) -> Happened {
    let known = order.outside.labels.iter_mut().find(|known| known.label_id == label.label_id);
    let what = match (label.state.as_str(), label.credit.as_str()) {
        ("purchased", _) => ("label.attached", "a label was attached".to_owned()),
        ("void_requested", _) => {
            ("label.void_requested", "the carrier was asked to void the label and refund it".to_owned())
        }
        ("voided", credit @ ("granted" | "denied")) => (
            if credit == "granted" { "label.refund_granted" } else { "label.refund_refused" },
            format!("the label is void; its refund was {credit}"),
        ),
        ("voided", _) => ("label.voided", "the label is void; its refund was requested".to_owned()),
        (state, _) => {
            ("label.void_refused", format!("the carrier did not void the label ({state}: {})", label.refusal))
        }
    };
    let summary = format!("{}, tracking number {}", what.1, label.tracking_number);
    match known {
        Some(known) => *known = label,
        None => order.outside.labels.push(label),
    }
    told(order, now, what.0, summary, None)
}

/// A partner was given goods.
pub fn record_handover(order: &mut Order, handed: Handed, now: Timestamp) -> Happened {
    let summary = format!("{} has goods under number {}", handed.integration, handed.external_number);
    order.outside.handed.retain(|known| known.fulfillment_id != handed.fulfillment_id);
    order.outside.handed.push(handed);
    told(order, now, "partner.submitted", summary, None)
}

/// A partner's part has moved.
pub fn record_leg(order: &mut Order, leg: Leg, now: Timestamp) -> Happened {
    let event = if leg.shipped_after_cancel {
        "partner.shipped_after_cancel".to_owned()
    } else {
        format!("{}.{}", if leg.is_upstream() { "cart" } else { "partner" }, leg.state.as_str())
    };
    let detail = if leg.detail.is_empty() { String::new() } else { format!(": {}", leg.detail) };
    let what = if leg.is_upstream() { "telling of" } else { "stopping" };
    let summary = format!(
        "{what} number {} at {} by {} is {}{detail}",
        leg.external_number,
        leg.integration,
        leg.method,
        leg.state.as_str()
    );
    let change = ChangeOrderId::parse(&leg.change_order_id).ok();
    match order.outside.legs.iter_mut().find(|known| known.task_id == leg.task_id) {
        Some(known) => *known = leg,
        None => order.outside.legs.push(leg),
    }
    told(order, now, &event, summary, change)
}

/// As [`record_leg`], with the mail that asks.
pub fn record_mail(order: &mut Order, mail: PartnerMail, now: Timestamp) -> Happened {
    let happened = record_leg(order, mail.leg.clone(), now);
    happened.fact(Fact::PartnerMail {
        order_id: order.order_id.clone(),
        order_number: order.number.clone(),
        mail: Box::new(mail),
    })
}

fn told(
    order: &mut Order,
    now: Timestamp,
    event: &str,
    summary: String,
    change: Option<ChangeOrderId>,
) -> Happened {
    order.version += 1;
    let mut entry = Entry::new(now, Actor::system(), event, summary).visible_to(Visibility::Parties);
    entry.change_order_id = change;
    Happened::default().entry(entry)
}

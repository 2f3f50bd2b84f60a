//! Who is told that an order is cancelled: carts that sold it, upstream, and partners that have goods of it, downstream.
//! Every external reference names a cart; what its profile says, knows the inventory.

use std::collections::BTreeSet;

use types::{ChangeOrderId, Reason, Refusal};

use super::change::{ChangeLine, ChangeOrder};
use super::order::{ExternalReference, Order};
use super::outside::{Leg, LegState, Outside};

/// What the inventory says of a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartStanding {
    pub system: String,
    /// By the cancellation itself.
    pub told: bool,
    /// By a rule, where there is one.
    pub told_by_rule: bool,
    /// Why it is never told, whatever is cancelled.
    pub never: Option<Outlook>,
    pub method: String,
}

/// Whether an outsider will be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    pub target: String,
    pub reference: String,
    pub upstream: bool,
    pub method: String,
    pub outlook: Outlook,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    Told,
    ToldByRule,
    NoRule,
    NoProfile,
    NotACart,
    TakesNoNotification,
    /// The order is not cancelled: a cart is told of nothing less.
    UnitsAreLeft,
}

/// Who would be told of a change; `told_by_rules` are the systems that enabled rules tell, `nothing_left` says whether it cancels
/// the order.
pub fn foresee(
    order: &Order,
    carts: &[CartStanding],
    told_by_rules: &BTreeSet<String>,
    nothing_left: bool,
) -> Vec<Forecast> {
    let upstream = order.references.iter().filter_map(|name| {
        let standing = carts.iter().find(|standing| standing.system == name.system)?;
        Some(Forecast {
            target: name.system.clone(),
            reference: name.reference.clone(),
            upstream: true,
            method: standing.method.clone(),
            outlook: outlook(standing, told_by_rules, nothing_left),
        })
    });
    let downstream = order.outside.handed.iter().map(|handed| Forecast {
        target: handed.integration.clone(),
        reference: handed.external_number.clone(),
        upstream: false,
        method: handed.method.clone(),
        outlook: Outlook::Told,
    });
    upstream.chain(downstream).collect()
}

fn outlook(standing: &CartStanding, told_by_rules: &BTreeSet<String>, nothing_left: bool) -> Outlook {
    if let Some(never) = standing.never {
        never
    } else if !nothing_left {
        Outlook::UnitsAreLeft
    } else if standing.told {
        Outlook::Told
    } else if standing.told_by_rule && told_by_rules.contains(&standing.system) {
        Outlook::ToldByRule
    } else {
        Outlook::NoRule
    }
}

/// The carts that are told with the decision: those that sold the order, if nothing of it is left by then.
pub fn told_with(order: &Order, taken: &[ChangeLine]) -> Vec<ExternalReference> {
    if cancels(order, taken) { order.references.clone() } else { Vec::new() }
}

/// Whether nothing is left of the order without these units.
pub fn cancels(order: &Order, taken: &[ChangeLine]) -> bool {
    order.units().net() == taken.iter().map(|line| line.quantity).sum::<i64>()
}

/// The carts that were told, or are being told, that the order is cancelled.
pub fn told_of_the_cancellation(order: &Order) -> Vec<Leg> {
    let told = |leg: &&Leg| match leg.state {
        LegState::Sent | LegState::Acked | LegState::Unconfirmed | LegState::Manual => leg.is_upstream(),
        LegState::NotSent | LegState::Rejected | LegState::Withdrawn => false,
    };
    order.outside.legs.iter().filter(told).cloned().collect()
}

/// What has happened at each outsider, with the carts that nobody has told anything.
pub fn targets(order: &Order) -> Vec<Leg> {
    let unsent = order.references.iter().filter(|name| !is_told(&order.outside, name, None));
    order.outside.legs.iter().cloned().chain(unsent.map(|name| not_sent(name, ""))).collect()
}

/// As [`targets`], of one change; a cart is a target of a change that cancels the order.
pub fn targets_of(order: &Order, change: &ChangeOrder) -> Vec<Leg> {
    let id = &change.change_order_id;
    let mut legs = order.outside.legs_of(id);
    let unsent = change.terms.carts.iter().filter(|name| !is_told(&order.outside, name, Some(id)));
    legs.extend(unsent.map(|name| not_sent(name, id.as_str())));
    legs
}

/// What a rule has told to a cart: the change that cancelled the order, and the order's name there.
pub fn cancelled_at<'a>(
    order: &'a Order,
    target: &str,
) -> Result<(&'a ChangeOrderId, &'a ExternalReference), Refusal> {
    let Some(name) = order.references.iter().find(|name| name.system == target) else {
        let message = format!("order {} has no name in {target}", order.number);
        return Err(Refusal::new(Reason::StateConflict, message).detail("target", target));
    };
    if let Some(change) = &order.change_in_progress {
        let message = format!("change {change} holds the order; nothing is decided yet");
        return Err(Refusal::new(Reason::ChangeInProgress, message).detail("change_order_id", change));
    }
    let change = order.cancelled_by_change.as_ref().ok_or_else(|| {
        let message = format!("order {} is not cancelled; {target} is told of nothing less", order.number);
        Refusal::new(Reason::StateConflict, message).detail("target", target)
    })?;
    Ok((change, name))
}

fn is_told(outside: &Outside, name: &ExternalReference, change: Option<&ChangeOrderId>) -> bool {
    outside.legs.iter().any(|leg| {
        leg.is_upstream()
            && leg.integration == name.system
            && change.is_none_or(|change| leg.change_order_id == change.as_str())
    })
}

fn not_sent(name: &ExternalReference, change_order_id: &str) -> Leg {
    Leg {
        task_id: String::new(),
        change_order_id: change_order_id.to_owned(),
        fulfillment_id: String::new(),
        integration: name.system.clone(),
        external_number: name.reference.clone(),
        state: LegState::NotSent,
        method: String::new(),
        detail: "nobody has told it anything".to_owned(),
        shipped_after_cancel: false,
        updated_at: String::new(),
    }
}

impl Outlook {
    pub const fn is_told(self) -> bool {
        match self {
            Self::Told | Self::ToldByRule => true,
            Self::NoRule
            | Self::NoProfile
            | Self::NotACart
            | Self::TakesNoNotification
            | Self::UnitsAreLeft => false,
        }
    }

    /// For programs; empty for one that is told.
    pub const fn why_not(self) -> &'static str {
        match self {
            Self::Told | Self::ToldByRule => "",
            Self::NoRule => "NO_RULE",
            Self::NoProfile => "NO_PROFILE",
            Self::NotACart => "NOT_A_CART",
            Self::TakesNoNotification => "TAKES_NO_NOTIFICATION",
            Self::UnitsAreLeft => "UNITS_ARE_LEFT",
        }
    }

    /// For people.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Told => "will be told",
            Self::ToldByRule => "will be told by a rule",
            Self::NoRule => "will not be told: no rule",
            Self::NoProfile => "will not be told: no profile describes it",
            Self::NotACart => "will not be told: it is no cart",
            Self::TakesNoNotification => "will not be told: it takes no notification",
            Self::UnitsAreLeft => "will not be told: units of the order are left",
        }
    }
}

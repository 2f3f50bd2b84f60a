//! What may be cancelled now, by whom, and how advisable it is.
//!
//! The answer is advice and no decision: submitting a change asks the policy and computes the price again, inside its commit.

use serde::{Deserialize, Serialize};
use types::{LineId, Reason, Refusal, Timestamp};

use super::change::ChangeType;
use super::order::{Actor, Order, OrderState, Placement};
use super::policy::{Ack, Capability, Edition, Grant, Permission, Policy, Standing, Warning, standing};
use super::pricing::fee_of_everything;
use super::selection::{allocated, available, nothing_open, why_not};
use super::workflow::{self, Step};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelability {
    pub allowed: bool,
    pub blockers: Vec<Refusal>,
    pub warnings: Vec<Warning>,
    pub required_acks: Vec<Ack>,
    /// By line number.
    pub lines: Vec<LineCancelability>,
    pub advice: Advice,
    /// The names of the RPCs that make sense now.
    pub allowed_actions: Vec<&'static str>,
    pub window_closes_at: Option<Timestamp>,
    pub policy_version: String,
    /// The rule that decided.
    pub rule: String,
    pub grant: Option<Grant>,
    pub impact: Impact,
    /// What makes sense for each step of fulfilment that some units have reached.
    pub steps: Vec<Step>,
    /// What the tenant's edition does not include.
    pub edition_blockers: Vec<Refusal>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineCancelability {
    pub line_id: LineId,
    pub line_number: i64,
    pub sku: String,
    pub available_to_cancel: i64,
    pub blockers: Vec<Refusal>,
}

/// How much of other people's work a cancellation of everything would undo, as far as this service knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Impact {
    /// Units that are in a fulfilment and have not left.
    pub allocated_units: i64,
    /// Units that the warehouse floor or a partner was given.
    pub submitted_units: i64,
    pub shipped_units: i64,
    pub fee_minor: i64,
}

/// How much a cancellation would disturb others now, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    Safe,
    /// The supplier has confirmed: talk to them first. This is a warning and blocks nothing.
    ContactFirst,
    /// Work has begun: talk to the supplier immediately before cancelling.
    Urgent,
    TooLate,
    /// The goods were delivered: only a return can still be agreed.
    Completed,
}

pub fn cancelability(
    order: &Order,
    policy: &Policy,
    edition: &Edition,
    actor: &Actor,
    now: Timestamp,
) -> Cancelability {
    let standing = standing(policy, order, actor, now);
    let units = edition.units(policy.document.units);
    let can = order.lines.iter().any(|line| available(line, units) > 0);
    let barred = may_submit(order, ChangeType::CancelOrder).err().or_else(|| standing.refusal.clone());
    let allowed = barred.is_none() && can;
    let blockers = match barred {
        Some(refusal) => vec![refusal],
        None if can => Vec::new(),
        None => vec![held_back(order, policy, edition)],
    };
    let lines = order.lines.iter().map(|line| {
        let own = why_not(line, units).into_iter().collect();
        LineCancelability {
            line_id: line.line_id.clone(),
            line_number: line.line_number,
            sku: line.sku.clone(),
            available_to_cancel: if allowed { available(line, units) } else { 0 },
            blockers: if allowed { own } else { blockers.clone() },
        }
    });
    Cancelability {
        allowed,
        lines: lines.collect(),
        advice: advice(&standing, order.units().open > 0),
        allowed_actions: actions(
            order,
            allowed,
            policy.grants(&actor.role).holds(Permission::OrderProcess),
            now,
        ),
        warnings: if allowed { standing.warnings } else { Vec::new() },
        required_acks: if allowed { standing.required_acks } else { Vec::new() },
        window_closes_at: standing.window_closes_at.filter(|_| allowed),
        policy_version: policy.version_text(),
        rule: standing.rule,
        grant: standing.grant,
        impact: impact(order, policy),
        steps: workflow::steps(order, units, allowed, now),
        edition_blockers: edition.blockers(),
        blockers,
    }
}

/// Refuses a preview of an order that accepts no change at all.
pub fn may_preview(order: &Order) -> Result<(), Refusal> {
    match &order.placement {
        Placement::Placing => Err(still_placing(order)),
        Placement::Failed(cause) => Err(never_placed(order, cause)),
        Placement::Open => free(order),
    }
}

/// Refuses a change while another change holds the order, whatever policy and quantities say.
pub fn may_submit(order: &Order, change_type: ChangeType) -> Result<(), Refusal> {
    match &order.placement {
        Placement::Placing if change_type != ChangeType::CancelOrder => Err(still_placing(order)),
        Placement::Placing | Placement::Open => free(order),
        Placement::Failed(cause) => Err(never_placed(order, cause)),
    }
}

/// The advice of the policy's rule, or `TooLate` when nothing can be cancelled any more.
pub fn advice(standing: &Standing<'_>, open: bool) -> Advice {
    if open { standing.advice } else { standing.advice.max(Advice::TooLate) }
}

fn free(order: &Order) -> Result<(), Refusal> {
    match &order.change_in_progress {
        None => Ok(()),
        Some(change) => {
            let message = format!("change {change} holds the order; try again when it has ended");
            Err(Refusal::new(Reason::ChangeInProgress, message).detail("change_order_id", change))
        }
    }
}

fn still_placing(order: &Order) -> Refusal {
    let message =
        format!("order {} is still being placed; only all of it can be cancelled now", order.number);
    Refusal::new(Reason::ChangeInProgress, message).detail("order_id", &order.order_id)
}

/// The placement failed and was compensated, so there is nothing to change.
fn never_placed(order: &Order, cause: &Refusal) -> Refusal {
    let message = format!("order {} was never placed: {}", order.number, cause.message);
    Refusal::new(Reason::NothingToCancel, message).detail("cause", cause.reason.as_str())
}

/// Why no unit can be cancelled: none are left, or the edition or the policy forbids it.
fn held_back(order: &Order, policy: &Policy, edition: &Edition) -> Refusal {
    let let_go = order.lines.iter().any(|line| available(line, policy.document.units) > 0);
    if let_go && let Err(refusal) = edition.check(Capability::CancelAfterShip) {
        return refusal;
    }
    let open = order.lines.iter().find(|line| line.quantities.open > 0);
    open.and_then(|line| why_not(line, policy.document.units)).unwrap_or_else(|| nothing_open(order))
}

fn impact(order: &Order, policy: &Policy) -> Impact {
    let sum = |of: fn(&super::order::Line) -> i64| order.lines.iter().map(of).sum();
    Impact {
        allocated_units: sum(allocated),
        submitted_units: sum(|line| line.progress.submitted),
        shipped_units: sum(|line| line.quantities.fulfilled),
        fee_minor: fee_of_everything(order, &policy.document),
    }
}

/// `processes` says whether the caller may confirm and start work.
fn actions(order: &Order, allowed: bool, processes: bool, now: Timestamp) -> Vec<&'static str> {
    let state = order.state();
    let open = order.placement == Placement::Open;
    let held = order.change_in_progress.is_some();
    let free = !held && order.awaits_payment.is_none();
    let may = [
        ("PreviewChangeOrder", allowed && open),
        ("SubmitChangeOrder", allowed),
        ("WithdrawChangeOrder", held && open),
        ("StopPartnerByApi", allowed && order.outside.has_button(now)),
        ("VoidLabel", !held && order.outside.has_label()),
        ("ConfirmOrder", processes && free && state == OrderState::Pending),
        (
            "StartProcessing",
            processes && free && matches!(state, OrderState::Pending | OrderState::Confirmed),
        ),
        ("PayOrder", !held && order.awaits_payment.is_some()),
        ("RestoreOrder", !held && state == OrderState::Cancelled),
    ];
    may.into_iter().filter_map(|(action, sensible)| sensible.then_some(action)).collect()
}

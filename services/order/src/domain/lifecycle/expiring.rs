//! Orders that are not paid in time: the clock warns first and then ends them, as the policy says.

use std::time::Duration;

use types::{Money, Reason, Refusal, Timestamp};

use super::authored::Author;
use super::move_units;
use crate::domain::cancelability;
use crate::domain::change::{ChangeOrder, ChangeType, Terms};
use crate::domain::history::{Entry, Fact, Happened, Visibility};
use crate::domain::order::{Actor, Order};
use crate::domain::policy::Policy;
use crate::domain::pricing;
use crate::domain::propagation::told_with;
use crate::domain::quantities::Quantities;

/// What the clock has to do about an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    Nothing,
    /// Warn until when the order has to be paid.
    Warning,
    Expiry,
}

/// What is due for an order at an instant. Nothing is ever due for an order without a time limit.
pub fn due(order: &Order, policy: &Policy, now: Timestamp) -> Due {
    match expires_at(order, policy) {
        Some(end) if end <= now => Due::Expiry,
        Some(end) if end <= now.plus(seconds(policy.document.expiry.warn_seconds)) => Due::Warning,
        Some(_) | None => Due::Nothing,
    }
}

fn expires_at(order: &Order, policy: &Policy) -> Option<Timestamp> {
    let unpaid = policy.document.expiry.unpaid_seconds?;
    order.awaits_payment.map(|awaited| awaited.since.plus(seconds(unpaid)))
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(u64::from(count))
}

/// Warns until when the order has to be paid. None if that is not due, or the order was paid meanwhile.
pub fn warn_of_expiry(order: &Order, policy: &Policy, now: Timestamp) -> Option<Happened> {
    if due(order, policy, now) == Due::Nothing {
        return None;
    }
    let expires_at = expires_at(order, policy)?;
    let summary =
        format!("order {} has to be paid until {expires_at}, or what is open is cancelled", order.number);
    let entry = Entry::new(now, Actor::system(), "order.expiring", summary).visible_to(Visibility::Parties);
    let fact = Fact::OrderExpiring { order: order.summary(), expires_at };
    Some(Happened::default().entry(entry).fact(fact))
}

/// Cancels everything open of an order whose time is up, without a fee.
pub fn accept_expiry(order: &mut Order, author: &Author<'_>) -> Result<(ChangeOrder, Happened), Refusal> {
    cancelability::may_submit(order, ChangeType::Expire)?;
    if due(order, author.policy, author.now) != Due::Expiry {
        return Err(Refusal::new(Reason::StateConflict, "the order is not due to expire"));
    }
    let mut change = author.opened(order, ChangeType::Expire, "unpaid-orders-expire");
    change.terms = Terms { shipping: author.policy.document.shipping, ..change.terms };
    "NOT_PAID".clone_into(&mut change.reason_code);
    let open = order.lines.iter().filter(|line| line.quantities.open > 0);
    let lines = open.map(|line| pricing::plain_line(line, line.quantities.open)).collect();
    let priced = pricing::reprice(order, lines, &change.terms, 0);
    change.amounts = priced.amounts;
    change.new_total_minor = priced.total_after_minor;
    change.lines = priced.lines;
    change.terms.carts = told_with(order, &change.lines);
    move_units(order, &change, Quantities::hold).expect("the units were just found open");
    order.change_in_progress = Some(change.change_order_id.clone());
    order.version += 1;

    let amount = Money::new(order.currency, change.amounts.amount)?;
    let summary = format!("change {} was accepted: nobody paid in time, {amount}", change.number);
    let entry = Entry::new(author.now, author.actor.clone(), "change_order.accepted", summary)
        .about(&change)
        .because(&change.reason_code, "");
    let fact = Fact::ChangeAccepted { change: Box::new(change.clone()), order: order.summary() };
    Ok((change, Happened::default().entry(entry).fact(fact)))
}

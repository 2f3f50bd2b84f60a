//! Giving money back without taking units: goodwill, or another try at a refund that failed.

use types::money::cumulative;
use types::{Fingerprint, Money, OrderId, Reason, RefundId, Refusal, Timestamp};

use super::authored::Author;
use super::{Defect, unlock};
use crate::domain::cancelability;
use crate::domain::change::{ChangeEvent, ChangeOrder, ChangeType, Parts};
use crate::domain::history::{Entry, Fact, Happened};
use crate::domain::order::{Actor, Order, Placement};
use crate::domain::policy::Permission;

/// Money that somebody wants given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    pub order_id: OrderId,
    pub what: Given,
    pub reason_code: String,
    pub note: String,
    /// Of the canonical request.
    pub content: Fingerprint,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// It lowers what the order comes to.
    Goodwill { amount_minor: i64 },
    /// What is owed since this refund failed; nothing more is taken off the order.
    Again { retry_of: RefundId },
}

/// Accepts it, or refuses it and changes nothing. `changes` are all changes of the order.
pub fn accept_refund(
    order: &mut Order,
    request: &RefundRequest,
    changes: &[ChangeOrder],
    author: &Author<'_>,
) -> Result<(ChangeOrder, Happened), Refusal> {
    cancelability::may_submit(order, ChangeType::RefundOnly)?;
    if order.placement != Placement::Open {
        let message = "the order was never placed; there is nothing to give back";
        return Err(Refusal::new(Reason::StateConflict, message));
    }
    author.must_have(Permission::RefundExecute)?;
    let mut change = author.opened(order, ChangeType::RefundOnly, Permission::RefundExecute.as_str());
    match &request.what {
        Given::Goodwill { amount_minor } => {
            within_limits(order, *amount_minor, author)?;
            let amount = *amount_minor;
            change.amounts = Parts { gross: amount, goods_net: amount, amount, ..Parts::default() };
            change.new_total_minor -= amount;
        }
        Given::Again { retry_of } => {
            failed_before(order, retry_of, changes)?;
            change.terms.retry_of = Some(retry_of.clone());
        }
    }
    change.reason_code.clone_from(&request.reason_code);
    change.note.clone_from(&request.note);
    order.change_in_progress = Some(change.change_order_id.clone());
    order.version += 1;

    let amount = match &request.what {
        Given::Goodwill { amount_minor } => *amount_minor,
        Given::Again { .. } => order.refund_owed_minor,
    };
    let amount = Money::new(order.currency, amount)?;
    let summary = format!("change {} was accepted: give {amount} back", change.number);
    let entry = Entry::new(author.now, author.actor.clone(), "change_order.accepted", summary)
        .about(&change)
        .because(&change.reason_code, &change.note);
    let fact = Fact::ChangeAccepted { change: Box::new(change.clone()), order: order.summary() };
    Ok((change, Happened::default().entry(entry).fact(fact)))
}

/// Not more than the order still comes to, and all goodwill together not more than the policy's share of its price
/// unless the role may go over the limit.
fn within_limits(order: &Order, amount_minor: i64, author: &Author<'_>) -> Result<(), Refusal> {
    let left = order.total_minor().max(0);
    if amount_minor > left {
        let message = format!("the order comes to {left}; no more than that can be given back");
        let refusal = Refusal::new(Reason::ExceedsRefundable, message).field("amount_minor");
        return Err(refusal.detail("refundable_minor", left));
    }
    let limit = author.policy.document.goodwill;
    let most = cumulative(order.placed_minor, limit.basis_points, 10_000);
    if order.goodwill_minor + amount_minor > most
        && !author.policy.permits(&author.actor.role, Permission::RefundOverLimit)
    {
        let message =
            format!("the policy lets {most} be given out of goodwill, {} is given", order.goodwill_minor);
        let refusal = Refusal::new(Reason::ExceedsRefundable, message).field("amount_minor");
        return Err(
            author.explained(refusal.detail("limit_minor", most), Permission::RefundOverLimit.as_str())
        );
    }
    Ok(())
}

/// The refund is one of this order's that the customer does not have, and money is owed.
fn failed_before(order: &Order, retry_of: &RefundId, changes: &[ChangeOrder]) -> Result<(), Refusal> {
    let known =
        changes.iter().flat_map(|change| &change.refunds).find(|refund| refund.refund_id == *retry_of);
    let Some(refund) = known else {
        return Err(Refusal::not_found("Refund", retry_of.as_str()).field("retry_of"));
    };
    if order.refund_owed_minor > 0 && ["declined", "reversed", "manual"].contains(&refund.state.as_str()) {
        return Ok(());
    }
    let message = format!("refund {retry_of} is {}, and {} is owed", refund.state, order.refund_owed_minor);
    Err(Refusal::new(Reason::NotRetryable, message).detail("state", &refund.state))
}

/// The pivot: what the order comes to is lowered, and payment has reserved the money.
pub fn commit_refund(
    order: &mut Order,
    change: &mut ChangeOrder,
    now: Timestamp,
) -> Result<Happened, Defect> {
    let before = order.summary();
    let mut lowered = order.clone();
    lowered.goodwill_minor += change.amounts.amount;
    lowered.await_less(change.amounts.amount);
    // Payment reserved the whole excess, what earlier changes left owed included.
    lowered.refund_owed_minor = 0;
    lowered.version += 1;
    lowered.pricing_version += 1;
    unlock(&mut lowered, change)?;
    change.step(ChangeEvent::Decide)?;
    change.decided_at = Some(now);
    *order = lowered;

    let summary = format!("change {} was committed; money goes back without units", change.number);
    let entry = Entry::new(now, Actor::system(), "change_order.committed", summary)
        .about(change)
        .because(&change.reason_code, "");
    let fact = Fact::ChangeCommitted { change: Box::new(change.clone()), before, after: order.summary() };
    Ok(Happened::default().entry(entry).fact(fact))
}

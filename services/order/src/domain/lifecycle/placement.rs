//! Placing an order: from accepted to open or failed, and on to confirmed and processing.

use types::{Reason, Refusal, Timestamp};

use super::Defect;
use super::decision::decide;
use crate::domain::change::{ChangeEvent, ChangeOrder};
use crate::domain::history::{Entry, Fact, Happened};
use crate::domain::order::{Actor, Order, Placement, Summary};

/// Opens the order: stock is reserved and payment authorised. `confirm` is the policy's choice.
pub fn open_order(order: &mut Order, confirm: bool, now: Timestamp) -> Result<Happened, Defect> {
    if order.placement != Placement::Placing {
        return Err(Defect::NotPlacing);
    }
    if let Some(holder) = &order.change_in_progress {
        // A change that arrives during the placing asks the saga to compensate in the same commit.
        return Err(Defect::NotTheHolder {
            held_by: holder.to_string(),
            change: "the place saga".to_owned(),
        });
    }
    let before = order.state();
    order.placement = Placement::Open;
    order.confirmed_at = confirm.then_some(now);
    order.version += 1;

    let outcome = if confirm { "placed and confirmed" } else { "placed" };
    let summary = format!("order {} was {outcome}", order.number);
    Ok(Happened::default()
        .entry(Entry::new(now, Actor::system(), "order.placed", summary))
        .fact(Fact::OrderPlaced { order: order.summary(), elsewhere: order.placed_at.is_some() })
        .progressed(before, order))
}

/// The place saga has compensated. A change that waits for that gets what it asked for: its units are cancelled and it completes, because no
/// money ever moved.
pub fn fail_placement(
    order: &mut Order,
    change: Option<&mut ChangeOrder>,
    cause: Refusal,
    now: Timestamp,
) -> Result<Happened, Defect> {
    if order.placement != Placement::Placing {
        return Err(Defect::NotPlacing);
    }
    let before = order.summary();
    let change = match change {
        Some(change) => {
            decide(order, change, now)?;
            change.step(ChangeEvent::Complete)?;
            change.finished_at = Some(now);
            Some(change)
        }
        None => None,
    };
    order.placement = Placement::Failed(cause.clone());
    order.version += 1;

    let summary = format!("order {} was not placed: {}", order.number, cause.message);
    let entry = Entry::new(now, Actor::system(), "order.placement_failed", summary)
        .because(cause.reason.as_str(), "");
    let happened =
        Happened::default().entry(entry).fact(Fact::OrderPlacementFailed { order: order.summary(), cause });
    Ok(match change {
        Some(change) => cancelled_while_placing(happened, order, change, before, now),
        None => happened,
    })
}

fn cancelled_while_placing(
    happened: Happened,
    order: &Order,
    change: &ChangeOrder,
    before: Summary,
    now: Timestamp,
) -> Happened {
    let summary = format!("change {} was completed before the order was placed", change.number);
    let entry = Entry::new(now, Actor::system(), "change_order.completed", summary).about(change);
    let after = order.summary();
    happened
        .entry(entry)
        .fact(Fact::ChangeCommitted { change: Box::new(change.clone()), before, after: after.clone() })
        .fact(Fact::ChangeCompleted { change: Box::new(change.clone()), order: after })
}

/// Confirms a pending order. An order that is confirmed already stays as it is.
pub fn confirm(order: &mut Order, actor: Actor, now: Timestamp) -> Result<Happened, Refusal> {
    live(order, "confirmed")?;
    if order.confirmed_at.is_some() {
        return Ok(Happened::default());
    }
    let before = order.state();
    order.confirmed_at = Some(now);
    order.version += 1;
    let summary = format!("order {} was confirmed", order.number);
    Ok(Happened::default()
        .entry(Entry::new(now, actor, "order.confirmed", summary))
        .progressed(before, order))
}

/// Records that work has begun. An order that is in work already stays as it is.
pub fn start_processing(order: &mut Order, actor: Actor, now: Timestamp) -> Result<Happened, Refusal> {
    live(order, "taken into work")?;
    if order.processing_at.is_some() {
        return Ok(Happened::default());
    }
    let before = order.state();
    // Beginning to work on an order confirms it.
    order.confirmed_at.get_or_insert(now);
    order.processing_at = Some(now);
    order.version += 1;
    let summary = format!("work on order {} has begun", order.number);
    Ok(Happened::default()
        .entry(Entry::new(now, actor, "order.processing_started", summary))
        .progressed(before, order))
}

/// Refuses an order of which nothing is left.
fn live(order: &Order, verb: &str) -> Result<(), Refusal> {
    let refuse = |reason: Reason, why: &str| {
        let message = format!("order {} cannot be {verb}: {why}", order.number);
        Err(Refusal::new(reason, message).detail("state", order.state().as_str()))
    };
    match order.placement {
        Placement::Placing => refuse(Reason::StateConflict, "it is still being placed"),
        Placement::Failed(_) => refuse(Reason::PlacementFailed, "it was never placed"),
        Placement::Open if order.awaits_payment.is_some() => {
            refuse(Reason::PaymentRequired, "it waits for its payment")
        }
        Placement::Open if order.units().net() == 0 => refuse(Reason::StateConflict, "nothing of it is left"),
        Placement::Open => Ok(()),
    }
}

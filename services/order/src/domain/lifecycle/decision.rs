//! The decision about an accepted change: the pivot commits it, or the saga compensates and rejects it.

use std::collections::BTreeMap;

use types::{LineId, Money, Reason, Refusal, Timestamp};

use super::amending::lower_prices;
use super::{Defect, move_units, unlock};
use crate::domain::added_line;
use crate::domain::change::{ChangeEvent, ChangeOrder, ChangeState, ChangeType, GroupReversal};
use crate::domain::history::{Entry, Fact, Happened};
use crate::domain::order::{Actor, Order, Placement};
use crate::domain::pricing::{self, parts_of};
use crate::domain::quantities::Quantities;

/// What withdrawing a change leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withdrawal {
    /// The change was not accepted yet, and is simply withdrawn.
    Withdrawn(Happened),
    /// The saga has to compensate, for this cause.
    AskSaga { cause: Refusal, happened: Happened },
    /// The saga is compensating already.
    UnderWay,
}

/// The pivot: cancels the units, lowers the totals, and frees the order for the next change.
pub fn commit(order: &mut Order, change: &mut ChangeOrder, now: Timestamp) -> Result<Happened, Defect> {
    let before = order.summary();
    decide(order, change, now)?;
    order.decide_worth();

    let after = order.summary();
    let total = Money::new(order.currency, order.total_minor())
        .map_or_else(|_| order.total_minor().to_string(), |total| total.to_string());
    let summary = format!("change {} was committed; the order comes to {total}", change.number);
    let entry = Entry::new(now, Actor::system(), "change_order.committed", summary)
        .about(change)
        .because(&change.reason_code, "");
    let state_before = before.state;
    let fact = Fact::ChangeCommitted { change: Box::new(change.clone()), before, after };
    Ok(Happened::default().entry(entry).fact(fact).progressed(state_before, order))
}

/// How many of a change's units had left when the inventory took them, by line. The inventory may know more than its reports have told so far.
/// Then the report counts as heard, so that it moves nothing twice when it arrives.
pub fn learn_shipped(
    order: &mut Order,
    change: &ChangeOrder,
    shipped: &BTreeMap<LineId, i64>,
) -> Result<(), Defect> {
    for taken in &change.lines {
        let line =
            order.line_mut(&taken.line_id).ok_or_else(|| Defect::UnknownLine(taken.line_id.clone()))?;
        let said = shipped.get(&taken.line_id).copied().unwrap_or(0);
        let known = line.quantities.cancel_pending_shipped;
        line.quantities = line.quantities.learn_shipped(said)?;
        line.progress.shipped += (said - known).max(0);
        line.progress.unshipped += (known - said).max(0);
    }
    Ok(())
}

/// Cancels the units and takes their price off the order. Whatever else was agreed happens with it.
pub(super) fn decide(order: &mut Order, change: &mut ChangeOrder, now: Timestamp) -> Result<(), Defect> {
    let mut decided = order.clone();
    if change.change_type == ChangeType::PriceAdjust {
        lower_prices(&mut decided, change)?;
    } else if change.change_type == ChangeType::Address {
        decided.address.clone_from(&change.in_confidence.address);
    } else {
        take_units(&mut decided, change)?;
    }
    unlock(&mut decided, change)?;
    added_line::bring(&mut decided, &change.terms.added);
    // The fee is kept apart: the order's price falls by the whole worth of the units.
    decided.reversed_minor += change.amounts.amount + change.amounts.fee;
    decided.fees_minor += change.amounts.fee;
    // Units that are no longer sold are no longer waited for.
    decided.await_less(change.amounts.amount);
    decided.version += 1;
    decided.pricing_version += 1;
    if change.change_type.takes_units() && decided.units().net() == 0 {
        decided.cancelled_by_change = Some(change.change_order_id.clone());
    }

    change.step(ChangeEvent::Decide)?;
    change.decided_at = Some(now);
    let shipped = order.groups.iter().filter(|group| group.ever_shipped);
    change.shipped_groups = shipped.map(|group| group.delivery_group.clone()).collect();
    *order = decided;
    Ok(())
}

fn take_units(decided: &mut Order, change: &ChangeOrder) -> Result<(), Defect> {
    let reversal = reprice(decided, change)?;
    let leave =
        if change.change_type == ChangeType::Return { Quantities::bring_back } else { Quantities::cancel };
    move_units(decided, change, leave)?;
    for taken in &change.lines {
        let line =
            decided.line_mut(&taken.line_id).ok_or_else(|| Defect::UnknownLine(taken.line_id.clone()))?;
        line.reversed_minor += taken.parts.amount;
    }
    for given_back in reversal {
        let group = decided
            .group_mut(&given_back.delivery_group)
            .expect("the reversal was priced from the groups of this order");
        group.shipping_reversed_minor += given_back.shipping_minor;
        group.shipping_tax_reversed_minor += given_back.shipping_tax_minor;
    }
    Ok(())
}

/// Prices the change's units once more from the frozen rows. While a change holds the order nothing
/// that its price depends on can move, so a difference means that the books are wrong: then nothing
/// is committed, because the refund was reserved for the accepted amount.
fn reprice(order: &Order, change: &ChangeOrder) -> Result<Vec<GroupReversal>, Defect> {
    let mut lines = change.lines.clone();
    for taken in &mut lines {
        let line = order.line(&taken.line_id).ok_or_else(|| Defect::UnknownLine(taken.line_id.clone()))?;
        taken.parts = parts_of(line, taken.quantity);
    }
    let again = pricing::reprice(order, lines, &change.terms, change.amounts.fee);
    if again.amounts.amount != change.amounts.amount || again.lines != change.lines {
        return Err(Defect::PriceMoved {
            accepted_minor: change.amounts.amount,
            repriced_minor: again.amounts.amount,
        });
    }
    Ok(again.shipping)
}

/// The saga begins to compensate, for this cause.
pub fn begin_unwinding(change: &mut ChangeOrder, cause: Refusal, now: Timestamp) -> Result<Happened, Defect> {
    change.step(ChangeEvent::Unwind)?;
    let summary = format!("change {} is being put back: {}", change.number, cause.message);
    let entry = Entry::new(now, Actor::system(), "change_order.unwinding", summary)
        .about(change)
        .because(cause.reason.as_str(), "");
    change.cause = Some(cause);
    Ok(Happened::default().entry(entry))
}

/// The saga has compensated: the units are open again and the order is free. The cause that was recorded when compensating began stands;
/// `cause` is for a saga that never recorded one.
pub fn reject(
    order: &mut Order,
    change: &mut ChangeOrder,
    cause: Refusal,
    now: Timestamp,
) -> Result<Happened, Defect> {
    let mut rejected = change.clone();
    let mut happened = Happened::default();
    if rejected.state == ChangeState::Executing {
        happened = begin_unwinding(&mut rejected, cause, now)?;
    }
    rejected.step(ChangeEvent::PutBack)?;
    rejected.finished_at = Some(now);

    let mut put_back = order.clone();
    if rejected.change_type.takes_units() {
        move_units(&mut put_back, &rejected, Quantities::put_back)?;
    }
    unlock(&mut put_back, &rejected)?;
    put_back.next_position = None;
    put_back.version += 1;
    (*order, *change) = (put_back, rejected);

    let why = change.cause.clone().expect("a change that is unwinding has a cause");
    let summary = format!("change {} was rejected: {}", change.number, why.message);
    let entry = Entry::new(now, Actor::system(), "change_order.rejected", summary)
        .about(change)
        .because(why.reason.as_str(), "");
    let fact = Fact::ChangeRejected { change: Box::new(change.clone()), order: order.summary() };
    Ok(happened.entry(entry).fact(fact))
}

/// Withdraws a change. Before the decision its saga compensates; after the decision withdrawing is refused.
pub fn withdraw(
    order: &Order,
    change: &mut ChangeOrder,
    actor: &Actor,
    note: &str,
    now: Timestamp,
) -> Result<Withdrawal, Refusal> {
    let entry = |event: &str, summary: String, change: &ChangeOrder| {
        let entry = Entry::new(now, actor.clone(), event, summary).about(change);
        Happened::default().entry(entry.because(Reason::Withdrawn.as_str(), note))
    };
    let decided = |why: &str| {
        let message = format!("change {} cannot be withdrawn: {why}", change.number);
        Err(Refusal::new(Reason::AlreadyDecided, message).detail("state", change.state.as_str()))
    };
    match change.state {
        ChangeState::Draft | ChangeState::Requested => {
            change.step(ChangeEvent::Withdraw).expect("a change that was not accepted may be withdrawn");
            change.finished_at = Some(now);
            let summary = format!("change {} was withdrawn", change.number);
            let fact = Fact::ChangeDropped { change: Box::new(change.clone()), order: order.summary() };
            Ok(Withdrawal::Withdrawn(entry("change_order.withdrawn", summary, change).fact(fact)))
        }
        // The place saga is compensating for this change already, and nothing stops that.
        ChangeState::Executing if order.placement == Placement::Placing => {
            decided("the order is already being taken back")
        }
        ChangeState::Executing => {
            let summary = format!("change {} is to be withdrawn", change.number);
            let cause = Refusal::new(Reason::Withdrawn, format!("{} withdrew the change", actor.user));
            Ok(Withdrawal::AskSaga {
                happened: entry("change_order.withdrawal_requested", summary, change),
                cause,
            })
        }
        ChangeState::Unwinding => Ok(Withdrawal::UnderWay),
        ChangeState::Declined
        | ChangeState::Expired
        | ChangeState::Withdrawn
        | ChangeState::Rejected
        | ChangeState::Settling
        | ChangeState::Completed
        | ChangeState::CompletedWithExceptions => decided("it was decided before"),
    }
}

//! How a decided change ends, and what may still happen to its money after that.

use types::{ChangeOrderId, Money, Reason, RefundId, Refusal, Timestamp};

use super::Defect;
use crate::domain::change::{ChangeEvent, ChangeOrder, ChangeState, Refund, Settlement};
use crate::domain::history::{Entry, Fact, Happened};
use crate::domain::order::{Actor, Order};
use crate::domain::position::Position;

/// How the steps after the pivot ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    pub refunds: Vec<Refund>,
    /// What was paid beyond the new total and was not refunded.
    pub owed_minor: i64,
    /// What else went wrong, and why.
    pub exceptions: Vec<Refusal>,
}

/// Ends the change: nothing more moves by itself. What settlement NONE leaves owed is intended, and no exception.
pub fn finish(
    order: &mut Order,
    change: &mut ChangeOrder,
    settled: Settled,
    now: Timestamp,
) -> Result<Happened, Defect> {
    let mut finished = change.clone();
    for refund in settled.refunds {
        match finished.refunds.iter_mut().find(|known| known.refund_id == refund.refund_id) {
            // What an event has told since the step ended is newer than the step's own answer.
            Some(known) if is_lost(&known.state) => {}
            Some(known) => *known = refund,
            None => finished.refunds.push(refund),
        }
    }
    finished.exceptions.extend(settled.exceptions);
    // What the payment service has told since then is newer than the step's own answer.
    let owed = order.owed();
    finished.refund_owed_minor =
        if owed.pending { settled.owed_minor } else { settled.owed_minor.min(owed.minor) };
    if finished.refund_owed_minor == 0 && !owed.pending {
        let voids = voids(&finished);
        finished.exceptions.retain(|exception| !is_about_money(exception, &voids));
    }
    // An exception that names its refund already says why money is owed.
    if finished.refund_owed_minor > 0
        && finished.settlement == Settlement::Auto
        && finished.exceptions.is_empty()
    {
        finished.exceptions.push(still_owed(finished.refund_owed_minor));
    }
    let event = if finished.exceptions.is_empty() {
        ChangeEvent::Complete
    } else {
        ChangeEvent::CompleteWithExceptions
    };
    finished.step(event)?;
    finished.finished_at = Some(now);
    *change = finished;
    order.version += 1;

    let summary = match change.refund_owed_minor {
        0 => format!("change {} was completed", change.number),
        owed => format!("change {} was completed; {owed} minor units stay owed", change.number),
    };
    let entry = Entry::new(now, Actor::system(), "change_order.completed", summary).about(change);
    let fact = Fact::ChangeCompleted { change: Box::new(change.clone()), order: order.summary() };
    Ok(Happened::default().entry(entry).fact(fact))
}

fn still_owed(owed_minor: i64) -> Refusal {
    let message = format!("{owed_minor} minor units could not be given back and stay owed");
    Refusal::new(Reason::RefundDeclined, message).detail("owed_minor", owed_minor)
}

/// A refund changed after its step had ended. Money that came back is owed again; money that reached the customer after all, perhaps by another
/// refund that replaces this one (`retry_of`), is no longer owed. The order itself never opens again.
pub fn record_refund(
    order: &mut Order,
    change: &mut ChangeOrder,
    refund: Refund,
    retry_of: Option<&RefundId>,
    detail: &str,
    now: Timestamp,
) -> Result<Happened, Defect> {
    let known = change.refunds.iter().position(|known| known.refund_id == refund.refund_id);
    let failed =
        retry_of.and_then(|failed| change.refunds.iter().position(|known| known.refund_id == *failed));
    let was_lost = known.or(failed).is_some_and(|at| is_lost(&change.refunds[at].state));
    let lost = is_lost(&refund.state);
    if lost && !was_lost {
        lose(change, &refund, detail)?;
    } else {
        change.version += 1;
    }
    order.version += 1;

    let event = format!("refund.{}", refund.state);
    let summary = format!("refund {} is {}", refund.refund_id, refund.state);
    let is_issued = refund.state == "succeeded" && change.state == ChangeState::Completed;
    match known {
        Some(at) => change.refunds[at] = refund,
        None => change.refunds.push(refund),
    }
    let happened = Happened::default().entry(Entry::new(now, Actor::system(), event, summary).about(change));
    // The change has ended, so the customer is told of money that came late.
    Ok(if is_issued {
        happened.fact(Fact::ChangeCompleted { change: Box::new(change.clone()), order: order.summary() })
    } else {
        happened
    })
}

fn lose(change: &mut ChangeOrder, refund: &Refund, detail: &str) -> Result<(), Defect> {
    if change.state == ChangeState::Settling {
        // The change has not ended yet; its end will find the exception listed.
        change.version += 1;
    } else {
        change.step(ChangeEvent::LoseRefund)?;
    }
    let message = format!("refund {} was {} after its end: {detail}", refund.refund_id, refund.state);
    change.exceptions.push(
        Refusal::new(Reason::RefundDeclined, message)
            .detail("refund_id", &refund.refund_id)
            .detail("owed_minor", refund.amount_minor),
    );
    Ok(())
}

/// Whether the customer does not have the money. The states are the payment service's words.
fn is_lost(state: &str) -> bool {
    matches!(state, "declined" | "reversed" | "manual")
}

/// What a change has left owed, as the payment service tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOwed {
    pub change_order_id: ChangeOrderId,
    pub owed_minor: i64,
    /// Nothing of it is owed or on its way any more.
    pub mended: bool,
}

/// Records the position that the payment service has told; the order shows it from now on.
pub fn record_owed(order: &mut Order, told: &[Position], now: Timestamp) -> Happened {
    let mut is_other = false;
    for position in told {
        is_other |= order.hear(*position);
    }
    order.version += 1;
    if !is_other {
        return Happened::default();
    }
    let owed = order.owed();
    let amount =
        Money::new(order.currency, owed.minor).map_or_else(|_| owed.minor.to_string(), |it| it.to_string());
    let summary = format!("{amount} is owed to the customer, the payment service says");
    Happened::default().entry(Entry::new(now, Actor::system(), "refund.owed", summary))
}

/// Records in the timeline that somebody has refunded money at the gateway itself.
pub fn record_found(order: &mut Order, amount_minor: i64, kept_minor: i64, now: Timestamp) -> Happened {
    order.version += 1;
    let money =
        |minor| Money::new(order.currency, minor).map_or_else(|_| minor.to_string(), |it| it.to_string());
    let summary = format!(
        "{} was given back at the gateway by somebody else; {} of what was paid is left",
        money(amount_minor),
        money(kept_minor)
    );
    Happened::default().entry(Entry::new(now, Actor::system(), "refund.elsewhere", summary))
}

/// Records what a change that has ended still leaves owed.
pub fn record_left(order: &Order, change: &mut ChangeOrder, left: &LeftOwed, now: Timestamp) -> Happened {
    if change.refund_owed_minor != left.owed_minor {
        change.refund_owed_minor = left.owed_minor;
        change.version += 1;
    }
    if !left.mended {
        return Happened::default();
    }
    let voids = voids(change);
    settle_exceptions(order, change, |exception| is_about_money(exception, &voids), now)
}

/// The change's voids of authorisations. A failed one is an exception, and leaves no money owed.
fn voids(change: &ChangeOrder) -> Vec<String> {
    let voids = change.refunds.iter().filter(|refund| refund.void_of_authorisation);
    voids.map(|refund| refund.refund_id.to_string()).collect()
}

fn is_about_money(exception: &Refusal, voids: &[String]) -> bool {
    exception.reason == Reason::RefundDeclined
        && exception.details.get("refund_id").is_none_or(|refund_id| !voids.contains(refund_id))
}

/// Removes settled exceptions from a change. Without any left it is COMPLETED after all.
pub fn settle_exceptions(
    order: &Order,
    change: &mut ChangeOrder,
    is_settled: impl Fn(&Refusal) -> bool,
    now: Timestamp,
) -> Happened {
    let before = change.exceptions.len();
    change.exceptions.retain(|exception| !is_settled(exception));
    if change.exceptions.len() == before {
        return Happened::default();
    }
    if !change.exceptions.is_empty() || change.step(ChangeEvent::Mend).is_err() {
        change.version += 1;
        return Happened::default();
    }
    let summary = format!("change {} is completed: nothing of it is open any more", change.number);
    let entry = Entry::new(now, Actor::system(), "change_order.mended", summary).about(change);
    let fact = Fact::ChangeCompleted { change: Box::new(change.clone()), order: order.summary() };
    Happened::default().entry(entry).fact(fact)
}

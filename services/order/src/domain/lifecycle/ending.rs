//! How a decided change ends, and what may still happen to its money afterwards.

use types::{Reason, RefundId, Refusal, Timestamp};

use super::Defect;
use crate::domain::change::{ChangeEvent, ChangeOrder, ChangeState, Refund, Settlement};
use crate::domain::history::{Entry, Fact, Happened};
use crate::domain::order::{Actor, Order};

/// How the forward steps ended, all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    pub refunds: Vec<Refund>,
    /// What exceeds the new total and was not given back.
    pub owed_minor: i64,
    /// What else did not go as asked, and why.
    pub exceptions: Vec<Refusal>,
}

/// Nothing more will move by itself. What is owed by settlement NONE is intended, and no exception.
pub fn finish(
    order: &mut Order,
    change: &mut ChangeOrder,
    settled: Settled,
    now: Timestamp,
) -> Result<Happened, Defect> {
    let mut finished = change.clone();
    for refund in settled.refunds {
        match finished.refunds.iter_mut().find(|known| known.refund_id == refund.refund_id) {
            // What was heard of it since the step had ended is newer than the step's own word.
            Some(known) if is_lost(&known.state) => {}
            Some(known) => *known = refund,
            None => finished.refunds.push(refund),
        }
    }
    finished.exceptions.extend(settled.exceptions);
    // An exception that names its refund already says why money is owed.
    if settled.owed_minor > 0 && finished.settlement == Settlement::Auto && finished.exceptions.is_empty() {
        finished.exceptions.push(still_owed(settled.owed_minor));
    }
    finished.refund_owed_minor += settled.owed_minor;
    let event = if finished.exceptions.is_empty() {
        ChangeEvent::Complete
    } else {
        ChangeEvent::CompleteWithExceptions
    };
    finished.step(event)?;
    finished.finished_at = Some(now);
    *change = finished;
    order.refund_owed_minor += settled.owed_minor;
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

/// A refund changed after its step had ended: money that came back is owed again, and money that
/// found its way in the end, be it by another refund that makes this one good (`retry_of`), is not
/// owed any more. The order itself is never opened again.
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
        lose(order, change, &refund, detail)?;
    } else if was_lost && is_settled(&refund.state) {
        let owed = refund.amount_minor.min(change.refund_owed_minor).min(order.refund_owed_minor);
        change.refund_owed_minor -= owed;
        change.version += 1;
        order.refund_owed_minor -= owed;
    } else {
        change.version += 1;
    }
    order.version += 1;

    let event = format!("refund.{}", refund.state);
    let summary = format!("refund {} is {}", refund.refund_id, refund.state);
    match known {
        Some(at) => change.refunds[at] = refund,
        None => change.refunds.push(refund),
    }
    Ok(Happened::default().entry(Entry::new(now, Actor::system(), event, summary).about(change)))
}

fn lose(order: &mut Order, change: &mut ChangeOrder, refund: &Refund, detail: &str) -> Result<(), Defect> {
    if change.state == ChangeState::Settling {
        // It has not ended yet; the end will find the exception listed.
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
    change.refund_owed_minor += refund.amount_minor;
    order.refund_owed_minor += refund.amount_minor;
    Ok(())
}

/// The customer does not have the money. States are the payment service's own words.
fn is_lost(state: &str) -> bool {
    matches!(state, "declined" | "reversed" | "manual")
}

/// The customer has the money.
fn is_settled(state: &str) -> bool {
    matches!(state, "succeeded" | "resolved_externally")
}

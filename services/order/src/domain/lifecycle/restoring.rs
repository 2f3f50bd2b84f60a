//! Restoring a wholly cancelled order: every cancelled unit of every change comes back, or none.
//!
//! The units become open again and the order has its price again, so that another cancellation computes from the beginning and ends where the first
//! one did. Fees are reset; goodwill stays given.

use types::money::cumulative;
use types::{Money, Reason, Refusal, Timestamp};

use super::authored::Author;
use super::{Defect, unlock};
use crate::domain::cancelability;
use crate::domain::change::{ChangeEvent, ChangeLine, ChangeOrder, ChangeType, Parts, Settlement};
use crate::domain::history::{Entry, Fact, Happened};
use crate::domain::order::{Actor, AwaitedPayment, Line, Order, OrderState, Placement};
use crate::domain::placing::NewTender;
use crate::domain::policy::Permission;

/// A request to restore an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreRequest {
    pub order_id: types::OrderId,
    /// They pay exactly what is missing of the order's price. The payment service knows how much that is.
    pub tenders: Vec<NewTender>,
    pub reason_code: String,
    pub note: String,
    /// What the inventory lacks, if it could be asked before.
    pub lacking: Option<Refusal>,
    /// Of the canonical request.
    pub content: types::Fingerprint,
}

/// Accepts a restoration, or refuses it and changes nothing. `settling` are the order's changes that are still moving
/// money.
pub fn accept_restore(
    order: &mut Order,
    request: &RestoreRequest,
    settling: &[ChangeOrder],
    author: &Author<'_>,
) -> Result<(ChangeOrder, Happened), Refusal> {
    cancelability::may_submit(order, ChangeType::Restore)?;
    author.must_have(Permission::Restore)?;
    may_be_restored(order)?;
    nothing_in_flight(settling)?;
    if let Some(lacking) = &request.lacking {
        return Err(lacking.clone());
    }

    let mut change = author.opened(order, ChangeType::Restore, Permission::Restore.as_str());
    // No money goes back. If more is kept than the order costs, it is shown as owed.
    change.settlement = Settlement::None;
    change.reason_code.clone_from(&request.reason_code);
    change.note.clone_from(&request.note);
    change.lines =
        order.lines.iter().filter(|line| line.quantities.cancelled_at_all() > 0).map(came_back).collect();
    change.amounts = Parts::sum_of(&change.lines);
    for group in &order.groups {
        change.amounts.shipping += group.shipping_reversed_minor;
        change.amounts.shipping_tax += group.shipping_tax_reversed_minor;
        change.amounts.amount += group.shipping_reversed_minor + group.shipping_tax_reversed_minor;
    }
    change.new_total_minor = order.total_minor() + change.amounts.amount;
    order.change_in_progress = Some(change.change_order_id.clone());
    order.version += 1;

    let total = Money::new(order.currency, change.new_total_minor)?;
    let summary = format!("change {} was accepted: restore the order to {total}", change.number);
    let entry = Entry::new(author.now, author.actor.clone(), "change_order.accepted", summary)
        .about(&change)
        .because(&change.reason_code, &change.note);
    let fact = Fact::ChangeAccepted { change: Box::new(change.clone()), order: order.summary() };
    Ok((change, Happened::default().entry(entry).fact(fact)))
}

fn may_be_restored(order: &Order) -> Result<(), Refusal> {
    let refuse = |reason: Reason, why: &str| {
        let message = format!("order {} cannot be restored: {why}", order.number);
        Err(Refusal::new(reason, message).detail("state", order.state().as_str()))
    };
    if matches!(order.placement, Placement::Failed(_)) {
        return refuse(Reason::UseReissue, "it was never placed; make it again");
    }
    if order.state() != OrderState::Cancelled {
        return refuse(Reason::StateConflict, "only a wholly cancelled order can be");
    }
    Ok(())
}

/// Refuses while a refund is under way: a refund is never called back.
fn nothing_in_flight(settling: &[ChangeOrder]) -> Result<(), Refusal> {
    let Some(change) = settling.first() else { return Ok(()) };
    let refunds: Vec<&str> =
        settling.iter().flat_map(|change| &change.refunds).map(|refund| refund.refund_id.as_str()).collect();
    let message =
        format!("change {} is still moving money; restore the order when it has ended", change.number);
    Err(Refusal::new(Reason::RefundInFlight, message)
        .detail("change_order_id", &change.change_order_id)
        .detail("refund_ids", refunds.join(",")))
}

/// What all cancelled units of a line were worth. None of the line's units are returned, so the cancelled ones count first.
fn came_back(line: &Line) -> ChangeLine {
    let units = line.quantities.cancelled_at_all();
    let worth = |amount: i64| cumulative(amount, units, line.quantities.ordered);
    let goods_net = worth(line.amounts.goods_net);
    let discount = worth(line.amounts.line_discount + line.amounts.order_discount);
    let tax = worth(line.amounts.tax);
    let tax_beside = if line.amounts.tax_included { 0 } else { tax };
    ChangeLine {
        line_id: line.line_id.clone(),
        line_number: line.line_number,
        sku: line.sku.clone(),
        quantity: units,
        reason_code: String::new(),
        note: String::new(),
        parts: Parts {
            gross: goods_net + discount,
            discount,
            goods_net,
            tax,
            tax_included: line.amounts.tax_included,
            amount: goods_net + tax_beside,
            ..Parts::default()
        },
    }
}

/// The pivot: stock is reserved, and the missing money is authorised or, without tenders, awaited. The end of the change tells what is kept
/// beyond the price.
pub fn commit_restore(
    order: &mut Order,
    change: &mut ChangeOrder,
    missing_minor: i64,
    now: Timestamp,
) -> Result<Happened, Defect> {
    let before = order.summary();
    let mut restored = order.clone();
    for back in &change.lines {
        let line =
            restored.line_mut(&back.line_id).ok_or_else(|| Defect::UnknownLine(back.line_id.clone()))?;
        if line.reversed_minor != back.parts.amount {
            return Err(Defect::PriceMoved {
                accepted_minor: back.parts.amount,
                repriced_minor: line.reversed_minor,
            });
        }
        line.quantities = line.quantities.restore(back.quantity)?;
        line.reversed_minor = 0;
        // The original price stands again, including what was taken off it by agreement.
        line.bases.clear();
    }
    for group in &mut restored.groups {
        group.shipping_reversed_minor = 0;
        group.shipping_tax_reversed_minor = 0;
    }
    restored.reversed_minor -= change.amounts.amount;
    restored.fees_minor = 0;
    restored.decide_worth();
    restored.awaits_payment = (missing_minor > 0).then_some(AwaitedPayment { missing_minor, since: now });
    restored.cancelled_by_change = None;
    restored.version += 1;
    restored.pricing_version += 1;
    unlock(&mut restored, change)?;
    change.step(ChangeEvent::Decide)?;
    change.decided_at = Some(now);
    *order = restored;

    let awaits = if missing_minor > 0 { " and awaits payment" } else { "" };
    let summary =
        format!("change {} was committed; order {} stands again{awaits}", change.number, order.number);
    let entry = Entry::new(now, Actor::system(), "order.restored", summary)
        .about(change)
        .because(&change.reason_code, "");
    let fact = Fact::ChangeCommitted {
        change: Box::new(change.clone()),
        before: before.clone(),
        after: order.summary(),
    };
    Ok(Happened::default().entry(entry).fact(fact).progressed(before.state, order))
}

//! Refunds without units: goodwill, another try at a failed refund, and paying out what is owed.

use types::money::cumulative;
use types::{Fingerprint, Money, OrderId, PaymentId, Reason, RefundId, Refusal, Timestamp};

use super::authored::Author;
use super::{Defect, unlock};
use crate::domain::cancelability;
use crate::domain::change::{ChangeEvent, ChangeOrder, ChangeType, Parts, PayOut, Settlement, TenderRefund};
use crate::domain::history::{Entry, Fact, Happened};
use crate::domain::order::{Actor, Order, Placement};
use crate::domain::policy::{Permission, TenderStrategy};

/// A request to refund money.
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
    /// Goodwill: it lowers the order's price.
    Goodwill { amount_minor: i64 },
    /// What is owed because this refund failed. It goes back to this tender, or to any, the failed one last. The order's price stays as it
    /// is.
    Again { retry_of: RefundId, payment_id: Option<PaymentId> },
    /// What is owed for whatever reason. The order's price stays as it is.
    Owed { pay_out: PayOut, tenders: Vec<TenderRefund> },
}

/// Accepts the refund, or refuses it and changes nothing. `changes` are all changes of the order.
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
            let tax = share_of_tax(order, changes, amount);
            // The price that it lowers includes its tax.
            change.amounts = Parts {
                gross: amount,
                goods_net: amount,
                tax,
                tax_included: true,
                amount,
                ..Parts::default()
            };
            change.new_total_minor -= amount;
        }
        Given::Again { retry_of, payment_id } => {
            failed_before(order, retry_of, changes)?;
            change.terms.retry_of = Some(retry_of.clone());
            if let Some(payment_id) = payment_id {
                change.settlement = Settlement::Explicit;
                change.terms.money.strategy = TenderStrategy::Explicit;
                let amount_minor = order.owed().minor;
                change.terms.tenders = vec![TenderRefund { payment_id: payment_id.clone(), amount_minor }];
            }
        }
        Given::Owed { pay_out, tenders } => {
            is_owed(order, pay_out, tenders)?;
            // The rest stays owed, because nobody asked for it.
            change.settlement = Settlement::Explicit;
            change.terms.pay_out = Some(pay_out.clone());
            if !tenders.is_empty() {
                change.terms.money.strategy = TenderStrategy::Explicit;
                change.terms.tenders.clone_from(tenders);
            }
        }
    }
    change.reason_code.clone_from(&request.reason_code);
    change.note.clone_from(&request.note);
    order.change_in_progress = Some(change.change_order_id.clone());
    order.version += 1;

    let amount = match &request.what {
        Given::Goodwill { amount_minor } => *amount_minor,
        Given::Again { .. } => order.owed().minor,
        Given::Owed { pay_out, tenders } => asked(order, pay_out, tenders),
    };
    let amount = Money::new(order.currency, amount)?;
    let summary = format!("change {} was accepted: give {amount} back", change.number);
    let entry = Entry::new(author.now, author.actor.clone(), "change_order.accepted", summary)
        .about(&change)
        .because(&change.reason_code, &change.note);
    let fact = Fact::ChangeAccepted { change: Box::new(change.clone()), order: order.summary() };
    Ok((change, Happened::default().entry(entry).fact(fact)))
}

/// The share of the remaining tax that belongs to this part of the price. The shares of all parts sum to the tax exactly, because each is computed
/// from what the earlier ones have left.
fn share_of_tax(order: &Order, changes: &[ChangeOrder], amount_minor: i64) -> i64 {
    let in_lines: i64 = order.lines.iter().map(|line| line.left_of(|base| base.tax_minor)).sum();
    let of_shipping: i64 =
        order.groups.iter().map(|group| group.shipping_tax_minor - group.shipping_tax_reversed_minor).sum();
    let given = changes
        .iter()
        .filter(|change| change.change_type == ChangeType::RefundOnly && change.decided_at.is_some());
    let given: i64 = given.map(|change| change.amounts.tax).sum();
    let left = (in_lines + of_shipping - given).max(0);
    cumulative(left, amount_minor, order.total_minor())
}

/// Goodwill is at most the order's price, and all goodwill together is at most the policy's share of that price, unless the role may exceed the
/// limit.
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

fn asked(order: &Order, pay_out: &PayOut, tenders: &[TenderRefund]) -> i64 {
    let named = tenders.iter().map(|tender| tender.amount_minor).reduce(i64::saturating_add);
    pay_out.amount_minor.or(named).unwrap_or(order.owed().minor)
}

/// At most what is owed by the last position. The payment service also checks it against refunds that are under way.
fn is_owed(order: &Order, pay_out: &PayOut, tenders: &[TenderRefund]) -> Result<(), Refusal> {
    let owed = order.owed();
    if owed.pending {
        let message = "the payment service has not told yet what is owed; try again in a moment";
        return Err(Refusal::new(Reason::ConcurrentUpdate, message));
    }
    let asked = asked(order, pay_out, tenders);
    if owed.minor == 0 || asked > owed.minor {
        let message = format!("{} is owed; no more than that can be paid out", owed.minor);
        let refusal = Refusal::new(Reason::ExceedsRefundable, message).field("pay_out.amount_minor");
        return Err(refusal.detail("owed_minor", owed.minor).detail("asked_minor", asked));
    }
    Ok(())
}

/// Checks that the refund belongs to this order and failed, and that money is owed.
fn failed_before(order: &Order, retry_of: &RefundId, changes: &[ChangeOrder]) -> Result<(), Refusal> {
    let known =
        changes.iter().flat_map(|change| &change.refunds).find(|refund| refund.refund_id == *retry_of);
    let Some(refund) = known else {
        return Err(Refusal::not_found("Refund", retry_of.as_str()).field("retry_of"));
    };
    let owed = order.owed().minor;
    if owed > 0 && ["declined", "reversed", "manual"].contains(&refund.state.as_str()) {
        return Ok(());
    }
    let message = format!("refund {retry_of} is {}, and {owed} is owed", refund.state);
    Err(Refusal::new(Reason::NotRetryable, message).detail("state", &refund.state))
}

/// The pivot: lowers the order's price; the payment service has reserved the money.
pub fn commit_refund(
    order: &mut Order,
    change: &mut ChangeOrder,
    now: Timestamp,
) -> Result<Happened, Defect> {
    let before = order.summary();
    let mut lowered = order.clone();
    lowered.goodwill_minor += change.amounts.amount;
    lowered.await_less(change.amounts.amount);
    lowered.decide_worth();
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

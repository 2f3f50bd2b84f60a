//! Paying for an order that was restored without tenders. The order stands, and its goods wait for the money.

use types::{Money, OrderId, Reason, Refusal, Timestamp};

use super::authored::Author;
use super::{Defect, unlock};
use crate::domain::cancelability;
use crate::domain::change::{ChangeEvent, ChangeOrder, ChangeType, Settlement};
use crate::domain::history::{Entry, Fact, Happened};
use crate::domain::order::{Actor, Order};
use crate::domain::placing::NewTender;
use crate::domain::policy::{Permission, grant};

/// Tenders for what is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayRequest {
    pub order_id: OrderId,
    /// They pay exactly what is missing. The payment service knows how much that is.
    pub tenders: Vec<NewTender>,
    /// Of the canonical request.
    pub content: types::Fingerprint,
}

/// Accepts a payment, or refuses it and changes nothing. Roles that may cancel or restore the order may pay for it.
pub fn accept_payment(order: &mut Order, author: &Author<'_>) -> Result<(ChangeOrder, Happened), Refusal> {
    cancelability::may_submit(order, ChangeType::Payment)?;
    if grant(author.policy, order, &author.actor).is_none() {
        author.must_have(Permission::Restore)?;
    }
    let Some(awaited) = order.awaits_payment else {
        let message = format!("nothing of order {} is to be paid", order.number);
        return Err(Refusal::new(Reason::StateConflict, message).detail("state", order.state().as_str()));
    };

    let mut change = author.opened(order, ChangeType::Payment, "pay-what-is-missing");
    change.settlement = Settlement::None;
    order.change_in_progress = Some(change.change_order_id.clone());
    order.version += 1;

    let missing = Money::new(order.currency, awaited.missing_minor)?;
    let summary = format!("change {} was accepted: pay {missing}", change.number);
    let entry = Entry::new(author.now, author.actor.clone(), "change_order.accepted", summary).about(&change);
    let fact = Fact::ChangeAccepted { change: Box::new(change.clone()), order: order.summary() };
    Ok((change, Happened::default().entry(entry).fact(fact)))
}

/// The pivot: the money is captured or authorised.
pub fn commit_payment(
    order: &mut Order,
    change: &mut ChangeOrder,
    now: Timestamp,
) -> Result<Happened, Defect> {
    let before = order.summary();
    let mut paid = order.clone();
    paid.awaits_payment = None;
    paid.decide_worth();
    paid.version += 1;
    unlock(&mut paid, change)?;
    change.step(ChangeEvent::Decide)?;
    change.decided_at = Some(now);
    *order = paid;

    let summary = format!("change {} was committed; order {} is paid", change.number, order.number);
    let entry = Entry::new(now, Actor::system(), "order.paid", summary).about(change);
    let fact = Fact::ChangeCommitted { change: Box::new(change.clone()), before, after: order.summary() };
    Ok(Happened::default().entry(entry).fact(fact))
}

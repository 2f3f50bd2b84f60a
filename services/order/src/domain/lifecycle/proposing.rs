//! Changes that one side asks for and the other answers.
//!
//! ```text
//!   propose / receive_withdrawal ──▶ REQUESTED ──approve──▶ EXECUTING, like any accepted change
//!                                        ├──decline──▶ DECLINED        (a counter-proposal declines, too)
//!                                        ├──expire───▶ EXPIRED, by the clock
//!                                        └──withdraw─▶ WITHDRAWN       (see `decision`)
//! ```
//!
//! A requested change holds nothing and blocks nothing. Its price is computed when it is proposed and again when it is approved. If the two
//! differ, the approval is refused, and the change can be proposed again.

use types::{Ids, Money, Reason, Refusal, Timestamp};

use super::amending::{difference, pays};
use super::authored::Author;
use super::move_units;
use super::offering::{Proposal, may_readdress, offer, worth_so_much};
use crate::domain::added_line::{amount_of, room_for};
use crate::domain::cancelability;
use crate::domain::change::{ChangeEvent, ChangeOrder, ChangeState, ChangeType, Settlement, Terms};
use crate::domain::history::{Entry, Fact, Happened};
use crate::domain::order::{Actor, Order, OrderState, Placement};
use crate::domain::placing::NewTender;
use crate::domain::policy::{Policy, Units};
use crate::domain::pricing::{self, PricedChange};
use crate::domain::propagation::told_with;
use crate::domain::quantities::Quantities;
use crate::domain::selection;
use crate::domain::sides::{Side, may_answer};

/// Stores a proposal with its price. `countered` is the other side's proposal that it answers.
pub fn propose(
    order: &Order,
    proposal: &Proposal,
    countered: Option<&mut ChangeOrder>,
    author: &Author<'_>,
    ids: &Ids,
) -> Result<(ChangeOrder, Happened), Refusal> {
    let mut change = drafted(order, proposal, author, ids)?;
    if !proposal.pays.is_empty() {
        pays(order, &change, &proposal.pays)?;
    }
    let mut happened = Happened::default();
    if let Some(countered) = countered {
        let why = "answered by another proposal";
        happened = decline(order, countered, &author.actor, author.policy, why, author.now)?;
        change.terms.counter_of = Some(countered.change_order_id.clone());
    }
    let summary = format!("change {} was proposed: {}", change.number, comes_to(order, &change)?);
    let entry = Entry::new(author.now, author.actor.clone(), "change_order.proposed", summary)
        .about(&change)
        .because(&change.reason_code, &change.note);
    let fact = Fact::ChangeProposed { change: Box::new(change.clone()), order: order.summary() };
    Ok((change, happened.entry(entry).fact(fact)))
}

/// The proposal as a change that waits for an answer.
pub(super) fn drafted(
    order: &Order,
    proposal: &Proposal,
    author: &Author<'_>,
    ids: &Ids,
) -> Result<ChangeOrder, Refusal> {
    open(order)?;
    not_cancelled(order)?;
    let side = Side::of(order, &author.actor, author.policy)
        .ok_or_else(|| author.explained(no_part(), "two-sided-change"))?;
    made_of(order, proposal.pricing_version)?;
    let offer = offer(order, proposal, &author.policy.document, ids)?;
    let mut change = author.opened(order, offer.kind, "two-sided-change");
    change.terms = Terms { money: change.terms.money.clone(), ..offer.terms };
    change.terms.proposed_by = Some(side);
    change.in_confidence = proposal.in_confidence();
    // A change that both sides agree on has no fee.
    let priced = with_added(pricing::reprice(order, offer.lines, &change.terms, 0), &change);
    asked_for(&mut change, priced);
    change.reason_code.clone_from(&proposal.reason_code);
    change.note.clone_from(&proposal.note);
    change.expires_at = Some(proposal.expires_at);
    Ok(change)
}

/// Checks that the author has seen the current price of the order.
fn made_of(order: &Order, pricing_version: Option<i64>) -> Result<(), Refusal> {
    match pricing_version {
        Some(seen) if seen != order.pricing_version => {
            let message = "the order has changed since the proposal was thought of";
            Err(Refusal::new(Reason::QuoteStale, message)
                .field("pricing_version")
                .detail("pricing_version", order.pricing_version)
                .detail("total_minor", order.total_minor()))
        }
        Some(_) | None => Ok(()),
    }
}

/// What happens to the price, as a sentence for people.
fn comes_to(order: &Order, change: &ChangeOrder) -> Result<String, Refusal> {
    let by = difference(order, change);
    Ok(match (by.to_pay_minor, by.to_give_back_minor) {
        _ if change.change_type == ChangeType::Address => "another address".to_owned(),
        (0, _) => {
            format!("{} less", Money::new(order.currency, order.total_minor() - change.new_total_minor)?)
        }
        (more, _) => format!("{} more", Money::new(order.currency, more)?),
    })
}

/// Added lines raise the order's price.
fn with_added(priced: PricedChange, change: &ChangeOrder) -> PricedChange {
    let total_after_minor = priced.total_after_minor + amount_of(&change.terms.added);
    PricedChange { total_after_minor, ..priced }
}

/// Receives a consumer's withdrawal. It needs no reason, and receiving it does not accept it. `contact` proves that the caller is the
/// consumer.
pub fn receive_withdrawal(
    order: &Order,
    earlier: &[ChangeOrder],
    contact: &str,
    note: &str,
    author: &Author<'_>,
) -> Result<(ChangeOrder, Happened), Refusal> {
    proven(order, contact)?;
    open(order)?;
    if let Some(waiting) = earlier.iter().find(|change| is_waiting_withdrawal(change)) {
        let message = format!("withdrawal {} was received before and is being looked at", waiting.number);
        return Err(Refusal::new(Reason::StateConflict, message)
            .detail("change_order_id", &waiting.change_order_id)
            .detail("received_at", waiting.created_at));
    }
    let mut change = author.opened(order, ChangeType::Withdrawal, "statutory-withdrawal");
    change.terms.shipping = author.policy.document.shipping;
    note.clone_into(&mut change.note);
    let lines = order.lines.iter().filter(|line| line.quantities.open > 0);
    let lines = lines.map(|line| pricing::plain_line(line, line.quantities.open)).collect();
    let priced = pricing::reprice(order, lines, &change.terms, 0);
    asked_for(&mut change, priced);

    let summary = format!("withdrawal {} was received", change.number);
    let entry = Entry::new(author.now, author.actor.clone(), "withdrawal.received", summary).about(&change);
    let fact = Fact::ChangeProposed { change: Box::new(change.clone()), order: order.summary() };
    Ok((change, Happened::default().entry(entry).fact(fact)))
}

/// A caller who does not know the contact learns nothing, not even that the order exists.
fn proven(order: &Order, contact: &str) -> Result<(), Refusal> {
    let known = order.parties.client_contact.trim();
    if !known.is_empty() && known.eq_ignore_ascii_case(contact.trim()) {
        return Ok(());
    }
    Err(Refusal::not_found("Order", &order.number))
}

fn is_waiting_withdrawal(change: &ChangeOrder) -> bool {
    change.change_type == ChangeType::Withdrawal && change.state == ChangeState::Requested
}

fn asked_for(change: &mut ChangeOrder, priced: PricedChange) {
    change.state = ChangeState::Requested;
    change.settlement = Settlement::Auto;
    change.amounts = priced.amounts;
    change.new_total_minor = priced.total_after_minor;
    change.lines = priced.lines;
}

/// The other side agrees: from here on the change holds the order. `tenders` pay the difference to the higher price.
pub fn approve(
    order: &mut Order,
    change: &mut ChangeOrder,
    tenders: &[NewTender],
    actor: &Actor,
    policy: &Policy,
    now: Timestamp,
) -> Result<Happened, Refusal> {
    answerable(change, now)?;
    may_answer(order, change, actor, policy)?;
    cancelability::may_submit(order, change.change_type)?;
    if change.change_type != ChangeType::Withdrawal {
        not_cancelled(order)?;
    }
    if change.lines.is_empty() && change.terms.added.is_empty() && change.change_type.takes_units() {
        let message = "nothing of the order is open any more; agree on a return instead";
        return Err(Refusal::new(Reason::ShippedFirst, message));
    }
    still_agreed(order, change)?;
    pays(order, change, tenders)?;

    let mut held = order.clone();
    if change.change_type.takes_units() {
        // An exchange of goods does not cancel the order.
        if change.terms.added.is_empty() {
            change.terms.carts = told_with(order, &change.lines);
        }
        move_units(&mut held, change, Quantities::hold).expect("the units were just found open");
    }
    held.change_in_progress = Some(change.change_order_id.clone());
    held.version += 1;
    change.step(ChangeEvent::Accept).expect("a requested change may be accepted");
    *order = held;

    let summary = format!("change {} was approved", change.number);
    let entry = Entry::new(now, actor.clone(), "change_order.accepted", summary)
        .about(change)
        .because(&change.reason_code, &change.note);
    let fact = Fact::ChangeAccepted { change: Box::new(change.clone()), order: order.summary() };
    Ok(Happened::default().entry(entry).fact(fact))
}

/// Checks that the change is still possible, at the price that was proposed.
pub(super) fn still_agreed(order: &Order, change: &ChangeOrder) -> Result<(), Refusal> {
    let again = price_again(order, change)?;
    let same = again.amounts == change.amounts && again.total_after_minor == change.new_total_minor;
    // A change of address has no price.
    if same || change.change_type == ChangeType::Address {
        return Ok(());
    }
    let message = "the order changed since the proposal; it has to be proposed again";
    Err(Refusal::new(Reason::QuoteStale, message)
        .detail("quoted_amount_minor", change.amounts.amount)
        .detail("amount_minor", again.amounts.amount)
        .detail("difference_minor", again.amounts.amount - change.amounts.amount)
        .detail("quoted_total_after_minor", change.new_total_minor)
        .detail("total_after_minor", again.total_after_minor))
}

/// Today's price of the change, or a refusal if the change is no longer possible.
pub(super) fn price_again(order: &Order, change: &ChangeOrder) -> Result<PricedChange, Refusal> {
    let mut lines = change.lines.clone();
    for asked in &mut lines {
        let line = order.line(&asked.line_id).expect("a change was made of its order's own lines");
        if change.change_type == ChangeType::PriceAdjust {
            worth_so_much(line, asked.parts.amount)?;
            continue;
        }
        if line.quantities.open < asked.quantity {
            let message =
                format!("{} units of line {} are not open any more", asked.quantity, line.line_number);
            let refusal = selection::why_not(line, Units::Open)
                .unwrap_or_else(|| Refusal::new(Reason::QuantityExceedsAvailable, message));
            return Err(refusal.detail("line_id", &line.line_id).detail("open", line.quantities.open));
        }
        asked.parts = pricing::parts_of(line, asked.quantity);
    }
    if change.change_type == ChangeType::ShippingAdjust {
        pricing::within_what_is_left(order, &change.terms.explicit_shipping)?;
    } else if change.change_type == ChangeType::Address {
        may_readdress(order)?;
    }
    room_for(order, &change.terms.added)?;
    Ok(with_added(pricing::reprice(order, lines, &change.terms, 0), change))
}

/// The other side declines.
pub fn decline(
    order: &Order,
    change: &mut ChangeOrder,
    actor: &Actor,
    policy: &Policy,
    note: &str,
    now: Timestamp,
) -> Result<Happened, Refusal> {
    answerable(change, now)?;
    may_answer(order, change, actor, policy)?;
    change.step(ChangeEvent::Decline).expect("a requested change may be declined");
    change.finished_at = Some(now);
    let summary = format!("change {} was declined", change.number);
    let entry =
        Entry::new(now, actor.clone(), "change_order.declined", summary).about(change).because("", note);
    let fact = Fact::ChangeDropped { change: Box::new(change.clone()), order: order.summary() };
    Ok(Happened::default().entry(entry).fact(fact))
}

/// Ends a proposal that nobody answered in time. None if it was answered, or is not due.
pub fn expire(order: &Order, change: &mut ChangeOrder, now: Timestamp) -> Option<Happened> {
    let due = change.expires_at.is_some_and(|until| until <= now);
    if change.state != ChangeState::Requested || !due {
        return None;
    }
    change.step(ChangeEvent::Expire).expect("a requested change may expire");
    change.finished_at = Some(now);
    let summary = format!("change {} was not answered in time", change.number);
    let entry = Entry::new(now, Actor::system(), "change_order.expired", summary).about(change);
    let fact = Fact::ChangeDropped { change: Box::new(change.clone()), order: order.summary() };
    Some(Happened::default().entry(entry).fact(fact))
}

pub(super) fn answerable(change: &ChangeOrder, now: Timestamp) -> Result<(), Refusal> {
    if change.state != ChangeState::Requested {
        let message = format!("change {} waits for no answer", change.number);
        return Err(Refusal::new(Reason::AlreadyDecided, message).detail("state", change.state.as_str()));
    }
    match change.expires_at {
        Some(until) if until <= now => {
            let message = format!("change {} had to be answered before {until}", change.number);
            Err(Refusal::new(Reason::QuoteExpired, message))
        }
        Some(_) | None => Ok(()),
    }
}

fn open(order: &Order) -> Result<(), Refusal> {
    match order.placement {
        Placement::Open => Ok(()),
        Placement::Placing => {
            Err(Refusal::new(Reason::ChangeInProgress, "the order is still being placed; try again"))
        }
        Placement::Failed(_) => Err(Refusal::new(Reason::PlacementFailed, "the order was never placed")),
    }
}

/// Refuses an edit of a wholly cancelled order: restoring it needs a permission of its own.
fn not_cancelled(order: &Order) -> Result<(), Refusal> {
    if order.state() != OrderState::Cancelled {
        return Ok(());
    }
    let message = format!("order {} is cancelled; restore it instead of editing it", order.number);
    Err(Refusal::new(Reason::UseRestore, message).detail("order_id", &order.order_id))
}

fn no_part() -> Refusal {
    Refusal::new(
        Reason::PermissionDenied,
        "only the order's supplier, its buyer and we propose changes of it",
    )
}

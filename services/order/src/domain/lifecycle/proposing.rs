//! Changes that one side asks for and the other answers.
//!
//! ```text
//!   propose / receive_withdrawal ──▶ REQUESTED ──approve──▶ EXECUTING, like any accepted change
//!                                        ├──decline──▶ DECLINED        (a counter-proposal declines, too)
//!                                        ├──expire───▶ EXPIRED, by the clock
//!                                        └──withdraw─▶ WITHDRAWN       (see `decision`)
//! ```
//!
//! A requested change holds nothing and blocks nothing. Its price is computed when it is asked for and once more when it
//! is approved; where the two differ the approval is refused, and it can be asked for again.

use types::{Money, Quantity, Reason, Refusal, Timestamp};

use super::authored::Author;
use super::move_units;
use super::sides::{Side, may_answer};
use crate::domain::cancelability;
use crate::domain::change::{
    ChangeEvent, ChangeOrder, ChangeRequest, ChangeState, ChangeType, Channel, GroupReversal, LineKey,
    Settlement, Terms,
};
use crate::domain::history::{Entry, Fact, Happened};
use crate::domain::order::{Actor, Order, Placement};
use crate::domain::policy::{Policy, ShippingRule, Units};
use crate::domain::pricing::{self, PricedChange};
use crate::domain::quantities::Quantities;
use crate::domain::selection;

/// What a proposal asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposed {
    /// What is to be left of each of these lines.
    Quantities(Vec<(LineKey, i64)>),
    /// Less of delivery groups' charges.
    Shipping(Vec<GroupReversal>),
}

/// A proposal that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub proposed: Proposed,
    pub reason_code: String,
    pub note: String,
    pub expires_at: Timestamp,
}

/// Stores a proposal with its price. `countered` is the other side's that it answers.
pub fn propose(
    order: &Order,
    proposal: &Proposal,
    countered: Option<&mut ChangeOrder>,
    author: &Author<'_>,
) -> Result<(ChangeOrder, Happened), Refusal> {
    open(order)?;
    let side = Side::of(order, &author.actor, author.policy)
        .ok_or_else(|| author.explained(no_part(), "two-sided-change"))?;
    let (kind, terms, lines) = match &proposal.proposed {
        Proposed::Quantities(lines) => {
            let request = fewer(order, lines, proposal)?;
            let priced = pricing::price_change(order, &request, &author.policy.document)?;
            let terms = Terms { shipping: author.policy.document.shipping, ..Terms::default() };
            (ChangeType::EditQuantity, terms, priced.lines)
        }
        Proposed::Shipping(wanted) => {
            pricing::within_what_is_left(order, wanted)?;
            let terms = Terms {
                shipping: ShippingRule::Explicit,
                explicit_shipping: wanted.clone(),
                ..Terms::default()
            };
            (ChangeType::ShippingAdjust, terms, Vec::new())
        }
    };
    let mut change = author.opened(order, kind, "two-sided-change");
    change.terms = terms;
    // What is agreed has no fee.
    let priced = pricing::reprice(order, lines, &change.terms, 0);
    asked_for(&mut change, priced);
    change.reason_code.clone_from(&proposal.reason_code);
    change.note.clone_from(&proposal.note);
    change.expires_at = Some(proposal.expires_at);

    let mut happened = Happened::default();
    if let Some(countered) = countered {
        let told = decline(
            order,
            countered,
            &author.actor,
            author.policy,
            "answered by another proposal",
            author.now,
        )?;
        change.terms.counter_of = Some(countered.change_order_id.clone());
        happened = told;
    }
    let amount = Money::new(order.currency, change.amounts.amount)?;
    let summary = format!("{} proposes change {}: {amount} less", side.as_str(), change.number);
    let entry = Entry::new(author.now, author.actor.clone(), "change_order.proposed", summary)
        .about(&change)
        .because(&change.reason_code, &change.note);
    Ok((change, happened.entry(entry)))
}

/// The units that go so that these quantities are left. More units would raise the price, which has to be paid first.
fn fewer(order: &Order, lines: &[(LineKey, i64)], proposal: &Proposal) -> Result<ChangeRequest, Refusal> {
    let mut going = Vec::with_capacity(lines.len());
    for (index, (key, new_quantity)) in lines.iter().enumerate() {
        let at = |field: &str| format!("lines[{index}].{field}");
        let line = selection::find(order, key)
            .ok_or_else(|| Refusal::not_found("Line", format!("{key:?}")).field(at("line_number")))?;
        let net = line.quantities.net();
        if *new_quantity > net {
            let message =
                format!("{net} units of line {} are left; more would raise the price", line.line_number);
            return Err(Refusal::new(Reason::PriceIncreaseNotAllowed, message).field(at("new_quantity")));
        }
        let units = Quantity::parse(net - new_quantity).map_err(|_| {
            Refusal::new(Reason::FieldInvalid, "the quantity stays as it is").field(at("new_quantity"))
        })?;
        going.push((line.line_number, units));
    }
    Ok(ChangeRequest::of_lines(&order.order_id, &going, Channel::Api, &proposal.reason_code, &proposal.note))
}

/// Takes a consumer's withdrawal in. It needs no reason, and receiving it says nothing of accepting it. `contact` is what
/// proves that the caller is the consumer.
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
    Ok((change, Happened::default().entry(entry)))
}

/// Who does not know the contact learns nothing, not even that there is such an order.
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

/// The other side agrees: from here on the order is held for the change.
pub fn approve(
    order: &mut Order,
    change: &mut ChangeOrder,
    actor: &Actor,
    policy: &Policy,
    now: Timestamp,
) -> Result<Happened, Refusal> {
    answerable(change, now)?;
    may_answer(order, change, actor, policy)?;
    cancelability::may_submit(order, change.change_type)?;
    if change.lines.is_empty() && change.change_type.takes_units() {
        let message = "nothing of the order is open any more; agree on a return instead";
        return Err(Refusal::new(Reason::ShippedFirst, message));
    }
    unmoved(order, change)?;

    let mut held = order.clone();
    move_units(&mut held, change, Quantities::hold).expect("the units were just found open");
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

/// Its units are still open, and it still comes to what was proposed.
fn unmoved(order: &Order, change: &ChangeOrder) -> Result<(), Refusal> {
    let mut lines = change.lines.clone();
    for taken in &mut lines {
        let line = order.line(&taken.line_id).expect("a change was made of its order's own lines");
        if line.quantities.open < taken.quantity {
            let message =
                format!("{} units of line {} are not open any more", taken.quantity, line.line_number);
            let refusal = selection::why_not(line, Units::Open)
                .unwrap_or_else(|| Refusal::new(Reason::QuantityExceedsAvailable, message));
            return Err(refusal.detail("line_id", &line.line_id).detail("open", line.quantities.open));
        }
        taken.parts = pricing::parts_of(line, taken.quantity);
    }
    if change.change_type == ChangeType::ShippingAdjust {
        pricing::within_what_is_left(order, &change.terms.explicit_shipping)?;
    }
    let again = pricing::reprice(order, lines, &change.terms, 0);
    if again.amounts == change.amounts && again.total_after_minor == change.new_total_minor {
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

/// The other side does not agree.
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
    Ok(Happened::default().entry(entry))
}

/// Nobody answered in time. False for one that was answered, or is not due: then nothing happens.
pub fn expire(change: &mut ChangeOrder, now: Timestamp) -> Option<Happened> {
    let due = change.expires_at.is_some_and(|until| until <= now);
    if change.state != ChangeState::Requested || !due {
        return None;
    }
    change.step(ChangeEvent::Expire).expect("a requested change may expire");
    change.finished_at = Some(now);
    let summary = format!("change {} was not answered in time", change.number);
    Some(
        Happened::default()
            .entry(Entry::new(now, Actor::system(), "change_order.expired", summary).about(change)),
    )
}

fn answerable(change: &ChangeOrder, now: Timestamp) -> Result<(), Refusal> {
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

fn no_part() -> Refusal {
    Refusal::new(
        Reason::PermissionDenied,
        "only the order's supplier, its buyer and we propose changes of it",
    )
}

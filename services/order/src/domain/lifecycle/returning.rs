//! Returns: opened by policy and window, received, accepted or rejected unit by unit, and closed.
//!
//! Only accepting changes the order, by a change order with a saga of its own. Everything else moves only the return.

use std::collections::BTreeSet;
use std::time::Duration;

use types::{Fingerprint, LineId, Money, OrderId, Quantity, Reason, Refusal, ReturnId, Timestamp};

use super::authored::Author;
use super::returned_bundles::{accepted_with_parts, may_come, of_line, whole_bundles, with_parts};
use super::{Defect, decision};
use crate::domain::cancelability;
use crate::domain::change::{CameBack, ChangeLine, ChangeOrder, ChangeType, LineKey, Terms};
use crate::domain::history::{Entry, Fact, Happened, Visibility};
use crate::domain::order::{Actor, Order, Placement};
use crate::domain::placing::human_number;
use crate::domain::policy::Permission;
use crate::domain::readers::Reader;
use crate::domain::returns::{Return, ReturnLine, ReturnState};
use crate::domain::{pricing, selection};

/// Units of lines, as a request names them.
pub type Counted = Vec<(LineKey, Quantity)>;

/// A request to open a return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    pub order_id: OrderId,
    pub lines: Counted,
    pub reason_code: String,
    pub note: String,
    pub expires_at: Timestamp,
    /// Of the canonical request.
    pub content: Fingerprint,
}

/// Received units of a line that are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub line: LineKey,
    pub restock: i64,
    pub write_off: i64,
    pub warehouse_id: Option<String>,
}

/// Opens a return. `others` are the order's returns that are open already.
pub fn open_return(
    order: &Order,
    opening: &Opening,
    others: &[Return],
    return_id: ReturnId,
    author: &Author<'_>,
) -> Result<(Return, Happened), Refusal> {
    if order.placement != Placement::Open {
        return Err(Refusal::new(
            Reason::StateConflict,
            "the order was not placed; nothing of it can come back",
        ));
    }
    may(order, Permission::ReturnOpen, author)?;
    within_window(order, author)?;
    let mut opened = Return {
        tenant: order.tenant.clone(),
        number: human_number("RT", return_id.as_str()),
        return_id,
        order_id: order.order_id.clone(),
        state: ReturnState::Open,
        reason_code: opening.reason_code.clone(),
        note: opening.note.clone(),
        opened_by: author.actor.clone(),
        policy_version: author.policy.version_text(),
        expires_at: opening.expires_at,
        version: 1,
        created_at: author.now,
        closed_at: None,
        lines: Vec::with_capacity(opening.lines.len()),
    };
    let lines = with_parts(order, &opening.lines, |line| may_come(line, others));
    whole_bundles(order, &lines, author.policy.document.bundle)?;
    for (index, (key, quantity)) in lines.iter().enumerate() {
        let line = returnable(order, key, quantity.get(), others, index)?;
        if opened.line(&LineKey::Id(line.line_id.clone())).is_some() {
            return Err(twice(index, &line.line_id));
        }
        opened.lines.push(line);
    }
    opened.lines.sort_by_key(|line| line.line_number);
    let units: i64 = opened.lines.iter().map(|line| line.expected).sum();
    let happened = told(order, &opened, "opened", &format!("{units} units may come back"), "", author);
    Ok((opened, happened))
}

/// A line of a return, if that many units have left and are in no return yet.
fn returnable(
    order: &Order,
    key: &LineKey,
    wanted: i64,
    others: &[Return],
    index: usize,
) -> Result<ReturnLine, Refusal> {
    let at = |field: &str| format!("lines[{index}].{field}");
    let line = selection::find(order, key)
        .ok_or_else(|| Refusal::not_found("Line", format!("{key:?}")).field(at("line_number")))?;
    let available = may_come(line, others);
    if wanted > available {
        let message = format!("{available} units of line {} can come back", line.line_number);
        return Err(Refusal::new(Reason::QuantityExceedsAvailable, message)
            .field(at("quantity"))
            .detail("line_id", &line.line_id)
            .detail("available", available));
    }
    Ok(ReturnLine {
        line_id: line.line_id.clone(),
        line_number: line.line_number,
        sku: line.sku.clone(),
        expected: wanted,
        received: 0,
        accepted: 0,
        rejected: 0,
    })
}

/// The policy counts the days from the last delivery. Units that were not delivered may always come back.
fn within_window(order: &Order, author: &Author<'_>) -> Result<(), Refusal> {
    let days = author.policy.document.returns.days_after_delivery;
    let Some(delivered_at) = order.delivered_at else { return Ok(()) };
    let closes_at = delivered_at.plus(Duration::from_secs(u64::from(days) * 24 * 60 * 60));
    if author.now < closes_at {
        return Ok(());
    }
    let message = format!("returns were possible for {days} days after the delivery");
    Err(author.explained(
        Refusal::new(Reason::ReturnWindowClosed, message).detail("window_closed_at", closes_at),
        "return-window",
    ))
}

/// Receives units, at most as many as are expected.
pub fn receive_return(
    order: &Order,
    returned: &mut Return,
    lines: &Counted,
    note: &str,
    author: &Author<'_>,
) -> Result<Happened, Refusal> {
    may(order, Permission::ReturnReceive, author)?;
    let lines = with_parts(order, lines, |line| of_line(returned, &line.line_id, ReturnLine::awaited));
    let units = count(returned, &lines, "were expected and have not come", |line| {
        (line.expected - line.received, &mut line.received)
    })?;
    Ok(told(order, returned, "received", &format!("{units} units came"), note, author))
}

/// Rejects received units: they stay the buyer's.
pub fn reject_return(
    order: &Order,
    returned: &mut Return,
    lines: &Counted,
    note: &str,
    author: &Author<'_>,
) -> Result<Happened, Refusal> {
    may(order, Permission::ReturnDecide, author)?;
    // Units that a running change accepts must not be rejected as well.
    cancelability::may_submit(order, ChangeType::Return)?;
    let lines = with_parts(order, lines, |line| of_line(returned, &line.line_id, ReturnLine::undecided));
    let units = count(returned, &lines, "have come and wait for a decision", |line| {
        (line.undecided(), &mut line.rejected)
    })?;
    returned.complete(author.now);
    Ok(told(
        order,
        returned,
        "rejected",
        &format!("{units} units were rejected and stay the buyer's"),
        note,
        author,
    ))
}

/// Adds units to lines, each at most as many as are `available`: all or none. Returns how many were added.
fn count(
    returned: &mut Return,
    lines: &Counted,
    what: &str,
    counter: impl Fn(&mut ReturnLine) -> (i64, &mut i64),
) -> Result<i64, Refusal> {
    returned.must_be_open()?;
    let mut after = returned.clone();
    let (mut seen, mut units) = (BTreeSet::new(), 0);
    for (index, (key, quantity)) in lines.iter().enumerate() {
        let line = after.line_mut(key).ok_or_else(|| no_such_line(key, index))?;
        let line_id = line.line_id.clone();
        if !seen.insert(line_id.clone()) {
            return Err(twice(index, &line_id));
        }
        let (available, counter) = counter(line);
        if quantity.get() > available {
            return Err(too_many(index, &line_id, available, what));
        }
        *counter += quantity.get();
        units += quantity.get();
    }
    after.version += 1;
    *returned = after;
    Ok(units)
}

/// Accepts received units: from here on the change holds the order.
pub fn accept_return(
    order: &mut Order,
    returned: &Return,
    accepted: &[Accepted],
    note: &str,
    author: &Author<'_>,
) -> Result<(ChangeOrder, Happened), Refusal> {
    cancelability::may_submit(order, ChangeType::Return)?;
    may(order, Permission::ReturnDecide, author)?;
    returned.must_be_open()?;
    let mut change = author.opened(order, ChangeType::Return, Permission::ReturnDecide.as_str());
    change.reason_code.clone_from(&returned.reason_code);
    note.clone_into(&mut change.note);
    let accepted = accepted_with_parts(order, returned, accepted);
    let (lines, came_back) = decided(order, returned, &accepted, &change)?;
    change.terms = Terms {
        shipping: author.policy.document.shipping,
        return_id: Some(returned.return_id.clone()),
        came_back,
        ..change.terms
    };
    let priced = pricing::reprice(order, lines, &change.terms, 0);
    change.amounts = priced.amounts;
    change.new_total_minor = priced.total_after_minor;
    change.lines = priced.lines;
    order.change_in_progress = Some(change.change_order_id.clone());
    order.version += 1;

    let amount = Money::new(order.currency, change.amounts.amount)?;
    let units: i64 = change.lines.iter().map(|line| line.quantity).sum();
    let summary = format!(
        "change {} was accepted: take {units} units of return {} back, {amount}",
        change.number, returned.number
    );
    let entry = Entry::new(author.now, author.actor.clone(), "change_order.accepted", summary)
        .about(&change)
        .because(&change.reason_code, &change.note);
    let fact = Fact::ChangeAccepted { change: Box::new(change.clone()), order: order.summary() };
    Ok((change, Happened::default().entry(entry).fact(fact)))
}

/// The units by line, and where each goes.
fn decided(
    order: &Order,
    returned: &Return,
    accepted: &[Accepted],
    change: &ChangeOrder,
) -> Result<(Vec<ChangeLine>, Vec<CameBack>), Refusal> {
    let (mut lines, mut came_back) = (Vec::new(), Vec::new());
    for (index, wanted) in accepted.iter().enumerate() {
        let line = returned.line(&wanted.line).ok_or_else(|| no_such_line(&wanted.line, index))?;
        if came_back.iter().any(|other: &CameBack| other.line_id == line.line_id) {
            return Err(twice(index, &line.line_id));
        }
        let units = wanted.restock + wanted.write_off;
        if units > line.undecided() {
            return Err(too_many(
                index,
                &line.line_id,
                line.undecided(),
                "have come and wait for a decision",
            ));
        }
        let sold = order.line(&line.line_id).expect("a return was made of its order's own lines");
        let reason_code = change.reason_code.clone();
        lines.push(ChangeLine { reason_code, ..pricing::plain_line(sold, units) });
        came_back.push(CameBack {
            line_id: line.line_id.clone(),
            restock: wanted.restock,
            write_off: wanted.write_off,
            warehouse_id: wanted.warehouse_id.clone().unwrap_or_default(),
        });
    }
    lines.sort_by_key(|line| line.line_number);
    Ok((lines, came_back))
}

/// The pivot: counts the units as returned, on the order and on the return, and lowers the totals.
pub fn commit_return(
    order: &mut Order,
    change: &mut ChangeOrder,
    returned: &mut Return,
    now: Timestamp,
) -> Result<Happened, Defect> {
    let happened = decision::commit(order, change, now)?;
    for line in &change.lines {
        let key = LineKey::Id(line.line_id.clone());
        let counted = returned.line_mut(&key).ok_or_else(|| Defect::UnknownLine(line.line_id.clone()))?;
        counted.accepted += line.quantity;
    }
    returned.version += 1;
    returned.complete(now);
    Ok(happened)
}

/// Closes a return. Units that never came stay with the buyer.
pub fn close_return(
    order: &Order,
    returned: &mut Return,
    note: &str,
    author: &Author<'_>,
) -> Result<Happened, Refusal> {
    may(order, Permission::ReturnDecide, author).or_else(|_| may(order, Permission::ReturnOpen, author))?;
    cancelability::may_submit(order, ChangeType::Return)?;
    returned.must_be_open()?;
    let undecided = returned.undecided();
    if undecided > 0 {
        let message = format!("{undecided} units have come and wait for a decision");
        return Err(Refusal::new(Reason::StateConflict, message).detail("undecided", undecided));
    }
    returned.version += 1;
    returned.end(ReturnState::Closed, author.now);
    Ok(told(order, returned, "closed", "nothing more comes back", note, author))
}

/// Ends a return whose time is up. None if it has ended, is not due, or has units that wait for a decision.
pub fn expire_return(
    order: &Order,
    returned: &mut Return,
    now: Timestamp,
) -> Result<Option<Happened>, Refusal> {
    cancelability::may_submit(order, ChangeType::Return)?;
    let due = returned.expires_at <= now && returned.undecided() == 0;
    if returned.state != ReturnState::Open || !due {
        return Ok(None);
    }
    returned.version += 1;
    returned.end(ReturnState::Expired, now);
    Ok(Some(moved(order, returned, "expired", "its time was up", "", Actor::system(), now)))
}

/// Refuses roles without the permission, and parties of other orders.
pub(super) fn may(order: &Order, permission: Permission, author: &Author<'_>) -> Result<(), Refusal> {
    author.must_have(permission)?;
    match Reader::of(author.policy.grants(&author.actor.role).reach, &author.actor, order) {
        Reader::Ours | Reader::Party => Ok(()),
        Reader::Outsider => {
            let message = "the caller has no part in this order";
            Err(author.explained(Refusal::new(Reason::PermissionDenied, message), permission.as_str()))
        }
    }
}

fn told(
    order: &Order,
    returned: &Return,
    what: &'static str,
    summary: &str,
    note: &str,
    author: &Author<'_>,
) -> Happened {
    moved(order, returned, what, summary, note, author.actor.clone(), author.now)
}

fn moved(
    order: &Order,
    returned: &Return,
    what: &'static str,
    summary: &str,
    note: &str,
    actor: Actor,
    now: Timestamp,
) -> Happened {
    let summary = format!("return {}: {summary}", returned.number);
    let entry = Entry::new(now, actor, format!("return.{what}"), summary)
        .visible_to(Visibility::Parties)
        .because(&returned.reason_code, note);
    let fact = Fact::ReturnProgressed { returned: Box::new(returned.clone()), order: order.summary(), what };
    Happened::default().entry(entry).fact(fact)
}

fn no_such_line(key: &LineKey, index: usize) -> Refusal {
    Refusal::not_found("Line", format!("{key:?}")).field(format!("lines[{index}].line_number"))
}

fn twice(index: usize, line: &LineId) -> Refusal {
    Refusal::new(Reason::DuplicateLine, format!("line {line} is named twice"))
        .field(format!("lines[{index}].line_id"))
}

fn too_many(index: usize, line: &LineId, available: i64, what: &str) -> Refusal {
    Refusal::new(Reason::QuantityExceedsAvailable, format!("{available} units of line {line} {what}"))
        .field(format!("lines[{index}].quantity"))
        .detail("line_id", line)
        .detail("available", available)
}

//! Short shipments: units that cannot be shipped because they do not exist. They leave the order without a fee, and the stock count goes down
//! with them.

use types::{Fingerprint, Money, OrderId, Reason, Refusal};

use super::authored::Author;
use super::move_units;
use super::returning::{Counted, may};
use crate::domain::cancelability;
use crate::domain::change::{ChangeLine, ChangeOrder, ChangeType, Terms};
use crate::domain::history::{Entry, Fact, Happened};
use crate::domain::order::{Order, Placement};
use crate::domain::policy::{Permission, Units};
use crate::domain::propagation::told_with;
use crate::domain::quantities::Quantities;
use crate::domain::{pricing, selection};

/// The missing units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortShipRequest {
    pub order_id: OrderId,
    pub lines: Counted,
    pub reason_code: String,
    pub note: String,
    /// Of the canonical request.
    pub content: Fingerprint,
}

/// Accepts the short shipment, or refuses it and changes nothing.
pub fn accept_short_ship(
    order: &mut Order,
    request: &ShortShipRequest,
    author: &Author<'_>,
) -> Result<(ChangeOrder, Happened), Refusal> {
    cancelability::may_submit(order, ChangeType::ShortShip)?;
    if order.placement != Placement::Open {
        return Err(Refusal::new(
            Reason::StateConflict,
            "the order was never placed; there is nothing to ship",
        ));
    }
    may(order, Permission::ShortShip, author)?;
    let mut change = author.opened(order, ChangeType::ShortShip, Permission::ShortShip.as_str());
    change.reason_code.clone_from(&request.reason_code);
    change.note.clone_from(&request.note);
    change.terms = Terms { shipping: author.policy.document.shipping, ..change.terms };
    // A shop that cannot ship what it sold charges no fee.
    let priced = pricing::reprice(order, missing(order, request)?, &change.terms, 0);
    change.amounts = priced.amounts;
    change.new_total_minor = priced.total_after_minor;
    change.lines = priced.lines;
    change.terms.carts = told_with(order, &change.lines);
    move_units(order, &change, Quantities::hold).expect("the units were just found open");
    order.change_in_progress = Some(change.change_order_id.clone());
    order.version += 1;

    let amount = Money::new(order.currency, change.amounts.amount)?;
    let units: i64 = change.lines.iter().map(|line| line.quantity).sum();
    let summary = format!("change {} was accepted: {units} units cannot be shipped, {amount}", change.number);
    let entry = Entry::new(author.now, author.actor.clone(), "change_order.accepted", summary)
        .about(&change)
        .because(&change.reason_code, &change.note);
    let fact = Fact::ChangeAccepted { change: Box::new(change.clone()), order: order.summary() };
    Ok((change, Happened::default().entry(entry).fact(fact)))
}

fn missing(order: &Order, request: &ShortShipRequest) -> Result<Vec<ChangeLine>, Refusal> {
    let mut lines: Vec<ChangeLine> = Vec::with_capacity(request.lines.len());
    for (index, (key, quantity)) in request.lines.iter().enumerate() {
        let at = |field: &str| format!("lines[{index}].{field}");
        let line = selection::find(order, key)
            .ok_or_else(|| Refusal::not_found("Line", format!("{key:?}")).field(at("line_number")))?;
        if lines.iter().any(|other| other.line_id == line.line_id) {
            let message = format!("line {} is named twice", line.line_number);
            return Err(Refusal::new(Reason::DuplicateLine, message).field(at("line_number")));
        }
        if quantity.get() > line.quantities.open {
            let message = format!(
                "{} units of line {} are still to be shipped",
                line.quantities.open, line.line_number
            );
            let refusal = selection::why_not(line, Units::Open)
                .unwrap_or_else(|| Refusal::new(Reason::QuantityExceedsAvailable, message));
            return Err(refusal.field(at("quantity")).detail("open", line.quantities.open));
        }
        let (reason_code, note) = (request.reason_code.clone(), request.note.clone());
        lines.push(ChangeLine { reason_code, note, ..pricing::plain_line(line, quantity.get()) });
    }
    lines.sort_by_key(|line| line.line_number);
    Ok(lines)
}

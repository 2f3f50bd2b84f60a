//! What a change gives back, from the amounts frozen at placement and nothing else.
//!
//! Each frozen amount of a line telescopes on its own: cancelling the units `k..k+q` gives back
//! `C(k+q) − C(k)`, where `C` rounds the running total. So any sequence of partial changes, in any
//! order, sums to exactly what was paid, and no part is ever negative.

use types::money::telescope;
use types::{Reason, Refusal};

use super::change::{ChangeLine, ChangeRequest, LineKey, Parts, SelectedLine, Selection};
use super::order::{Group, Line, Order, Placement};

/// A change with its price. It is a value: nothing has happened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedChange {
    /// By line number.
    pub lines: Vec<ChangeLine>,
    /// The shipping that comes back with the last unit of a group.
    pub shipping: Vec<GroupReversal>,
    /// Of the whole change: its lines and its shipping.
    pub amounts: Parts,
    pub total_before_minor: i64,
    pub total_after_minor: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupReversal {
    pub delivery_group: String,
    pub shipping_minor: i64,
    pub shipping_tax_minor: i64,
}

/// Prices a change, or says why there is nothing, or not so much, to cancel.
pub fn price_change(order: &Order, request: &ChangeRequest) -> Result<PricedChange, Refusal> {
    if matches!(order.placement, Placement::Failed(_)) {
        return Err(nothing_to_cancel(order, "the order was never placed"));
    }
    let taken = match &request.selection {
        Selection::Everything => everything_open(order)?,
        Selection::Items(items) => selected(order, items)?,
    };
    let lines: Vec<ChangeLine> = taken.iter().map(|taken| change_line(taken, request)).collect();
    Ok(priced(order, lines))
}

/// The price of given units of an order; also what the decision is checked against once more.
pub fn priced(order: &Order, lines: Vec<ChangeLine>) -> PricedChange {
    let shipping: Vec<GroupReversal> =
        order.groups.iter().filter_map(|group| shipping_with_last_unit(order, group, &lines)).collect();
    let mut amounts = Parts::sum_of(&lines);
    for reversal in &shipping {
        amounts.shipping += reversal.shipping_minor;
        amounts.shipping_tax += reversal.shipping_tax_minor;
        amounts.amount += reversal.shipping_minor + reversal.shipping_tax_minor;
    }
    let total_before_minor = order.total_minor();
    PricedChange {
        lines,
        shipping,
        total_before_minor,
        total_after_minor: total_before_minor - amounts.amount,
        amounts,
    }
}

/// What the next `units` of a line are worth.
pub fn parts_of(line: &Line, units: i64) -> Parts {
    let from = line.quantities.taken_back();
    let share = |amount: i64| telescope(amount, line.quantities.ordered, from, from + units);
    let goods_net = share(line.amounts.goods_net);
    // Gross and discount are not telescoped apart: their difference could then come to -1.
    let discount = share(line.amounts.line_discount + line.amounts.order_discount);
    let tax = share(line.amounts.tax);
    let tax_beside = if line.amounts.tax_included { 0 } else { tax };
    Parts {
        gross: goods_net + discount,
        discount,
        goods_net,
        tax,
        tax_included: line.amounts.tax_included,
        shipping: 0,
        shipping_tax: 0,
        fee: 0,
        amount: goods_net + tax_beside,
    }
}

/// Units of a line that a change takes, with what was said about them.
struct Taken<'a> {
    line: &'a Line,
    units: i64,
    reason_code: &'a str,
    note: &'a str,
}

fn everything_open(order: &Order) -> Result<Vec<Taken<'_>>, Refusal> {
    let taken: Vec<Taken<'_>> = order
        .lines
        .iter()
        .filter(|line| line.quantities.open > 0)
        .map(|line| Taken { line, units: line.quantities.open, reason_code: "", note: "" })
        .collect();
    if !taken.is_empty() {
        return Ok(taken);
    }
    let units = order.units();
    if units.net() == 0 {
        Err(nothing_to_cancel(order, "nothing of the order is left"))
    } else if units.fulfilled > 0 {
        let message = "all that is left of the order was shipped";
        Err(Refusal::new(Reason::ShippedFirst, message).detail("shipped", units.fulfilled))
    } else {
        let message = "all that is left of the order is held by a change";
        Err(Refusal::new(Reason::QuantityExceedsAvailable, message).detail("available", 0))
    }
}

fn selected<'a>(order: &'a Order, items: &'a [SelectedLine]) -> Result<Vec<Taken<'a>>, Refusal> {
    let mut taken: Vec<Taken<'a>> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let line = find(order, &item.line)
            .ok_or_else(|| unknown_line(order, &item.line).field(line_field(index, item)))?;
        if taken.iter().any(|other| other.line.line_id == line.line_id) {
            let message = format!("line {} is named twice", line.line_number);
            return Err(Refusal::new(Reason::DuplicateLine, message)
                .field(line_field(index, item))
                .detail("line_id", &line.line_id));
        }
        let units = item.quantity.get();
        if units > line.quantities.open {
            return Err(not_available(order, line, units).field(format!("change.lines[{index}].quantity")));
        }
        taken.push(Taken { line, units, reason_code: &item.reason_code, note: &item.note });
    }
    taken.sort_by_key(|taken| taken.line.line_number);
    Ok(taken)
}

fn find<'a>(order: &'a Order, key: &LineKey) -> Option<&'a Line> {
    order.lines.iter().find(|line| match key {
        LineKey::Id(line_id) => line.line_id == *line_id,
        LineKey::Number(number) => line.line_number == *number,
    })
}

fn line_field(index: usize, item: &SelectedLine) -> String {
    match item.line {
        LineKey::Id(_) => format!("change.lines[{index}].line_id"),
        LineKey::Number(_) => format!("change.lines[{index}].line_number"),
    }
}

fn unknown_line(order: &Order, key: &LineKey) -> Refusal {
    let named = match key {
        LineKey::Id(line_id) => line_id.to_string(),
        LineKey::Number(number) => number.to_string(),
    };
    Refusal::new(Reason::FieldInvalid, format!("order {} has no line {named}", order.number))
}

/// Why the units are not there, the most telling reason first.
fn not_available(order: &Order, line: &Line, wanted: i64) -> Refusal {
    let quantities = line.quantities;
    let refusal = if quantities.net() == 0 {
        nothing_to_cancel(order, &format!("nothing of line {} is left", line.line_number))
    } else if quantities.open == 0 && quantities.fulfilled > 0 {
        let message = format!("all that is left of line {} was shipped", line.line_number);
        Refusal::new(Reason::ShippedFirst, message).detail("shipped", quantities.fulfilled)
    } else {
        let message = format!(
            "{wanted} units of line {} cannot be cancelled: {} are open",
            line.line_number, quantities.open
        );
        Refusal::new(Reason::QuantityExceedsAvailable, message)
    };
    refusal.detail("line_id", &line.line_id).detail("wanted", wanted).detail("available", quantities.open)
}

fn nothing_to_cancel(order: &Order, message: &str) -> Refusal {
    let refusal = Refusal::new(Reason::NothingToCancel, message);
    match &order.cancelled_by_change {
        Some(change) => refusal.detail("cancelled_by_change", change),
        None => refusal,
    }
}

fn change_line(taken: &Taken<'_>, request: &ChangeRequest) -> ChangeLine {
    let own_or = |own: &str, general: &String| {
        if own.is_empty() { general.clone() } else { own.to_owned() }
    };
    ChangeLine {
        line_id: taken.line.line_id.clone(),
        line_number: taken.line.line_number,
        sku: taken.line.sku.clone(),
        quantity: taken.units,
        reason_code: own_or(taken.reason_code, &request.reason_code),
        note: own_or(taken.note, &request.note),
        parts: parts_of(taken.line, taken.units),
    }
}

/// A group's charge comes back with its last unit, if none of the group was ever shipped.
fn shipping_with_last_unit(order: &Order, group: &Group, taken: &[ChangeLine]) -> Option<GroupReversal> {
    let members = || order.lines.iter().filter(|line| line.delivery_group == group.delivery_group);
    let units_of = |line: &Line| {
        taken.iter().find(|taken| taken.line_id == line.line_id).map_or(0, |taken| taken.quantity)
    };
    let left = |line: &Line| {
        line.quantities.ordered
            - line.quantities.cancelled
            - line.quantities.cancelled_after_ship
            - units_of(line)
    };
    let takes_some = members().any(|line| units_of(line) > 0);
    if group.ever_shipped || !takes_some || members().any(|line| left(line) > 0) {
        return None;
    }
    let reversal = GroupReversal {
        delivery_group: group.delivery_group.clone(),
        shipping_minor: group.shipping_minor - group.shipping_reversed_minor,
        shipping_tax_minor: group.shipping_tax_minor - group.shipping_tax_reversed_minor,
    };
    (reversal.shipping_minor + reversal.shipping_tax_minor > 0).then_some(reversal)
}

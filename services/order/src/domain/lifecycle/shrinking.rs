//! Changes that go on with fewer units: ALL_ELIGIBLE asks for everything eligible, and if some units were gone when the inventory looked, the
//! change takes the rest at the price of the rest.

use std::collections::BTreeMap;

use types::{LineId, Money, Timestamp};

use super::{Defect, move_units};
use crate::domain::change::{ChangeLine, ChangeOrder, Skipped};
use crate::domain::history::{Entry, Happened};
use crate::domain::order::{Actor, Order};
use crate::domain::pricing;
use crate::domain::quantities::Quantities;

/// Units of a line that the inventory did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub units: i64,
    /// The name of the reason, in UPPER_SNAKE_CASE.
    pub reason: String,
}

/// Opens the units that were not held, and prices the rest on the terms of the acceptance. Changes nothing if all units were
/// held.
pub fn take_what_is_held(
    order: &mut Order,
    change: &mut ChangeOrder,
    left_out: &BTreeMap<LineId, LeftOut>,
    now: Timestamp,
) -> Result<Option<Happened>, Defect> {
    let gone: Vec<ChangeLine> = change
        .lines
        .iter()
        .filter_map(|line| {
            left_out.get(&line.line_id).map(|left| ChangeLine { quantity: left.units, ..line.clone() })
        })
        .filter(|line| line.quantity > 0)
        .collect();
    if gone.is_empty() {
        return Ok(None);
    }

    let mut freed = order.clone();
    let mut rest = ChangeOrder { lines: gone, ..change.clone() };
    move_units(&mut freed, &rest, Quantities::put_back)?;
    rest.terms.skipped.extend(rest.lines.iter().map(|line| skipped(line, &left_out[&line.line_id])));
    rest.lines = change.lines.iter().filter_map(|line| kept(line, left_out)).collect();
    for line in &mut rest.lines {
        let of = freed.line(&line.line_id).ok_or_else(|| Defect::UnknownLine(line.line_id.clone()))?;
        line.parts = pricing::parts_of(of, line.quantity);
    }
    let given_back = pricing::reprice(&freed, rest.lines, &rest.terms, 0);
    let fee_minor = rest.terms.fee.charge(given_back.amounts.amount);
    let priced = given_back.less(fee_minor);
    rest.lines = priced.lines;
    rest.amounts = priced.amounts;
    rest.new_total_minor = priced.total_after_minor;
    rest.version += 1;
    freed.version += 1;
    (*order, *change) = (freed, rest);

    let amount = Money::new(order.currency, change.amounts.amount)
        .map_or_else(|_| change.amounts.amount.to_string(), |amount| amount.to_string());
    let units: i64 = change.lines.iter().map(|line| line.quantity).sum();
    let gone: i64 = left_out.values().map(|left| left.units).sum();
    let summary =
        format!("change {} goes on with {units} units, {amount}: {gone} were gone already", change.number);
    Ok(Some(
        Happened::default()
            .entry(Entry::new(now, Actor::system(), "change_order.shrunk", summary).about(change)),
    ))
}

fn kept(line: &ChangeLine, left_out: &BTreeMap<LineId, LeftOut>) -> Option<ChangeLine> {
    let quantity = line.quantity - left_out.get(&line.line_id).map_or(0, |left| left.units);
    (quantity > 0).then(|| ChangeLine { quantity, ..line.clone() })
}

fn skipped(line: &ChangeLine, left: &LeftOut) -> Skipped {
    Skipped {
        line_id: line.line_id.clone(),
        line_number: line.line_number,
        sku: line.sku.clone(),
        reason: left.reason.clone(),
        message: format!("{} units were taken by others before they could be held", left.units),
    }
}

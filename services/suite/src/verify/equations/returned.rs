//! Returns: what orders, returns, change orders and warehouses say of the units that came back is the same.

use std::collections::{HashMap, HashSet};

use super::differs;
use super::pricing::committed;
use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

/// Units by line of the order.
type Units<'a> = HashMap<&'a str, i64>;

pub fn returned_units_agree(facts: &Facts, found: &mut Findings<'_>) {
    let by_changes = returned_by_changes(facts);
    let accepted = sum(facts.rows(Service::Order, "order_return_line"), "accepted");
    let came_back =
        facts.rows(Service::Inventory, "fulfilment_line").filter(|line| !line.text("returned").is_empty());
    let came_back = sum(came_back, "quantity");
    found.each(facts.rows(Service::Order, "order_line"), |line| {
        let id = line.text("line_id");
        let of = |units: &Units<'_>| units.get(id).copied().unwrap_or_default();
        let returned = line.number("returned");
        differs(&format!("returned units of line {id} against its changes"), returned, of(&by_changes))
            .or_else(|| differs(&format!("against its returns, of line {id}"), returned, of(&accepted)))
            .or_else(|| differs(&format!("against the warehouses, of line {id}"), returned, of(&came_back)))
    });
}

fn returned_by_changes(facts: &Facts) -> Units<'_> {
    let returns: HashSet<&str> = committed(facts)
        .into_iter()
        .filter(|change| change.text("type") == "return")
        .map(|change| change.text("change_order_id"))
        .collect();
    let lines = facts.rows(Service::Order, "change_order_line");
    sum(lines.filter(|line| returns.contains(line.text("change_order_id"))), "quantity")
}

fn sum<'a>(rows: impl Iterator<Item = Row<'a>>, column: &str) -> Units<'a> {
    let mut units = Units::new();
    for row in rows {
        *units.entry(row.text("line_id")).or_default() += row.number(column);
    }
    units
}

/// Every row of units that came back to a shelf of ours has exactly its one entry in the stock ledger.
pub fn returned_units_are_in_the_ledger(facts: &Facts, found: &mut Findings<'_>) {
    let counted: HashSet<&str> = facts
        .rows(Service::Inventory, "warehouse")
        .filter(|warehouse| warehouse.text("kind") == "own")
        .map(|warehouse| warehouse.text("warehouse_id"))
        .collect();
    let own: HashSet<&str> = facts
        .rows(Service::Inventory, "reservation")
        .filter(|row| row.number("without_stock") == 0 && counted.contains(row.text("warehouse_id")))
        .map(|row| row.text("reservation_id"))
        .collect();
    let mut entries: HashMap<(&str, &str), Vec<i64>> = HashMap::new();
    for entry in facts.rows(Service::Inventory, "stock_ledger") {
        if matches!(entry.text("kind"), "restock_return" | "write_off") {
            let key = (entry.text("reservation_id"), entry.text("kind"));
            entries.entry(key).or_default().push(entry.number("on_hand_delta"));
        }
    }
    found.each(facts.rows(Service::Inventory, "fulfilment_line"), |line| {
        let id = line.text("reservation_id");
        let (kind, units) = match line.text("returned") {
            "restocked" => ("restock_return", line.number("quantity")),
            "written_off" => ("write_off", 0),
            _ => return None,
        };
        if !own.contains(id) {
            return None;
        }
        let booked = entries.get(&(id, kind)).cloned().unwrap_or_default();
        differs(&format!("{kind} of reservation {id} in the ledger"), vec![units], booked)
    });
}

/// A return never counts more units than were expected, and ends when none is left.
pub fn returns_end(facts: &Facts, found: &mut Findings<'_>) {
    let mut outstanding: HashMap<&str, i64> = HashMap::new();
    found.each(facts.rows(Service::Order, "order_return_line"), |line| {
        let decided = line.number("accepted") + line.number("rejected");
        *outstanding.entry(line.text("return_id")).or_default() += line.number("expected") - decided;
        let more = decided > line.number("received") || line.number("received") > line.number("expected");
        more.then(|| format!("a return counts more than came: {}", line.describe()))
    });
    found.each(facts.rows(Service::Order, "order_return"), |row| {
        let left = outstanding.get(row.text("return_id")).copied().unwrap_or_default();
        let agrees = match row.text("state") {
            "open" => left > 0,
            "completed" => left == 0,
            _ => true,
        };
        (!agrees).then(|| format!("{left} units are left of {}", row.describe()))
    });
}

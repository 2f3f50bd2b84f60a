//! Goods: they leave for what was decided, under the label of their parcel, and what left although it was cancelled is
//! known.

use std::collections::{HashMap, HashSet};

use super::differs;
use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

/// Only what a decided saga has reserved is given out.
pub fn given_out_when_decided(facts: &Facts, found: &mut Findings<'_>) {
    let sagas: HashMap<&str, &str> =
        facts.rows(Service::Order, "saga").map(|saga| (saga.text("id"), saga.text("state"))).collect();
    // A restoration that was not decided leaves its name on what it would have shipped again.
    let cancelled: HashSet<&str> = lines_in(facts, "cancelled_after_ship").map(reservation_of).collect();
    found.each(facts.rows(Service::Inventory, "reservation"), |row| {
        let out = row.text("state") != "released" && !row.text("fulfilment_id").is_empty();
        let undecided = matches!(sagas.get(row.text("saga_id")), None | Some(&"unwound"));
        let broken = out && undecided && !cancelled.contains(row.text("reservation_id"));
        broken.then(|| format!("given out without a decision: {}", row.describe()))
    });
}

/// Units left under a label of their own parcel; once every label of it is void, they are back, or somebody is asked where
/// to put them.
pub fn labels_belong_to_parcels(facts: &Facts, found: &mut Findings<'_>) {
    let labels: HashMap<&str, Row<'_>> =
        facts.rows(Service::Inventory, "label").map(|label| (label.text("label_id"), label)).collect();
    let live: HashSet<&str> = labels
        .values()
        .filter(|label| label.text("state") != "voided")
        .map(|label| label.text("fulfilment_id"))
        .collect();
    let here = own_reservations(facts);
    let homeless = asked_about(facts, "label");
    found.each(facts.rows(Service::Inventory, "fulfilment_line"), |line| {
        if line.text("label_id").is_empty() {
            return None;
        }
        let known = labels.get(line.text("label_id"));
        if known.is_none_or(|label| label.text("fulfilment_id") != line.text("fulfilment_id")) {
            return Some(format!("left under a label of another parcel: {}", line.describe()));
        }
        let out = match line.text("state") {
            "shipped" => line.text("returned").is_empty(),
            "cancelled_after_ship" => {
                line.number("restocked") == line.number("reshipped")
                    && here.contains(reservation_of(line))
                    && !homeless.contains(line.text("label_id"))
            }
            _ => false,
        };
        let void = !live.contains(line.text("fulfilment_id"));
        (void && out).then(|| format!("its label is void and it is not back: {}", line.describe()))
    });
}

/// What left after it was cancelled is off its shelf, once, or the shelf is to be counted; what was shipped again is in the
/// ledger.
pub fn left_all_the_same(facts: &Facts, found: &mut Findings<'_>) {
    let mut left: HashMap<&str, i64> = HashMap::new();
    let mut again: HashMap<&str, i64> = HashMap::new();
    for entry in facts.rows(Service::Inventory, "stock_ledger") {
        let units = -entry.number("on_hand_delta");
        match entry.text("kind") {
            "ship_after_cancel" => *left.entry(reservation_of(entry)).or_default() += units,
            "reship" => *again.entry(entry.text("order_id")).or_default() += units,
            _ => {}
        }
    }
    let cancelled: HashSet<&str> = lines_in(facts, "shipped_after_cancel").map(reservation_of).collect();
    found.each(facts.rows(Service::Inventory, "stock_ledger"), |entry| {
        let wrong = entry.text("kind") == "ship_after_cancel" && !cancelled.contains(reservation_of(entry));
        wrong.then(|| format!("it left after no cancellation: {}", entry.describe()))
    });
    let own = own_reservations(facts);
    let to_be_counted = asked_about(facts, "fulfilment");
    found.each(lines_in(facts, "shipped_after_cancel"), |line| {
        let (units, booked) =
            (line.number("quantity"), left.get(reservation_of(line)).copied().unwrap_or_default());
        let counted = to_be_counted.contains(line.text("fulfilment_id"));
        let known = !own.contains(reservation_of(line)) || counted || booked == units;
        let broken = booked > units || !known;
        broken.then(|| format!("{booked} units of it are off the shelf: {}", line.describe()))
    });
    for line in facts.rows(Service::Inventory, "fulfilment_line") {
        *again.entry(line.text("order_id")).or_default() -= line.number("reshipped");
    }
    for (order_id, rest) in again {
        if let Some(what) = differs(&format!("units of order {order_id} shipped again"), rest, 0) {
            found.of(order_id, what);
        }
    }
}

/// A report is kept only as long as a change holds what it is about.
pub fn reports_take_effect(facts: &Facts, found: &mut Findings<'_>) {
    let forgotten =
        |line: &Row<'_>| !line.text("reported_number").is_empty() && line.text("held_by").is_empty();
    found.all(facts.rows(Service::Inventory, "fulfilment_line").filter(forgotten));
}

fn lines_in<'a>(facts: &'a Facts, state: &'a str) -> impl Iterator<Item = Row<'a>> {
    facts.rows(Service::Inventory, "fulfilment_line").filter(move |line| line.text("state") == state)
}

fn reservation_of(row: Row<'_>) -> &str {
    row.text("reservation_id")
}

/// What a person was asked to look at, of this kind.
fn asked_about<'a>(facts: &'a Facts, kind: &'a str) -> HashSet<&'a str> {
    let items = facts.rows(Service::Order, "attention").filter(|item| item.text("subject_type") == kind);
    items.map(|item| item.text("subject_id")).collect()
}

/// Reservations on shelves of ours.
fn own_reservations(facts: &Facts) -> HashSet<&str> {
    let own: HashSet<&str> = facts
        .rows(Service::Inventory, "warehouse")
        .filter(|warehouse| warehouse.text("kind") == "own")
        .map(|warehouse| warehouse.text("warehouse_id"))
        .collect();
    facts
        .rows(Service::Inventory, "reservation")
        .filter(|row| row.number("without_stock") == 0 && own.contains(row.text("warehouse_id")))
        .map(|row| row.text("reservation_id"))
        .collect()
}

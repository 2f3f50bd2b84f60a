//! Units: every unit of a line is in exactly one bucket, and the services agree on which.

use std::collections::{HashMap, HashSet};

use super::differs;
use super::pricing::{committed, sign};
use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

const BUCKETS: [&str; 5] = ["open", "cancel_pending", "cancelled", "fulfilled", "cancelled_after_ship"];

pub fn partition(facts: &Facts, found: &mut Findings<'_>) {
    let broken = |line: &Row<'_>| {
        let buckets = BUCKETS.map(|bucket| line.number(bucket));
        buckets.iter().sum::<i64>() != line.number("ordered")
            || buckets.iter().any(|&units| units < 0)
            || !(0..=line.number("fulfilled")).contains(&line.number("returned"))
            || !(0..=line.number("fulfilled")).contains(&line.number("delivered"))
    };
    found.all(facts.rows(Service::Order, "order_line").filter(broken));
}

pub fn cancelled_by_changes(facts: &Facts, found: &mut Findings<'_>) {
    let signs: HashMap<&str, i64> = committed(facts)
        .into_iter()
        .filter(|change| !matches!(change.text("type"), "return" | "price_adjust"))
        .map(|change| (change.text("change_order_id"), sign(change)))
        .collect();
    let mut cancelled: HashMap<&str, i64> = HashMap::new();
    for line in facts.rows(Service::Order, "change_order_line") {
        if let Some(sign) = signs.get(line.text("change_order_id")) {
            *cancelled.entry(line.text("line_id")).or_default() += sign * line.number("quantity");
        }
    }
    found.each(facts.still(Service::Order, "order_line"), |line| {
        let by_changes = cancelled.get(line.text("line_id")).copied().unwrap_or_default();
        let in_line = line.number("cancelled") + line.number("cancelled_after_ship");
        differs(&format!("cancelled units of line {}", line.text("line_id")), in_line, by_changes)
    });
}

pub fn reservations_match_lines(facts: &Facts, found: &mut Findings<'_>) {
    let placed: HashSet<&str> = facts
        .rows(Service::Order, "order_head")
        .filter(|order| order.text("placement") == "open")
        .map(|order| order.text("order_id"))
        .collect();
    let mut units: HashMap<&str, (i64, i64)> = HashMap::new();
    for reservation in facts.rows(Service::Inventory, "reservation") {
        let (reserved, consumed) = units.entry(reservation.text("line_id")).or_default();
        match reservation.text("state") {
            "active" | "held" => *reserved += reservation.number("quantity"),
            "consumed" => *consumed += reservation.number("quantity"),
            _ => {}
        }
    }
    found.each(facts.rows(Service::Order, "order_line"), |line| {
        let (reserved, consumed) = units.get(line.text("line_id")).copied().unwrap_or_default();
        let line_id = line.text("line_id");
        let open = if placed.contains(line.text("order_id")) {
            line.number("open") + line.number("cancel_pending")
        } else {
            0
        };
        let what = |which: &str| format!("{which} units of line {line_id} against its reservations");
        differs(&what("open"), open, reserved).or_else(|| {
            let fulfilled = line.number("fulfilled") + line.number("cancelled_after_ship");
            differs(&what("shipped"), fulfilled, consumed)
        })
    });
}

pub fn no_stale_holds(facts: &Facts, found: &mut Findings<'_>) {
    let running: HashSet<&str> = facts
        .rows(Service::Order, "saga")
        .filter(|saga| !matches!(saga.text("state"), "completed" | "unwound"))
        .map(|saga| saga.text("id"))
        .collect();
    let stale = |reservation: &Row<'_>| {
        reservation.text("state") == "held" && !running.contains(reservation.text("held_by"))
    };
    found.all(facts.rows(Service::Inventory, "reservation").filter(stale));
}

pub fn one_change_at_a_time(facts: &Facts, found: &mut Findings<'_>) {
    let mut holding: HashMap<&str, &str> = HashMap::new();
    found.each(facts.rows(Service::Order, "change_order"), |change| {
        let second = matches!(change.text("state"), "executing" | "unwinding")
            && holding.insert(change.text("order_id"), change.text("change_order_id")).is_some();
        second.then(|| format!("a second change holds the order: {}", change.describe()))
    });
    found.each(facts.rows(Service::Order, "order_head"), |order| {
        let order_id = order.text("order_id");
        let holder = holding.get(order_id).copied().unwrap_or_default();
        differs(&format!("change in progress of order {order_id}"), order.text("change_in_progress"), holder)
    });
}

//! Carriers and partners: what came back after it was shipped, whom goods were given to, and that nobody is asked for
//! a change that has ended.

use std::collections::{BTreeMap, HashSet};

use super::differs;
use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;

pub fn restocks_are_in_the_ledger(facts: &Facts) -> Option<String> {
    let mut restocked: BTreeMap<&str, i64> = BTreeMap::new();
    for line in facts.rows(Service::Inventory, "fulfilment_line") {
        let units = line.number("restocked");
        if !(0..=line.number("quantity") + line.number("reshipped")).contains(&units) {
            return Some(format!("more came back than went out: {}", line.describe()));
        }
        *restocked.entry(line.text("order_id")).or_default() += units;
    }
    for entry in facts.rows(Service::Inventory, "stock_ledger") {
        if entry.text("kind").starts_with("restock_") {
            *restocked.entry(entry.text("order_id")).or_default() -= entry.number("on_hand_delta");
        }
    }
    restocked.into_iter().find_map(|(order_id, rest)| {
        differs(&format!("units of order {order_id} put back beside the ledger"), rest, 0)
    })
}

pub fn partners_have_numbers(facts: &Facts) -> Option<String> {
    let numbers: HashSet<(&str, &str)> = facts
        .rows(Service::Inventory, "partner_number")
        .map(|number| (number.text("integration_key"), number.text("external_number")))
        .collect();
    facts
        .rows(Service::Inventory, "fulfilment")
        .find(|fulfilment| {
            let known = (fulfilment.text("integration_key"), fulfilment.text("external_number"));
            !known.1.is_empty() && !numbers.contains(&known)
        })
        .map(Row::describe)
}

pub fn nobody_is_asked_in_vain(facts: &Facts) -> Option<String> {
    let ended: HashSet<&str> = facts
        .rows(Service::Order, "saga")
        .filter(|saga| matches!(saga.text("state"), "completed" | "unwound"))
        .map(|saga| saga.text("id"))
        .collect();
    let label = facts
        .rows(Service::Inventory, "label")
        .find(|label| label.text("state") == "void_requested" && ended.contains(label.text("void_by")));
    let task = facts
        .rows(Service::Inventory, "partner_task")
        .find(|task| task.text("state") == "requested" && ended.contains(task.text("saga_id")));
    let lines = || {
        facts.rows(Service::Inventory, "fulfilment_line").find(|line| {
            let shipped = line.text("state") == "shipped" && ended.contains(line.text("held_by"));
            shipped || ended.contains(line.text("claimed_by"))
        })
    };
    label.or(task).or_else(lines).map(Row::describe)
}

//! Carriers and partners: what came back after it was shipped, whom goods were given to, and that nobody is asked for
//! a change that has ended.

use std::collections::{BTreeMap, HashSet};

use super::differs;
use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

pub fn restocks_are_in_the_ledger(facts: &Facts, found: &mut Findings<'_>) {
    let mut restocked: BTreeMap<&str, i64> = BTreeMap::new();
    found.each(facts.rows(Service::Inventory, "fulfilment_line"), |line| {
        let units = line.number("restocked");
        *restocked.entry(line.text("order_id")).or_default() += units;
        let went_out = 0..=line.number("quantity") + line.number("reshipped");
        (!went_out.contains(&units)).then(|| format!("more came back than went out: {}", line.describe()))
    });
    for entry in facts.rows(Service::Inventory, "stock_ledger") {
        if entry.text("kind").starts_with("restock_") {
            *restocked.entry(entry.text("order_id")).or_default() -= entry.number("on_hand_delta");
        }
    }
    for (order_id, rest) in restocked {
        if let Some(what) = differs(&format!("units of order {order_id} put back beside the ledger"), rest, 0)
        {
            found.of(order_id, what);
        }
    }
}

pub fn partners_have_numbers(facts: &Facts, found: &mut Findings<'_>) {
    let numbers: HashSet<(&str, &str)> = facts
        .rows(Service::Inventory, "partner_number")
        .map(|number| (number.text("integration_key"), number.text("external_number")))
        .collect();
    let unknown = |fulfilment: &Row<'_>| {
        let known = (fulfilment.text("integration_key"), fulfilment.text("external_number"));
        !known.1.is_empty() && !numbers.contains(&known)
    };
    found.all(facts.rows(Service::Inventory, "fulfilment").filter(unknown));
}

pub fn nobody_is_asked_in_vain(facts: &Facts, found: &mut Findings<'_>) {
    let ended: HashSet<&str> = facts
        .rows(Service::Order, "saga")
        .filter(|saga| matches!(saga.text("state"), "completed" | "unwound"))
        .map(|saga| saga.text("id"))
        .collect();
    let label =
        |label: &Row<'_>| label.text("state") == "void_requested" && ended.contains(label.text("void_by"));
    let task = |task: &Row<'_>| task.text("state") == "requested" && ended.contains(task.text("saga_id"));
    let line = |line: &Row<'_>| {
        let shipped = line.text("state") == "shipped" && ended.contains(line.text("held_by"));
        shipped || ended.contains(line.text("claimed_by"))
    };
    found.all(facts.rows(Service::Inventory, "label").filter(label));
    found.all(facts.rows(Service::Inventory, "partner_task").filter(task));
    found.all(facts.rows(Service::Inventory, "fulfilment_line").filter(line));
}

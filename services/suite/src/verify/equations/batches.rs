//! Batches: each item has one change of its own order, or says how it ended.

use std::collections::{HashMap, HashSet};

use super::differs;
use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

/// Every item's outcome agrees with the change it names, and an order stands in a batch once.
pub fn items_have_one_change(facts: &Facts, found: &mut Findings<'_>) {
    let changes: HashMap<&str, Row<'_>> = facts
        .rows(Service::Order, "change_order")
        .map(|change| (change.text("change_order_id"), change))
        .collect();
    let mut units: HashMap<&str, i64> = HashMap::new();
    for line in facts.rows(Service::Order, "change_order_line") {
        *units.entry(line.text("change_order_id")).or_default() += line.number("quantity");
    }
    let (mut named, mut orders) = (HashSet::new(), HashSet::new());
    found.each(facts.rows(Service::Order, "batch_item"), |item| {
        let (change_id, order_id) = (item.text("change_order_id"), item.text("order_id"));
        let twice = (!change_id.is_empty() && !named.insert(change_id))
            || (!order_id.is_empty() && !orders.insert((item.text("batch_id"), order_id)));
        if twice {
            return Some(format!("an order or a change stands in a batch twice: {}", item.describe()));
        }
        let needs_change = matches!(item.text("state"), "executing" | "cancelled");
        let Some(change) = changes.get(change_id) else {
            return (needs_change || !change_id.is_empty())
                .then(|| format!("an item without its change: {}", item.describe()));
        };
        if change.text("order_id") != order_id || change.text("channel") != "batch" {
            return Some(format!("a change of something else: {}", item.describe()));
        }
        let fits = match item.text("state") {
            "cancelled" => {
                matches!(change.text("state"), "settling" | "completed" | "completed_with_exceptions")
            }
            "refused" => matches!(change.text("state"), "rejected" | "withdrawn" | "declined" | "expired"),
            // What an executing change has come to meanwhile is written with the next round.
            "executing" => true,
            _ => false,
        };
        if !fits {
            return Some(format!(
                "the item and its change ({}) disagree: {}",
                change.text("state"),
                item.describe()
            ));
        }
        if item.text("state") != "cancelled" {
            return None;
        }
        let has = (item.number("amount_minor"), item.number("units"));
        let should = (change.number("amount_minor"), units.get(change_id).copied().unwrap_or_default());
        differs(&format!("amount and units of an item ({change_id})"), has, should)
    });
}

/// Every change that came by a batch belongs to an item, or to the very request of one that is being submitted.
pub fn changes_belong_to_items(facts: &Facts, found: &mut Findings<'_>) {
    let named: HashSet<&str> =
        facts.rows(Service::Order, "batch_item").map(|item| item.text("change_order_id")).collect();
    let submitting: HashSet<String> = facts
        .rows(Service::Order, "batch_item")
        .filter(|item| item.text("state") == "submitting")
        .map(|item| format!("{}/{}", item.text("batch_id"), item.number("item_number")))
        .collect();
    let asked_as: HashMap<&str, &str> = facts
        .rows(Service::Order, "request_key")
        .filter(|key| key.text("method") == "SubmitChangeOrder")
        .map(|key| (key.text("resource_id"), key.text("request_id")))
        .collect();
    let strayed = |change: &Row<'_>| {
        let id = change.text("change_order_id");
        let under_way = asked_as.get(id).is_some_and(|request| submitting.contains(*request));
        change.text("channel") == "batch" && !named.contains(id) && !under_way
    };
    found.all(facts.rows(Service::Order, "change_order").filter(strayed));
}

/// A batch has the items it was made of, and nothing of it is open once it is completed.
pub fn batches_add_up(facts: &Facts, found: &mut Findings<'_>) {
    let mut items: HashMap<&str, (i64, i64)> = HashMap::new();
    for item in facts.rows(Service::Order, "batch_item") {
        let (all, open) = items.entry(item.text("batch_id")).or_default();
        *all += 1;
        *open += i64::from(matches!(item.text("state"), "waiting" | "submitting" | "executing"));
    }
    found.each(facts.rows(Service::Order, "batch"), |batch| {
        let (all, open) = items.get(batch.text("batch_id")).copied().unwrap_or_default();
        let completed = batch.text("state") == "completed";
        if completed && (open > 0 || batch.text("finished_at").is_empty()) {
            return Some(format!("a completed batch with {open} open items: {}", batch.describe()));
        }
        differs(&format!("items of {}", batch.text("batch_id")), all, batch.number("items"))
    });
}

//! History: requests, the timeline, events. Complete, gap-free, told once.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::differs;
use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;

pub fn request_keys(facts: &Facts) -> Option<String> {
    let mut submitted: HashMap<&str, usize> = HashMap::new();
    for service in Service::ALL {
        let mut keys = HashSet::new();
        for key in facts.rows(service, "request_key") {
            if !keys.insert((key.text("method"), key.text("request_id"))) {
                return Some(format!("a request id twice: {}", key.describe()));
            }
            if key.text("fingerprint").is_empty() || key.text("resource_id").is_empty() {
                return Some(format!("a request id without its request or resource: {}", key.describe()));
            }
            *submitted.entry(key.text("resource_id")).or_default() += 1;
        }
    }
    let one_each = |book: &str, id: &str| {
        facts
            .rows(Service::Order, book)
            .find(|row| !submitted.contains_key(row.text(id)))
            .map(|row| format!("nobody asked for {}", row.describe()))
    };
    one_each("order_head", "order_id").or_else(|| one_each("change_order", "change_order_id"))
}

pub fn timeline_complete(facts: &Facts) -> Option<String> {
    let mut last: HashMap<&str, (i64, &str)> = HashMap::new();
    let mut entries: Vec<Row<'_>> = facts.rows(Service::Order, "timeline").collect();
    entries.sort_by_key(|entry| (entry.text("order_id"), entry.number("seq")));
    for entry in entries {
        let (seq, at) = last.entry(entry.text("order_id")).or_default();
        if entry.number("seq") != *seq + 1 || entry.text("at") < *at {
            return Some(format!("out of sequence after {seq} at {at}: {}", entry.describe()));
        }
        if entry.text("actor_user").is_empty() || entry.text("event").is_empty() {
            return Some(format!("unsigned: {}", entry.describe()));
        }
        (*seq, *at) = (entry.number("seq"), entry.text("at"));
    }
    facts.rows(Service::Order, "order_head").find_map(|order| {
        let id = order.text("order_id");
        let entries = last.get(id).map_or(0, |(seq, _)| *seq);
        differs(&format!("timeline length of order {id}"), order.number("timeline_seq"), entries)
    })
}

pub fn timeline_tells_steps(facts: &Facts) -> Option<String> {
    let steps = |service_rows: &mut dyn Iterator<Item = Row<'_>>| {
        let mut counts: BTreeMap<(String, String, String), usize> = BTreeMap::new();
        for row in service_rows {
            let key = ["saga_id", "step", "direction"].map(|column| row.text(column).to_owned());
            *counts.entry(key.into()).or_default() += 1;
        }
        counts
    };
    let done = steps(&mut facts.rows(Service::Order, "saga_step"));
    let told =
        steps(&mut facts.rows(Service::Order, "timeline").filter(|entry| !entry.text("step").is_empty()));
    let untold = done.iter().find(|(key, count)| told.get(*key) != Some(*count));
    let made_up = told.keys().find(|key| !done.contains_key(*key));
    untold
        .map(|(key, count)| format!("{key:?} was recorded {count} times, told {:?} times", told.get(key)))
        .or_else(|| made_up.map(|key| format!("{key:?} is told but was never recorded")))
}

pub fn outbox_complete(facts: &Facts) -> Option<String> {
    for (service, heads) in
        [(Service::Order, "order_head"), (Service::Inventory, "goods"), (Service::Payment, "account")]
    {
        let mut numbers: HashMap<&str, Vec<i64>> = HashMap::new();
        // What a gateway told of no order of ours is told once, under the webhook's own name.
        let of_orders =
            facts.rows(service, "outbox").filter(|event| event.text("aggregate_type") != "gateway_event");
        for event in of_orders {
            numbers.entry(event.text("aggregate_id")).or_default().push(event.number("aggregate_seq"));
        }
        for head in facts.rows(service, heads) {
            let id = head.text("order_id");
            let mut numbers = numbers.remove(id).unwrap_or_default();
            numbers.sort_unstable();
            let expected: Vec<i64> = (1..=head.number("event_seq")).collect();
            let what = format!("event numbers of order {id} in {}", service.name());
            if let Some(broken) = differs(&what, numbers, expected) {
                return Some(broken);
            }
        }
        if let Some(id) = numbers.keys().next() {
            return Some(format!("{} sent events of {id}, which it does not know", service.name()));
        }
    }
    transitions_told(facts)
}

/// Accepted, committed, rejected, completed: each state a change has reached has its event.
fn transitions_told(facts: &Facts) -> Option<String> {
    let mut events: HashMap<(&str, &str), usize> = HashMap::new();
    for event in facts.rows(Service::Order, "outbox") {
        let kind = event.text("type").rsplit('.').next().unwrap_or_default();
        *events.entry((event.text("aggregate_id"), kind)).or_default() += 1;
    }
    let mut expected: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for order in facts.rows(Service::Order, "order_head") {
        let kind = match order.text("placement") {
            "open" => "OrderPlaced",
            "failed" => "OrderPlacementFailed",
            _ => continue,
        };
        expected.insert((order.text("order_id"), kind), 1);
    }
    for change in facts.rows(Service::Order, "change_order") {
        let kinds: &[&str] = match change.text("state") {
            "executing" | "unwinding" => &["ChangeOrderAccepted"],
            "rejected" => &["ChangeOrderAccepted", "ChangeOrderRejected"],
            "settling" => &["ChangeOrderAccepted", "ChangeOrderCommitted"],
            "completed" | "completed_with_exceptions" if change.text("decided_at").is_empty() => continue,
            "completed" | "completed_with_exceptions" => {
                &["ChangeOrderAccepted", "ChangeOrderCommitted", "ChangeOrderCompleted"]
            }
            _ => continue,
        };
        for kind in kinds {
            *expected.entry((change.text("order_id"), kind)).or_default() += 1;
        }
    }
    expected.into_iter().find_map(|((order, kind), count)| {
        let told = events.get(&(order, kind)).copied().unwrap_or_default();
        (told < count).then(|| format!("order {order} has {told} {kind} events for {count} transitions"))
    })
}

pub fn inbox_matches_outbox(facts: &Facts) -> Option<String> {
    for (source, target) in [
        (Service::Order, Service::Notification),
        (Service::Inventory, Service::Order),
        (Service::Payment, Service::Order),
        (Service::Notification, Service::Order),
    ] {
        let mut taken: HashMap<&str, usize> = HashMap::new();
        for event in facts.rows(target, "inbox").filter(|event| event.text("source") == source.name()) {
            *taken.entry(event.text("event_id")).or_default() += 1;
        }
        for event in facts.rows(source, "outbox") {
            let count = taken.remove(event.text("event_id")).unwrap_or_default();
            let sent = event.text("state") == "sent";
            if count > 1 || (sent && count == 0) {
                return Some(format!("{} took it in {count} times: {}", target.name(), event.describe()));
            }
        }
        // Books are read one service after the other: an event may have been sent after its sender was read.
        if facts.moving.is_empty()
            && let Some(event) = taken.keys().next()
        {
            return Some(format!(
                "{} took in event {event}, which {} never sent",
                target.name(),
                source.name()
            ));
        }
    }
    None
}

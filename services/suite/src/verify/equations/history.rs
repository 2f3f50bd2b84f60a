//! History: requests, the timeline, events. Complete, gap-free, told once.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::differs;
use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

pub fn request_keys(facts: &Facts, found: &mut Findings<'_>) {
    let mut submitted: HashSet<&str> = HashSet::new();
    for service in Service::ALL {
        let (mut keys, mut ids) = (HashSet::new(), HashSet::new());
        found.each(facts.rows(service, "request_key"), |key| {
            submitted.insert(key.text("resource_id"));
            if !keys.insert(["subject", "method", "request_id"].map(|column| key.text(column))) {
                return Some(format!("a request id twice: {}", key.describe()));
            }
            if key.text("id").is_empty() || !ids.insert(key.text("id")) {
                return Some(format!("a request without an id of its own: {}", key.describe()));
            }
            (key.text("fingerprint").is_empty() || key.text("resource_id").is_empty())
                .then(|| format!("a request id without its request or resource: {}", key.describe()))
        });
    }
    for (book, id) in [("order_head", "order_id"), ("change_order", "change_order_id")] {
        found.each(facts.rows(Service::Order, book), |row| {
            (!submitted.contains(row.text(id))).then(|| format!("nobody asked for {}", row.describe()))
        });
    }
}

pub fn timeline_complete(facts: &Facts, found: &mut Findings<'_>) {
    let mut last: HashMap<&str, (i64, &str)> = HashMap::new();
    let mut entries: Vec<Row<'_>> = facts.rows(Service::Order, "timeline").collect();
    entries.sort_by_key(|entry| (entry.text("order_id"), entry.number("seq")));
    found.each(entries.into_iter(), |entry| {
        let before = last.entry(entry.text("order_id")).or_default();
        let (seq, at) = std::mem::replace(before, (entry.number("seq"), entry.text("at")));
        if entry.number("seq") != seq + 1 || entry.text("at") < at {
            return Some(format!("out of sequence after {seq} at {at}: {}", entry.describe()));
        }
        (entry.text("actor_user").is_empty() || entry.text("event").is_empty())
            .then(|| format!("unsigned: {}", entry.describe()))
    });
    found.each(facts.rows(Service::Order, "order_head"), |order| {
        let id = order.text("order_id");
        let entries = last.get(id).map_or(0, |(seq, _)| *seq);
        differs(&format!("timeline length of order {id}"), order.number("timeline_seq"), entries)
    });
}

pub fn timeline_tells_steps(facts: &Facts, found: &mut Findings<'_>) {
    let done = count_steps(facts.rows(Service::Order, "saga_step"));
    let told =
        count_steps(facts.rows(Service::Order, "timeline").filter(|entry| !entry.text("step").is_empty()));
    for (key, (step, count)) in &done {
        let times = told.get(key).map(|(_, times)| *times);
        if times != Some(*count) {
            found.about(*step, format!("{key:?} was recorded {count} times, told {times:?} times"));
        }
    }
    for (key, (entry, _)) in told.iter().filter(|(key, _)| !done.contains_key(*key)) {
        found.about(*entry, format!("{key:?} is told but was never recorded"));
    }
}

/// How often each step stands there, with its first row.
fn count_steps<'a>(rows: impl Iterator<Item = Row<'a>>) -> BTreeMap<[&'a str; 3], (Row<'a>, usize)> {
    let mut counts: BTreeMap<[&str; 3], (Row<'_>, usize)> = BTreeMap::new();
    for row in rows {
        let key = ["saga_id", "step", "direction"].map(|column| row.text(column));
        counts.entry(key).or_insert((row, 0)).1 += 1;
    }
    counts
}

/// The kind of aggregate that a tenant's role map is told as.
const ROLES: &str = "roles";
/// What is told beside the numbered events of an order: what a gateway told of no order of ours, under the webhook's own
/// name; a tenant's roles; whom an order's messages go to.
const BESIDE: [&str; 3] = ["gateway_event", ROLES, "contact"];

pub fn outbox_complete(facts: &Facts, found: &mut Findings<'_>) {
    for (service, heads) in
        [(Service::Order, "order_head"), (Service::Inventory, "goods"), (Service::Payment, "account")]
    {
        let mut numbers: HashMap<&str, Vec<i64>> = HashMap::new();
        let of_orders =
            facts.rows(service, "outbox").filter(|event| !BESIDE.contains(&event.text("aggregate_type")));
        for event in of_orders {
            numbers.entry(event.text("aggregate_id")).or_default().push(event.number("aggregate_seq"));
        }
        found.each(facts.rows(service, heads), |head| {
            let id = head.text("order_id");
            let mut numbers = numbers.remove(id).unwrap_or_default();
            numbers.sort_unstable();
            let expected: Vec<i64> = (1..=head.number("event_seq")).collect();
            let what = format!("event numbers of order {id} in {}", service.name());
            differs(&what, numbers, expected)
        });
        for id in numbers.keys() {
            found.of(id, format!("{} sent events of {id}, which it does not know", service.name()));
        }
    }
    transitions_told(facts, found);
}

/// Accepted, committed, rejected, completed: each state a change has reached has its event.
fn transitions_told(facts: &Facts, found: &mut Findings<'_>) {
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
    for ((order, kind), count) in expected {
        let told = events.get(&(order, kind)).copied().unwrap_or_default();
        if told < count {
            found.of(order, format!("order {order} has {told} {kind} events for {count} transitions"));
        }
    }
}

pub fn inbox_matches_outbox(facts: &Facts, found: &mut Findings<'_>) {
    for (source, target) in [
        (Service::Order, Service::Notification),
        (Service::Inventory, Service::Order),
        (Service::Payment, Service::Order),
        (Service::Notification, Service::Order),
    ] {
        let mut taken: HashMap<&str, (Row<'_>, usize)> = HashMap::new();
        for event in facts.rows(target, "inbox").filter(|event| event.text("source") == source.name()) {
            taken.entry(event.text("event_id")).or_insert((event, 0)).1 += 1;
        }
        // A map of roles is kept by its version, whichever event brings it.
        let of_orders = facts.rows(source, "outbox").filter(|event| event.text("aggregate_type") != ROLES);
        found.each(of_orders, |event| {
            let count = taken.remove(event.text("event_id")).map_or(0, |(_, count)| count);
            (count > 1 || (event.text("state") == "sent" && count == 0))
                .then(|| format!("{} took it in {count} times: {}", target.name(), event.describe()))
        });
        for (event, (row, _)) in taken.into_iter().filter(|(_, (row, _))| row.text("aggregate_type") != ROLES)
        {
            let what = format!("{} took in event {event}, which {} never sent", target.name(), source.name());
            found.about(row, what);
        }
    }
}

//! What is kept beside orders: the event log, rules, folders, messages, proposals, decisions, webhooks.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::differs;
use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

/// Each position stands for one event of the outbox, and an order's events stand in their own order without a gap.
pub fn log_keeps_the_order_of_events(facts: &Facts, found: &mut Findings<'_>) {
    let events: HashMap<&str, (&str, i64)> = facts
        .rows(Service::Order, "outbox")
        .map(|event| (event.text("event_id"), (event.text("aggregate_id"), event.number("aggregate_seq"))))
        .collect();
    let mut entries: Vec<Row<'_>> = facts.rows(Service::Order, "event_log").collect();
    entries.sort_by_key(|entry| entry.number("position"));
    let mut last: HashMap<&str, i64> = HashMap::new();
    found.each(entries.into_iter(), |entry| {
        let (order, seq) = (entry.text("order_id"), entry.number("order_seq"));
        let before = last.insert(order, seq).unwrap_or_default();
        if events.get(entry.text("event_id")) != Some(&(order, seq)) {
            return Some(format!("an entry of another event: {}", entry.describe()));
        }
        (seq != before + 1).then(|| format!("event {seq} of order {order} stands behind its event {before}"))
    });
}

/// Positions are numbered from 1 to the head, each once.
pub fn positions_are_gap_free(facts: &Facts, found: &mut Findings<'_>) {
    let mut positions: Vec<i64> =
        facts.rows(Service::Order, "event_log").map(|entry| entry.number("position")).collect();
    positions.sort_unstable();
    let mut last = 0;
    for position in positions {
        if position != last + 1 {
            found.of("", format!("position {position} of the event log stands behind {last}"));
        }
        last = position;
    }
    let head = facts.rows(Service::Order, "event_log_head").map(|head| head.number("last_position")).next();
    if let Some(what) = differs("the head of the event log", head.unwrap_or_default(), last) {
        found.of("", what);
    }
}

/// A rule runs once for an event that was told, and says why where it did not act.
pub fn rules_run_once(facts: &Facts, found: &mut Findings<'_>) {
    let rules: HashSet<&str> = facts.rows(Service::Order, "rule").map(|rule| rule.text("rule_id")).collect();
    let events: HashMap<&str, &str> = facts
        .rows(Service::Order, "outbox")
        .map(|event| (event.text("event_id"), event.text("aggregate_id")))
        .collect();
    let changes: HashMap<&str, Row<'_>> = facts
        .rows(Service::Order, "change_order")
        .map(|change| (change.text("change_order_id"), change))
        .collect();
    let mut seen = HashSet::new();
    found.each(facts.rows(Service::Order, "rule_run"), |run| {
        let (rule, event) = (run.text("rule_id"), run.text("event_id"));
        if !seen.insert((rule, event)) {
            return Some(format!("a rule ran twice for one event: {}", run.describe()));
        }
        if !rules.contains(rule) || events.get(event) != Some(&run.text("order_id")) {
            return Some(format!("a run of nothing that happened: {}", run.describe()));
        }
        if matches!(run.text("outcome"), "done" | "not_met") != run.text("cause_reason").is_empty() {
            return Some(format!("an outcome that its cause contradicts: {}", run.describe()));
        }
        let made = run.text("change_order_id");
        let of_rule = |change: &Row<'_>| {
            change.text("channel") == "rule" && change.text("order_id") == run.text("order_id")
        };
        (!made.is_empty() && !changes.get(made).is_some_and(of_rule))
            .then(|| format!("the change of a run is none of a rule's: {}", run.describe()))
    });
}

/// Orders stand in folders that there are, and messages are about orders and changes that there are.
pub fn desk_points_at_orders(facts: &Facts, found: &mut Findings<'_>) {
    let ids = |book: &str, column: &str| -> HashSet<&str> {
        facts.rows(Service::Order, book).map(|row| row.text(column)).collect()
    };
    let (folders, orders) = (ids("folder", "folder_id"), ids("order_head", "order_id"));
    let changes: HashMap<&str, &str> = facts
        .rows(Service::Order, "change_order")
        .map(|change| (change.text("change_order_id"), change.text("order_id")))
        .collect();
    let stands_nowhere = |row: &Row<'_>| {
        let folder = row.text("folder_id");
        !orders.contains(row.text("order_id")) || !(folder.is_empty() || folders.contains(folder))
    };
    let about_nothing = |row: &Row<'_>| {
        let (order, change) = (row.text("order_id"), row.text("change_order_id"));
        !orders.contains(order) || !(change.is_empty() || changes.get(change) == Some(&order))
    };
    found.all(facts.rows(Service::Order, "order_folder").filter(stands_nowhere));
    found.all(facts.rows(Service::Order, "message").filter(about_nothing));
}

/// A proposal that waits says until when, and a withdrawal waits as long as it takes; neither holds anything. One that was
/// not agreed to never had a saga.
pub fn proposals_hold_nothing(facts: &Facts, found: &mut Findings<'_>) {
    let carried: HashSet<&str> =
        facts.rows(Service::Order, "saga").map(|saga| saga.text("subject_id")).collect();
    let holding: HashSet<&str> =
        facts.rows(Service::Order, "order_head").map(|order| order.text("change_in_progress")).collect();
    let broken = |change: &Row<'_>| {
        let id = change.text("change_order_id");
        // What the law gives a consumer lapses for nobody's silence.
        let endless = change.text("expires_at").is_empty() && change.text("type") != "withdrawal";
        match change.text("state") {
            "requested" => {
                endless
                    || !change.text("decided_at").is_empty()
                    || carried.contains(id)
                    || holding.contains(id)
            }
            "declined" | "expired" => !change.text("decided_at").is_empty() || carried.contains(id),
            _ => false,
        }
    };
    found.all(facts.rows(Service::Order, "change_order").filter(broken));
}

/// What a decision and the change that came of it say alike, under which names.
const AGREE: [[&str; 2]; 5] = [
    ["order_id", "order_id"],
    ["policy_version", "policy_version"],
    ["rule", "rule"],
    ["asked_by_user", "requested_by_user"],
    ["asked_by_role", "requested_by_role"],
];

/// Every cancellation that was submitted since decisions are recorded has one, by the same rule, policy and person; a
/// refusal has no change.
pub fn decisions_have_their_facts(facts: &Facts, found: &mut Findings<'_>) {
    let mut decisions: HashMap<&str, Row<'_>> = HashMap::new();
    let mut since: Option<&str> = None;
    found.each(facts.rows(Service::Order, "decision"), |decision| {
        let change = decision.text("change_order_id");
        let at = decision.text("decided_at");
        since = Some(since.map_or(at, |since| since.min(at)));
        if change.is_empty() == decision.text("refused_reason").is_empty() {
            return Some(format!("neither a change nor a refusal: {}", decision.describe()));
        }
        (!change.is_empty() && decisions.insert(change, decision).is_some())
            .then(|| format!("a change that was decided twice: {}", decision.describe()))
    });
    let Some(since) = since else { return };
    found.each(facts.rows(Service::Order, "change_order"), |change| {
        let submitted = matches!(change.text("type"), "cancel_order" | "cancel_items" | "all_eligible");
        let Some(decision) = decisions.get(change.text("change_order_id")) else {
            return (submitted && change.text("created_at") > since)
                .then(|| format!("a change without its decision: {}", change.describe()));
        };
        let other = AGREE.iter().any(|[here, there]| decision.text(here) != change.text(there));
        other.then(|| format!("the decision says something else of {}", change.describe()))
    });
}

/// Tries of a webhook are numbered without a gap, each of a delivery to an endpoint that there is; what was sent was
/// answered with success, as far as the tries could be noted.
pub fn webhook_tries_are_noted(facts: &Facts, found: &mut Findings<'_>) {
    let endpoints: HashSet<&str> =
        facts.rows(Service::Notification, "webhook_endpoint").map(|row| row.text("webhook_id")).collect();
    let mut tries: HashMap<&str, BTreeMap<i64, i64>> = HashMap::new();
    found.each(facts.rows(Service::Notification, "webhook_attempt"), |attempt| {
        let of_delivery = tries.entry(attempt.text("delivery_id")).or_default();
        let twice = of_delivery.insert(attempt.number("attempt"), attempt.number("status")).is_some();
        twice.then(|| format!("a try that stands twice: {}", attempt.describe()))
    });
    found.each(facts.rows(Service::Notification, "delivery"), |delivery| {
        if delivery.text("channel") != "webhook" {
            return None;
        }
        // A delivery that goes out again has the number of the time behind its endpoint.
        let endpoint = delivery.text("recipient").split('#').next().unwrap_or_default();
        if !endpoints.contains(endpoint) {
            return Some(format!("a webhook for no endpoint: {}", delivery.describe()));
        }
        let noted = tries.remove(delivery.text("delivery_id"))?;
        if noted.keys().copied().ne(1..=i64::try_from(noted.len()).unwrap_or(i64::MAX)) {
            return Some(format!("tries with a gap: {}", delivery.describe()));
        }
        let answered = noted.values().any(|status| (200..300).contains(status));
        (delivery.text("state") == "sent" && !answered)
            .then(|| format!("a webhook that nobody has taken: {}", delivery.describe()))
    });
    for delivery in tries.keys() {
        found.of("", format!("tries of no delivery: {delivery}"));
    }
}

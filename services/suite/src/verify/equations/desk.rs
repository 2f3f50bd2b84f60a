//! What is kept beside orders: the event log, rules, folders, messages, proposals, decisions, webhooks.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::differs;
use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;

/// Positions are gap-free from 1 to the head; each stands for one event of the outbox, and an order's events stand in
/// their own order without a gap.
pub fn event_log_is_gap_free(facts: &Facts) -> Option<String> {
    let events: HashMap<&str, (&str, i64)> = facts
        .rows(Service::Order, "outbox")
        .map(|event| (event.text("event_id"), (event.text("aggregate_id"), event.number("aggregate_seq"))))
        .collect();
    let mut logged: BTreeMap<i64, Row<'_>> = BTreeMap::new();
    for entry in facts.rows(Service::Order, "event_log") {
        if let Some(twice) = logged.insert(entry.number("position"), entry) {
            return Some(format!("a position that stands twice: {}", twice.describe()));
        }
    }
    let mut last: HashMap<&str, i64> = HashMap::new();
    for (expected, (position, entry)) in (1..).zip(&logged) {
        if let Some(gap) = differs("the position of an event", *position, expected) {
            return Some(gap);
        }
        let (order, seq) = (entry.text("order_id"), entry.number("order_seq"));
        if events.get(entry.text("event_id")) != Some(&(order, seq)) {
            return Some(format!("an entry of another event: {}", entry.describe()));
        }
        let before = last.insert(order, seq).unwrap_or_default();
        if seq != before + 1 {
            return Some(format!("event {seq} of order {order} stands behind its event {before}"));
        }
    }
    let head = facts.rows(Service::Order, "event_log_head").map(|head| head.number("last_position")).next();
    differs(
        "the head of the event log",
        head.unwrap_or_default(),
        i64::try_from(logged.len()).unwrap_or(i64::MAX),
    )
}

/// A rule runs once for an event that was told, and says why where it did not act.
pub fn rules_run_once(facts: &Facts) -> Option<String> {
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
    facts.rows(Service::Order, "rule_run").find_map(|run| {
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
    })
}

/// Orders stand in folders that there are, and messages are about orders and changes that there are.
pub fn desk_points_at_orders(facts: &Facts) -> Option<String> {
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
    let placed = facts.rows(Service::Order, "order_folder").find(stands_nowhere);
    let message = || facts.rows(Service::Order, "message").find(about_nothing);
    placed.or_else(message).map(Row::describe)
}

/// A proposal that waits says until when and holds nothing; one that was not agreed to never had a saga.
pub fn proposals_hold_nothing(facts: &Facts) -> Option<String> {
    let carried: HashSet<&str> =
        facts.rows(Service::Order, "saga").map(|saga| saga.text("subject_id")).collect();
    let holding: HashSet<&str> =
        facts.rows(Service::Order, "order_head").map(|order| order.text("change_in_progress")).collect();
    facts
        .rows(Service::Order, "change_order")
        .find(|change| {
            let id = change.text("change_order_id");
            match change.text("state") {
                "requested" => {
                    change.text("expires_at").is_empty()
                        || !change.text("decided_at").is_empty()
                        || carried.contains(id)
                        || holding.contains(id)
                }
                "declined" | "expired" => !change.text("decided_at").is_empty() || carried.contains(id),
                _ => false,
            }
        })
        .map(Row::describe)
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
pub fn decisions_have_their_facts(facts: &Facts) -> Option<String> {
    let mut decisions: HashMap<&str, Row<'_>> = HashMap::new();
    let mut since: Option<&str> = None;
    for decision in facts.rows(Service::Order, "decision") {
        let change = decision.text("change_order_id");
        if change.is_empty() == decision.text("refused_reason").is_empty() {
            return Some(format!("neither a change nor a refusal: {}", decision.describe()));
        }
        let at = decision.text("decided_at");
        since = Some(since.map_or(at, |since| since.min(at)));
        if !change.is_empty() && decisions.insert(change, decision).is_some() {
            return Some(format!("a change that was decided twice: {}", decision.describe()));
        }
    }
    let since = since?;
    facts.rows(Service::Order, "change_order").find_map(|change| {
        let submitted = matches!(change.text("type"), "cancel_order" | "cancel_items" | "all_eligible");
        let Some(decision) = decisions.get(change.text("change_order_id")) else {
            return (submitted && change.text("created_at") > since)
                .then(|| format!("a change without its decision: {}", change.describe()));
        };
        let other = AGREE.iter().any(|[here, there]| decision.text(here) != change.text(there));
        other.then(|| format!("the decision says something else of {}", change.describe()))
    })
}

/// Tries of a webhook are numbered without a gap, each of a delivery to an endpoint that there is; what was sent was
/// answered with success, as far as the tries could be noted.
pub fn webhook_tries_are_noted(facts: &Facts) -> Option<String> {
    let endpoints: HashSet<&str> =
        facts.rows(Service::Notification, "webhook_endpoint").map(|row| row.text("webhook_id")).collect();
    let mut tries: HashMap<&str, BTreeMap<i64, i64>> = HashMap::new();
    for attempt in facts.rows(Service::Notification, "webhook_attempt") {
        let of_delivery = tries.entry(attempt.text("delivery_id")).or_default();
        if of_delivery.insert(attempt.number("attempt"), attempt.number("status")).is_some() {
            return Some(format!("a try that stands twice: {}", attempt.describe()));
        }
    }
    let broken = facts.rows(Service::Notification, "delivery").find_map(|delivery| {
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
    broken.or_else(|| tries.keys().next().map(|delivery| format!("tries of no delivery: {delivery}")))
}

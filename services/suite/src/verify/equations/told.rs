//! Messages: what is committed is told, once, and each message that left the house says how it ended.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

/// The templates that tell a buyer of a committed change.
const COMMITTED: [&str; 6] = [
    "cancellation.confirmed",
    "change.confirmed",
    "order.restored",
    "return.accepted",
    "order.short_shipped",
    "order.expired",
];

/// Each completed change that was decided has told its buyer so exactly once, in the list that people read.
pub fn commits_told(facts: &Facts, found: &mut Findings<'_>) {
    let mut told: HashMap<&str, usize> = HashMap::new();
    for row in facts.rows(Service::Notification, "notification") {
        let to_buyer = row.text("audience") == "buyer" && row.text("channel") == "inbox";
        if to_buyer && COMMITTED.contains(&row.text("template")) {
            *told.entry(row.text("change_order_id")).or_default() += 1;
        }
    }
    // An event that is still on its way was told to nobody yet.
    let waiting: HashSet<&str> = facts
        .rows(Service::Order, "outbox")
        .filter(|event| event.text("state") != "sent")
        .map(|event| event.text("aggregate_id"))
        .collect();
    found.each(facts.rows(Service::Order, "change_order"), |change| {
        let (id, order) = (change.text("change_order_id"), change.text("order_id"));
        let ended = matches!(change.text("state"), "completed" | "completed_with_exceptions")
            && !change.text("decided_at").is_empty();
        if !ended || waiting.contains(order) {
            return None;
        }
        let count = told.get(id).copied().unwrap_or_default();
        (count != 1).then(|| format!("the commit of {id} was told {count} times"))
    });
}

/// One event tells an audience one thing, through each channel once.
pub fn told_once(facts: &Facts, found: &mut Findings<'_>) {
    let mut channels: BTreeMap<(&str, &str), (Row<'_>, Vec<&str>)> = BTreeMap::new();
    found.each(facts.rows(Service::Notification, "notification"), |row| {
        let key = (row.text("event_id"), row.text("audience"));
        channels.entry(key).or_insert((row, Vec::new())).1.push(row.text("channel"));
        ((row.text("state") == "sent") == row.text("sent_at").is_empty())
            .then(|| format!("a state that its time contradicts: {}", row.describe()))
    });
    for ((event, audience), (row, mut through)) in channels {
        through.sort_unstable();
        if through != ["inbox", "log"] {
            found.about(row, format!("event {event} was told to the {audience} through {through:?}"));
        }
    }
}

/// One event goes to a recipient once per channel, comes from an event that was taken in or from a day's digest, and
/// its state agrees with how often it was tried and how it ended.
pub fn deliveries_agree(facts: &Facts, found: &mut Findings<'_>) {
    let taken: HashSet<&str> =
        facts.rows(Service::Notification, "inbox").map(|event| event.text("event_id")).collect();
    let digests: HashSet<&str> =
        facts.rows(Service::Notification, "digest").map(|digest| digest.text("event_id")).collect();
    let mut seen = HashSet::new();
    found.each(facts.rows(Service::Notification, "delivery"), |row| {
        let event = row.text("event_id");
        if !seen.insert((event, row.text("channel"), row.text("recipient"))) {
            return Some(format!("delivered twice: {}", row.describe()));
        }
        if !taken.contains(event) && !digests.contains(event) {
            return Some(format!("a delivery of nothing that happened: {}", row.describe()));
        }
        let (ended, why) = (!row.text("ended_at").is_empty(), !row.text("last_error").is_empty());
        let (tries, in_doubt) = (row.number("tries"), row.number("in_doubt"));
        let sound = match row.text("state") {
            "queued" => !ended && tries == 0,
            "sending" => !ended && tries > 0,
            "failed" => !ended && tries > 0 && why,
            // A second try in doubt makes it dead, so that there is one duplicate at most.
            "sent" => ended && tries > 0 && in_doubt < 2,
            "dead" | "suppressed" | "discarded" => ended && why,
            _ => false,
        };
        (!sound).then(|| format!("a state that cannot be: {}", row.describe()))
    });
}

/// The sums of the states: every delivery has ended or is open, per channel.
pub fn deliveries_add_up(facts: &Facts, found: &mut Findings<'_>) {
    let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
    for row in facts.rows(Service::Notification, "delivery") {
        let (all, ended) = counts.entry(row.text("channel")).or_default();
        *all += 1;
        *ended += usize::from(!row.text("ended_at").is_empty());
    }
    let open = facts
        .rows(Service::Notification, "delivery")
        .filter(|row| matches!(row.text("state"), "queued" | "sending" | "failed"))
        .fold(HashMap::<&str, usize>::new(), |mut open, row| {
            *open.entry(row.text("channel")).or_default() += 1;
            open
        });
    for (channel, (all, ended)) in counts {
        let open = open.get(channel).copied().unwrap_or_default();
        if all != ended + open {
            found.of("", format!("{channel}: {all} deliveries, {ended} ended and {open} open ones"));
        }
    }
}

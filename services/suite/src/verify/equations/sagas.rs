//! Sagas: what was accepted ends, and ends whole.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::clients::Service;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

/// A forward step, and the reversible step it completes. What was held is released, or written down.
const COMPLETES: [(&str, &str); 6] = [
    ("release_goods", "hold_goods"),
    ("keep_goods", "hold_goods"),
    ("write_down", "hold_goods"),
    ("take_back", "claim_returned"),
    ("settle_refund", "reserve_refund"),
    ("capture_payments", "authorise_payments"),
];

pub fn changes_end(facts: &Facts, found: &mut Findings<'_>) {
    let sagas: HashMap<&str, _> =
        facts.rows(Service::Order, "saga").map(|saga| (saga.text("id"), saga)).collect();
    let mut items: HashMap<&str, usize> = HashMap::new();
    let open = facts.rows(Service::Order, "attention").filter(|item| item.text("closed_at").is_empty());
    found.each(open, |item| {
        *items.entry(item.text("subject_id")).or_default() += 1;
        let allowed = item.text("allowed_actions");
        (allowed.is_empty() || allowed == "[]").then(|| format!("nothing is allowed for {}", item.describe()))
    });
    found.each(facts.rows(Service::Order, "saga"), |saga| {
        let ended = matches!(saga.text("state"), "completed" | "unwound");
        if ended == saga.text("finished_at").is_empty() {
            return Some(format!("state and finish of a saga disagree: {}", saga.describe()));
        }
        let untold = saga.text("state") == "needs_attention" && items.get(saga.text("id")) != Some(&1);
        untold.then(|| {
            format!("a saga that needs attention has not exactly one open item: {}", saga.describe())
        })
    });
    found.each(facts.rows(Service::Order, "change_order"), |change| {
        let ended = match change.text("state") {
            "executing" | "unwinding" | "settling" => false,
            "completed" | "completed_with_exceptions" | "rejected" => true,
            // These never had a saga.
            _ => return None,
        };
        if ended == change.text("finished_at").is_empty() {
            return Some(format!("state and finish disagree: {}", change.describe()));
        }
        let saga = sagas.get(change.text("saga_id"))?;
        let saga_ended = matches!(saga.text("state"), "completed" | "unwound");
        let own = saga.text("subject_id") == change.text("change_order_id");
        (own && saga_ended != ended).then(|| {
            format!("the change and its saga ({}) disagree: {}", saga.text("state"), change.describe())
        })
    });
}

#[derive(Default)]
struct Ledger<'a> {
    /// Steps whose `do` was applied here, with something done.
    done: HashSet<&'a str>,
    /// Steps whose `undo` is recorded here.
    undone: HashSet<&'a str>,
    /// Steps that had nothing to do.
    skipped: HashSet<&'a str>,
}

pub fn all_or_nothing(facts: &Facts, found: &mut Findings<'_>) {
    let mut ledgers: BTreeMap<&str, Ledger<'_>> = BTreeMap::new();
    for service in [Service::Inventory, Service::Payment] {
        for row in facts.rows(service, "step_ledger") {
            let ledger = ledgers.entry(row.text("saga_id")).or_default();
            match (row.text("direction"), row.text("outcome")) {
                ("do", "applied") => ledger.done.insert(row.text("step")),
                ("undo", "applied") => ledger.undone.insert(row.text("step")),
                _ => false,
            };
        }
    }
    // The order service itself may find that a forward step has nothing to do, and asks nobody then.
    for step in facts.rows(Service::Order, "saga_step") {
        if step.text("direction") == "do"
            && step.text("outcome") == "applied"
            && step.number("nothing_to_do") == 1
        {
            ledgers.entry(step.text("saga_id")).or_default().skipped.insert(step.text("step"));
        }
    }
    found.each(facts.rows(Service::Order, "saga"), |saga| {
        let empty = Ledger::default();
        let ledger = ledgers.get(saga.text("id")).unwrap_or(&empty);
        let broken = match saga.text("state") {
            "completed" => completed_wholly(ledger),
            "unwound" => unwound_wholly(ledger),
            _ => both_ways(ledger),
        };
        broken.map(|what| format!("{what}: {}", saga.describe()))
    });
}

fn completed_wholly(ledger: &Ledger<'_>) -> Option<String> {
    if let Some(step) = ledger.undone.iter().next() {
        return Some(format!("completed, yet {step} was undone"));
    }
    let is_completed = |reversible: &str| {
        let mut forwards = COMPLETES.iter().filter(|(_, completed)| *completed == reversible);
        forwards.any(|(forward, _)| ledger.done.contains(forward) || ledger.skipped.contains(forward))
    };
    COMPLETES
        .iter()
        .find(|(_, reversible)| ledger.done.contains(reversible) && !is_completed(reversible))
        .map(|(_, reversible)| format!("completed, yet {reversible} was never completed"))
}

fn unwound_wholly(ledger: &Ledger<'_>) -> Option<String> {
    if let Some((forward, _)) = COMPLETES.iter().find(|(forward, _)| ledger.done.contains(forward)) {
        return Some(format!("put back, yet {forward} was done"));
    }
    let left = ledger.done.iter().find(|step| !ledger.undone.contains(*step));
    left.map(|step| format!("put back, yet {step} was not undone"))
}

fn both_ways(ledger: &Ledger<'_>) -> Option<String> {
    COMPLETES
        .iter()
        .find(|(forward, reversible)| ledger.done.contains(forward) && ledger.undone.contains(reversible))
        .map(|(forward, reversible)| format!("{forward} was done and {reversible} undone"))
}

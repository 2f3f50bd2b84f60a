//! Money that takes another way than back to its tender: disputes, store credit, a person's hand; and what gateways
//! told.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{agreed, differs};
use crate::clients::Service;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

/// The denormalised sums that the schema's CHECKs stand on.
pub fn captures_agree(facts: &Facts, found: &mut Findings<'_>) {
    let mut refunded: HashMap<&str, i64> = HashMap::new();
    for refund in facts.rows(Service::Payment, "refund") {
        if !matches!(refund.text("state"), "declined" | "reversed" | "released") {
            *refunded.entry(refund.text("capture_id")).or_default() += refund.number("amount_minor");
        }
    }
    found.each(facts.rows(Service::Payment, "capture"), |capture| {
        let id = capture.text("capture_id");
        let counted = refunded.get(id).copied().unwrap_or_default();
        differs(&format!("refunds of capture {id}"), capture.number("refunded_minor"), counted)
    });
}

/// An open or lost dispute lies on its payment's captures, as far as they reach.
pub fn disputes_agree(facts: &Facts, found: &mut Findings<'_>) {
    let mut disputed: HashMap<&str, i64> = HashMap::new();
    found.each(facts.rows(Service::Payment, "dispute"), |dispute| {
        if dispute.text("state") != "won" {
            *disputed.entry(dispute.text("payment_id")).or_default() += dispute.number("amount_minor");
        }
        let ended = dispute.text("state") != "open";
        (ended == dispute.text("ended_at").is_empty() || dispute.number("amount_minor") <= 0)
            .then(|| format!("a dispute that cannot be: {}", dispute.describe()))
    });
    let mut borne: HashMap<&str, i64> = HashMap::new();
    for capture in facts.rows(Service::Payment, "capture") {
        *borne.entry(capture.text("payment_id")).or_default() += capture.number("disputed_minor");
    }
    found.each(facts.rows(Service::Payment, "payment"), |payment| {
        let id = payment.text("payment_id");
        let of = |sums: &HashMap<&str, i64>| sums.get(id).copied().unwrap_or_default();
        let expected = of(&disputed).min(payment.number("captured_minor"));
        differs(&format!("disputed amount of payment {id}"), of(&borne), expected)
    });
}

/// Each row's balance follows from the one before, and each stands for a refund of its amount.
pub fn store_credit_agrees(facts: &Facts, found: &mut Findings<'_>) {
    let refunds: HashMap<&str, i64> = facts
        .rows(Service::Payment, "refund")
        .filter(|refund| matches!(refund.text("state"), "succeeded" | "reversed"))
        .map(|refund| (refund.text("refund_id"), refund.number("amount_minor")))
        .collect();
    let mut rows: Vec<_> = facts.rows(Service::Payment, "store_credit").collect();
    rows.sort_by_key(|row| (row.text("order_id"), row.number("seq")));
    let mut last: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    found.each(rows.into_iter(), |row| {
        let before = last.entry(row.text("order_id")).or_default();
        let (seq, balance) = std::mem::replace(before, (row.number("seq"), row.number("balance_minor")));
        let follows = row.number("seq") == seq + 1
            && row.number("balance_minor") == balance + row.number("delta_minor")
            && refunds.get(row.text("refund_id")) == Some(&row.number("delta_minor"));
        (!follows).then(|| format!("store credit that follows from nothing: {}", row.describe()))
    });
    found.each(facts.rows(Service::Payment, "account"), |account| {
        let id = account.text("order_id");
        let told = (account.number("credit_seq"), account.number("store_credit_minor"));
        differs(&format!("store credit of order {id}"), told, last.get(id).copied().unwrap_or_default())
    });
}

/// What was paid by hand, or became store credit, stands in the book beside the tenders.
pub fn ledger_matches_other_ways(facts: &Facts, found: &mut Findings<'_>) {
    let mut booked: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for entry in facts.rows(Service::Payment, "money_ledger") {
        let till = entry.text("account").split(':').next().unwrap_or_default();
        if matches!(till, "by_hand" | "credit") {
            let paid = entry.number("credit_minor") - entry.number("debit_minor");
            *booked.entry((entry.text("order_id"), till)).or_default() += paid;
        }
    }
    let mut paid: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for refund in facts.rows(Service::Payment, "refund") {
        let till = match (refund.text("state"), refund.text("method")) {
            ("resolved_externally", _) => "by_hand",
            ("succeeded", "store_credit") => "credit",
            _ => continue,
        };
        *paid.entry((refund.text("order_id"), till)).or_default() += refund.number("amount_minor");
    }
    let keys: BTreeSet<_> = booked.keys().chain(paid.keys()).copied().collect();
    for key in keys {
        let of = |sums: &BTreeMap<(&str, &str), i64>| sums.get(&key).copied().unwrap_or_default();
        let what = format!("what order {} was paid {}", key.0, key.1);
        if let Some(what) = differs(&what, of(&booked), of(&paid)) {
            found.of(key.0, what);
        }
    }
}

/// A refund's explanation comes from the parts its change was reserved with.
pub fn parts_agree(facts: &Facts, found: &mut Findings<'_>) {
    // A restoration reserves no refund: its hold only keeps the ceiling that it replaced.
    let changes: HashMap<&str, i64> = facts
        .rows(Service::Order, "change_order")
        .filter(|change| change.text("type") != "restore")
        // Goods that go pay for those that come: only the rest goes back.
        .map(|change| {
            let rest = change.number("amount_minor") - agreed::added_minor(change);
            (change.text("change_order_id"), rest.max(0))
        })
        .collect();
    found.each(facts.rows(Service::Payment, "refund_hold"), |hold| {
        let part = |name: &str| hold.number(name);
        let sum = part("gross_minor") - part("discount_minor")
            + part("tax_minor")
            + part("shipping_minor")
            + part("shipping_tax_minor")
            - part("fee_minor");
        let change = hold.text("change_order_id");
        let worth = changes.get(change).copied()?;
        differs(&format!("parts of change {change} as reserved"), sum, worth)
    });
}

/// An event waits, or it has been looked at; none is there twice.
pub fn gateway_events_end(facts: &Facts, found: &mut Findings<'_>) {
    let mut seen = HashSet::new();
    found.each(facts.rows(Service::Payment, "gateway_event"), |event| {
        let waits = event.text("state") == "received";
        let sound = waits == (event.number("next_at") != 0) && (waits || event.number("tries") > 0);
        let once = seen.insert((event.text("gateway"), event.text("event_id")));
        (!sound || !once).then(|| format!("a webhook that was not worked on: {}", event.describe()))
    });
}

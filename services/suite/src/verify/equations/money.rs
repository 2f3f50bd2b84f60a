//! Money: never more back than was taken, each effect once, both sides of every movement equal.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::differs;
use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

/// Refund states whose amount is, or may yet be, the customer's.
fn counts(refund: Row<'_>) -> bool {
    refund.text("kind") == "refund"
        && matches!(
            refund.text("state"),
            "awaiting_capture"
                | "reserved"
                | "submitting"
                | "pending"
                | "requires_action"
                | "unknown"
                | "succeeded"
                | "external"
                | "manual"
                | "resolved_externally"
        )
}

fn refunded_by_payment(facts: &Facts) -> HashMap<&str, i64> {
    let mut refunded: HashMap<&str, i64> = HashMap::new();
    // What waits for its capture is not given back of what is captured already.
    let refunds =
        facts.rows(Service::Payment, "refund").filter(|row| row.text("state") != "awaiting_capture");
    for refund in refunds.filter(|refund| counts(*refund)) {
        *refunded.entry(refund.text("payment_id")).or_default() += refund.number("amount_minor");
    }
    refunded
}

pub fn refunds_within_capture(facts: &Facts, found: &mut Findings<'_>) {
    let refunded = refunded_by_payment(facts);
    found.each(facts.rows(Service::Payment, "payment"), |payment| {
        let back = refunded.get(payment.text("payment_id")).copied().unwrap_or_default();
        (back > payment.number("captured_minor"))
            .then(|| format!("{back} is given back of {}", payment.describe()))
    });
}

pub fn payments_agree(facts: &Facts, found: &mut Findings<'_>) {
    let (mut captured, mut voided): (HashMap<&str, i64>, HashMap<&str, i64>) = Default::default();
    for capture in facts.rows(Service::Payment, "capture").filter(|row| row.text("state") == "captured") {
        *captured.entry(capture.text("payment_id")).or_default() += capture.number("amount_minor");
    }
    for void in facts.rows(Service::Payment, "refund") {
        if void.text("kind") == "void" && void.text("state") == "succeeded" {
            *voided.entry(void.text("payment_id")).or_default() += void.number("amount_minor");
        }
    }
    found.each(facts.rows(Service::Payment, "payment"), |payment| {
        let id = payment.text("payment_id");
        let taken = captured.get(id).copied().unwrap_or_default();
        let released = voided.get(id).copied().unwrap_or_default();
        let (captured, voided) = (payment.number("captured_minor"), payment.number("voided_minor"));
        differs(&format!("captured amount of payment {id}"), captured, taken)
            .or_else(|| {
                (voided < released).then(|| format!("{released} was voided of {}", payment.describe()))
            })
            .or_else(|| {
                let authorised = payment.number("authorised_minor");
                (captured + voided > authorised)
                    .then(|| format!("more than authorised: {}", payment.describe()))
            })
    });
}

/// Allotted, captured, voided and refunded, over the parts of all orders.
pub fn shared_payments_agree(facts: &Facts, found: &mut Findings<'_>) {
    let mut back: HashMap<&str, i64> = HashMap::new();
    for capture in facts.rows(Service::Payment, "capture").filter(|row| row.text("state") == "captured") {
        *back.entry(capture.text("payment_id")).or_default() += capture.number("refunded_minor");
    }
    let mut parts: HashMap<&str, [i64; 4]> = HashMap::new();
    for part in
        facts.rows(Service::Payment, "payment").filter(|row| !row.text("shared_payment_id").is_empty())
    {
        let sums = parts.entry(part.text("shared_payment_id")).or_default();
        sums[0] += part.number("amount_minor");
        sums[1] += part.number("captured_minor");
        sums[2] += part.number("voided_minor");
        sums[3] += back.get(part.text("payment_id")).copied().unwrap_or_default();
    }
    found.each(facts.rows(Service::Payment, "shared_payment"), |shared| {
        let id = shared.text("shared_payment_id");
        let told = ["allotted_minor", "captured_minor", "voided_minor", "refunded_minor"];
        let told = told.map(|column| shared.number(column));
        let counted = parts.get(id).copied().unwrap_or_default();
        differs(&format!("parts of shared payment {id}"), told, counted).or_else(|| {
            (told[0] > shared.number("authorised_minor"))
                .then(|| format!("more is shared than was authorised: {}", shared.describe()))
        })
    });
}

pub fn one_effect_per_capture(facts: &Facts, found: &mut Findings<'_>) {
    let mut seen = HashSet::new();
    let refunds = facts
        .rows(Service::Payment, "refund")
        .filter(|refund| counts(*refund) && !refund.text("capture_id").is_empty())
        // What nobody's change asked for, such as a refund made elsewhere, may come as often as it likes.
        .filter(|refund| !refund.text("change_order_id").is_empty());
    found.all(
        refunds.filter(|refund| !seen.insert((refund.text("change_order_id"), refund.text("capture_id")))),
    );
}

pub fn gateway_agrees(facts: &Facts, found: &mut Findings<'_>) {
    let mut effects = BTreeMap::new();
    for effect in facts.books.gateways.effects.iter().filter(|effect| effect.kind == "refund") {
        if effects.insert(effect.key.as_str(), effect).is_some() {
            found.of("", format!("the gateway refunded twice for {}", effect.key));
        }
    }
    let currencies: HashMap<&str, &str> = facts
        .rows(Service::Payment, "account")
        .map(|account| (account.text("order_id"), account.text("currency")))
        .collect();
    let payments: HashMap<&str, Row<'_>> = facts
        .rows(Service::Payment, "payment")
        .map(|payment| (payment.text("payment_id"), payment))
        .collect();
    let refunds = facts.rows(Service::Payment, "refund").filter(|refund| refund.text("kind") == "refund");
    found.each(refunds, |refund| {
        let effect = effects.remove(refund.text("refund_id"));
        let of = payments.get(refund.text("payment_id")).copied();
        if !of.is_some_and(|payment| is_the_sandboxs(facts, payment, refund)) {
            return None;
        }
        let expected = match (refund.text("state"), effect) {
            ("succeeded", _) => "applied",
            ("reversed", _) => "failed_after",
            ("released" | "reserved" | "awaiting_capture", Some(_)) => {
                return Some(format!("the gateway has an effect for {}", refund.describe()));
            }
            _ => return None,
        };
        let Some(effect) = effect else {
            return Some(format!("the gateway knows nothing of {}", refund.describe()));
        };
        let currency = currencies.get(refund.text("order_id")).copied().unwrap_or_default();
        // A refund that is going to fail later is still "applied" until the gateway says so.
        let agrees = expected == effect.outcome
            && effect.amount_minor == refund.number("amount_minor")
            && effect.currency_code == currency;
        (!agrees).then(|| {
            let (outcome, amount) = (&effect.outcome, effect.amount_minor);
            format!("the gateway says {outcome} {amount} for {}", refund.describe())
        })
    });
    // The gateways were read before our refunds, and each of those is written before its gateway is asked.
    for key in effects.keys() {
        found.of("", format!("the gateway refunded for {key}, which is no refund of ours"));
    }
}

/// Only the sandbox shows us its book: another gateway, a simulator among them, has its own, whatever its references
/// look like. What is ours or a person's moves through no gateway.
fn is_the_sandboxs(facts: &Facts, payment: Row<'_>, refund: Row<'_>) -> bool {
    let reference = refund.text("gateway_reference");
    refund.text("method") == "tender"
        && payment.text("kind") == "gateway"
        && !facts.books.gateways.others.contains(payment.text("gateway"))
        && (reference.is_empty() || reference.starts_with("sandbox-"))
}

pub fn ledger_balances(facts: &Facts, found: &mut Findings<'_>) {
    let mut sums: BTreeMap<(&str, &str, &str), (i64, i64)> = BTreeMap::new();
    found.each(facts.rows(Service::Payment, "money_ledger"), |entry| {
        let sum =
            sums.entry((entry.text("order_id"), entry.text("tx_id"), entry.text("currency"))).or_default();
        sum.0 += entry.number("debit_minor");
        sum.1 += entry.number("credit_minor");
        (entry.number("debit_minor") < 0 || entry.number("credit_minor") < 0)
            .then(|| format!("a negative side: {}", entry.describe()))
    });
    for ((order, tx, _), (debit, credit)) in sums {
        if let Some(what) = differs(&format!("debit and credit of {tx} on order {order}"), debit, credit) {
            found.of(order, what);
        }
    }
}

pub fn ledger_matches_payments(facts: &Facts, found: &mut Findings<'_>) {
    let mut held: HashMap<&str, i64> = HashMap::new();
    for entry in facts.rows(Service::Payment, "money_ledger") {
        if let Some((till, payment)) = entry.text("account").split_once(':')
            && till != "by_hand"
        {
            *held.entry(payment).or_default() += entry.number("debit_minor") - entry.number("credit_minor");
        }
    }
    let mut gone: HashMap<&str, i64> = HashMap::new();
    for refund in facts.rows(Service::Payment, "refund") {
        if refund.text("kind") == "refund"
            && refund.text("method") == "tender"
            && matches!(refund.text("state"), "succeeded" | "external")
        {
            *gone.entry(refund.text("payment_id")).or_default() += refund.number("amount_minor");
        }
    }
    for dispute in facts.rows(Service::Payment, "dispute").filter(|row| row.text("state") == "lost") {
        *gone.entry(dispute.text("payment_id")).or_default() += dispute.number("amount_minor");
    }
    found.each(facts.rows(Service::Payment, "payment"), |payment| {
        let id = payment.text("payment_id");
        let ledger = held.get(id).copied().unwrap_or_default();
        let kept = payment.number("captured_minor") - gone.get(id).copied().unwrap_or_default();
        differs(&format!("ledger balance of payment {id}"), ledger, kept)
    });
}

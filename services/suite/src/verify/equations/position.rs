//! What is owed: computed once more from payment's rows, and named alike by payment, the order and every message.

use std::collections::HashMap;

use super::differs;
use crate::clients::Service;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

/// What of the captured money exceeds the worth and is on no way back, and what is in a person's hands or held up by a
/// dispute: by the rows of captures, refunds and disputes alone.
pub fn owed_follows_from_the_rows(facts: &Facts, found: &mut Findings<'_>) {
    let (mut kept, mut in_hand): (HashMap<&str, i64>, HashMap<&str, i64>) = Default::default();
    for payment in facts.rows(Service::Payment, "payment") {
        *kept.entry(payment.text("order_id")).or_default() += payment.number("captured_minor");
    }
    let mut frozen = std::collections::HashSet::new();
    for dispute in facts.rows(Service::Payment, "dispute") {
        match dispute.text("state") {
            "lost" => *kept.entry(dispute.text("order_id")).or_default() -= dispute.number("amount_minor"),
            "open" => drop(frozen.insert(dispute.text("payment_id"))),
            _ => {}
        }
    }
    for refund in facts.rows(Service::Payment, "refund").filter(|refund| refund.text("kind") == "refund") {
        let state = refund.text("state");
        if matches!(state, "awaiting_capture" | "declined" | "reversed" | "released") {
            continue;
        }
        let (order, amount) = (refund.text("order_id"), refund.number("amount_minor"));
        *kept.entry(order).or_default() -= amount;
        if state == "manual" || (state == "reserved" && frozen.contains(refund.text("payment_id"))) {
            *in_hand.entry(order).or_default() += amount;
        }
    }
    found.each(facts.still(Service::Payment, "account"), |account| {
        let id = account.text("order_id");
        let of = |sums: &HashMap<&str, i64>| sums.get(id).copied().unwrap_or_default();
        let owed = (of(&kept) - account.number("worth_minor")).max(0) + of(&in_hand);
        differs(&format!("what payment says is owed for order {id}"), account.number("told_owed_minor"), owed)
    });
}

/// The order shows the figure that payment told last, and both go by the same decision and the same worth.
pub fn order_shows_what_payment_told(facts: &Facts, found: &mut Findings<'_>) {
    let accounts: HashMap<&str, _> =
        facts.rows(Service::Payment, "account").map(|account| (account.text("order_id"), account)).collect();
    let open = facts.rows(Service::Order, "order_head").filter(|order| order.text("placement") == "open");
    found.each(open, |order| {
        let id = order.text("order_id");
        let account = accounts.get(id)?;
        let shown = (
            order.number("position_version"),
            order.number("position_seq"),
            order.number("refund_owed_minor"),
        );
        let told =
            (account.number("worth_version"), account.number("told_seq"), account.number("told_owed_minor"));
        let worth =
            order.number("placed_minor") - order.number("reversed_minor") - order.number("goodwill_minor")
                + order.number("fees_minor");
        differs(&format!("what is owed for order {id}, its number and decision"), shown, told)
            .or_else(|| {
                let decided = order.number("worth_version");
                differs(&format!("the last decision of order {id}"), decided, told.0)
            })
            .or_else(|| {
                let known = account.number("worth_minor");
                differs(&format!("the worth of order {id} that payment knows"), known, worth.max(0))
            })
    });
}

/// Every figure that was told stands in payment's book under its number, and whoever names a number names its figure.
pub fn figures_stand_under_their_numbers(facts: &Facts, found: &mut Findings<'_>) {
    let figures: HashMap<(&str, i64), i64> = facts
        .rows(Service::Payment, "owed_position")
        .map(|told| ((told.text("order_id"), told.number("seq")), told.number("owed_minor")))
        .collect();
    found.each(facts.rows(Service::Payment, "account"), |account| {
        let (seq, figure) = (account.number("told_seq"), account.number("told_owed_minor"));
        unlike(&figures, "payment's account", account.text("order_id"), seq, figure)
    });
    found.each(facts.rows(Service::Order, "order_head"), |order| {
        let (seq, figure) = (order.number("position_seq"), order.number("refund_owed_minor"));
        unlike(&figures, "the order", order.text("order_id"), seq, figure)
    });
    let naming = facts.rows(Service::Notification, "notification");
    found.each(naming.filter(|message| message.is_told("position_seq")), |message| {
        let (seq, figure) = (message.number("position_seq"), message.number("owed_minor"));
        unlike(&figures, "a message", message.text("order_id"), seq, figure)
    });
}

/// Who names another figure than was told under the number.
fn unlike<'a>(
    figures: &HashMap<(&'a str, i64), i64>,
    who: &str,
    order: &'a str,
    seq: i64,
    figure: i64,
) -> Option<String> {
    // Before anything was owed there was nothing to tell.
    let known = if seq == 0 { Some(0) } else { figures.get(&(order, seq)).copied() };
    (known != Some(figure)).then(|| {
        format!("{who} of order {order} names {figure} as owed under number {seq}, payment told {known:?}")
    })
}

//! Prices, recomputed from the frozen amounts: nothing here is taken from the services' own arithmetic.

use std::collections::{HashMap, HashSet};

use super::{agreed, differs};
use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

/// round_half_even(amount × k / n): what the first k of n units come to.
pub(super) fn cumulative(amount: i64, k: i64, n: i64) -> i64 {
    let (product, n) = (i128::from(amount) * i128::from(k), i128::from(n));
    let (quotient, rest) = (product.div_euclid(n), product.rem_euclid(n));
    let up = match (rest * 2).cmp(&n) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => quotient.rem_euclid(2),
        std::cmp::Ordering::Greater => 1,
    };
    i64::try_from(quotient + up).expect("a part of an i64 amount fits an i64")
}

pub fn placed_amounts(facts: &Facts, found: &mut Findings<'_>) {
    let mut placed: HashMap<&str, i64> = HashMap::new();
    let mut shares: HashMap<(&str, &str), (i64, i64)> = HashMap::new();
    found.each(facts.rows(Service::Order, "order_line"), |line| {
        let net = line.number("gross_minor")
            - line.number("line_discount_minor")
            - line.number("order_discount_minor");
        // Included tax is part of the goods already.
        let tax = if line.number("tax_included") == 1 { 0 } else { line.number("tax_minor") };
        *placed.entry(line.text("order_id")).or_default() += net + tax;
        let share = shares.entry((line.text("order_id"), line.text("delivery_group"))).or_default();
        share.0 += line.number("shipping_minor");
        share.1 += line.number("shipping_tax_minor");
        differs(&format!("goods net of line {}", line.text("line_id")), line.number("goods_net_minor"), net)
    });
    found.each(facts.rows(Service::Order, "delivery_group"), |group| {
        let key = (group.text("order_id"), group.text("delivery_group"));
        let charged = (group.number("shipping_minor"), group.number("shipping_tax_minor"));
        *placed.entry(key.0).or_default() += charged.0 + charged.1;
        differs(
            &format!("shipping of group \"{}\" of order {} against its lines' shares", key.1, key.0),
            charged,
            shares.get(&key).copied().unwrap_or_default(),
        )
    });
    found.each(facts.rows(Service::Order, "order_head"), |order| {
        let id = order.text("order_id");
        let sum = placed.get(id).copied().unwrap_or_default();
        differs(&format!("placed amount of order {id}"), order.number("placed_minor"), sum)
    });
}

/// The committed changes, oldest decision first. One that ended an order's placement is among them: its units are
/// cancelled like any others, though no money ever moved.
pub(super) fn committed(facts: &Facts) -> Vec<Row<'_>> {
    let mut changes: Vec<Row<'_>> = facts
        .rows(Service::Order, "change_order")
        .filter(|change| {
            matches!(change.text("state"), "settling" | "completed" | "completed_with_exceptions")
        })
        .collect();
    changes.sort_by_key(|change| (change.text("decided_at"), change.text("change_order_id")));
    changes
}

/// A restoration brings back what the others took off.
pub(super) fn sign(change: Row<'_>) -> i64 {
    if change.text("type") == "restore" { -1 } else { 1 }
}

pub fn reversed_amounts(facts: &Facts, found: &mut Findings<'_>) {
    let changes = committed(facts);
    let signs: HashMap<&str, i64> =
        changes.iter().map(|change| (change.text("change_order_id"), sign(*change))).collect();
    let mut by_order: HashMap<&str, (i64, i64)> = HashMap::new();
    let mut goodwill: HashMap<&str, i64> = HashMap::new();
    for change in &changes {
        if change.text("type") == "refund_only" {
            *goodwill.entry(change.text("order_id")).or_default() += change.number("amount_minor");
            continue;
        }
        let sum = by_order.entry(change.text("order_id")).or_default();
        sum.0 += sign(*change) * (change.number("amount_minor") + change.number("fee_minor"));
        sum.1 += sign(*change) * (change.number("shipping_minor") + change.number("shipping_tax_minor"));
    }
    let mut by_line: HashMap<&str, i64> = HashMap::new();
    for line in facts.rows(Service::Order, "change_order_line") {
        if let Some(sign) = signs.get(line.text("change_order_id")) {
            *by_line.entry(line.text("line_id")).or_default() += sign * line.number("amount_minor");
        }
    }
    let mut shipping: HashMap<&str, i64> = HashMap::new();
    for group in facts.rows(Service::Order, "delivery_group") {
        *shipping.entry(group.text("order_id")).or_default() +=
            group.number("shipping_reversed_minor") + group.number("shipping_tax_reversed_minor");
    }
    found.each(facts.still(Service::Order, "order_line"), |line| {
        let id = line.text("line_id");
        let sum = by_line.get(id).copied().unwrap_or_default();
        differs(&format!("amount taken back of line {id}"), line.number("reversed_minor"), sum)
    });
    found.each(facts.still(Service::Order, "order_head"), |order| {
        let id = order.text("order_id");
        let (amount, freight) = by_order.get(id).copied().unwrap_or_default();
        let given = goodwill.get(id).copied().unwrap_or_default();
        differs(&format!("amount taken back of order {id}"), order.number("reversed_minor"), amount)
            .or_else(|| differs(&format!("goodwill of order {id}"), order.number("goodwill_minor"), given))
            .or_else(|| {
                let groups = shipping.get(id).copied().unwrap_or_default();
                differs(&format!("shipping taken back of order {id}"), groups, freight)
            })
    });
}

/// What we keep of the captured money is the order's worth now, or what is still owed on top.
pub fn position(facts: &Facts, found: &mut Findings<'_>) {
    let mut captured: HashMap<&str, i64> = HashMap::new();
    for payment in facts.rows(Service::Payment, "payment") {
        *captured.entry(payment.text("order_id")).or_default() += payment.number("captured_minor");
    }
    let restored: HashSet<&str> = committed(facts)
        .into_iter()
        .filter(|change| change.text("type") == "restore" || !agreed::added(*change).is_empty())
        .map(|change| change.text("order_id"))
        .collect();
    let mut back: HashMap<&str, i64> = HashMap::new();
    // What others gave back or took without being asked: it may go below what the order is worth.
    let mut unasked: HashMap<&str, i64> = HashMap::new();
    for refund in facts.rows(Service::Payment, "refund") {
        if refund.text("kind") == "refund"
            && !matches!(refund.text("state"), "released" | "declined" | "reversed" | "manual")
        {
            *back.entry(refund.text("order_id")).or_default() += refund.number("amount_minor");
            if refund.text("state") == "external" {
                *unasked.entry(refund.text("order_id")).or_default() += refund.number("amount_minor");
            }
        }
    }
    for dispute in facts.rows(Service::Payment, "dispute").filter(|row| row.text("state") == "lost") {
        *back.entry(dispute.text("order_id")).or_default() += dispute.number("amount_minor");
        *unasked.entry(dispute.text("order_id")).or_default() += dispute.number("amount_minor");
    }
    // Beyond what was owed, because somebody with the permission said so.
    for hold in facts.rows(Service::Payment, "refund_hold").filter(|hold| hold.text("state") == "settled") {
        *unasked.entry(hold.text("order_id")).or_default() += hold.number("over_minor");
    }
    let open = facts.rows(Service::Order, "order_head").filter(|order| order.text("placement") == "open");
    found.each(open, |order| {
        let id = order.text("order_id");
        let captured = captured.get(id).copied().unwrap_or_default();
        let worth =
            order.number("placed_minor") - order.number("reversed_minor") - order.number("goodwill_minor")
                + order.number("fees_minor");
        let kept = captured - back.get(id).copied().unwrap_or_default();
        let due = captured.min(worth.max(0)) + order.number("refund_owed_minor");
        let unasked = unasked.get(id).copied().unwrap_or_default();
        if unasked > 0 && (due - unasked..=due).contains(&kept) {
            return None;
        }
        // Paid again, an order may wait for that capture while the first one's went back.
        if restored.contains(id) && kept < due {
            return None;
        }
        differs(&format!("money kept for order {id}"), kept, due)
    });
}

#[cfg(test)]
mod tests {
    use super::cumulative;

    #[test]
    fn halves_go_to_the_even_neighbour() {
        assert_eq!([cumulative(1, 1, 2), cumulative(3, 1, 2), cumulative(5, 1, 2)], [0, 2, 2]);
        assert_eq!([cumulative(100, 1, 3), cumulative(100, 2, 3), cumulative(100, 3, 3)], [33, 67, 100]);
    }
}

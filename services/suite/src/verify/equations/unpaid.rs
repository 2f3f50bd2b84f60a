//! Orders that were restored and are not paid again yet.

use std::collections::HashSet;

use crate::clients::Service;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

/// An order awaits no more than it comes to, and its goods wait with it.
pub fn goods_wait_with_their_order(facts: &Facts, found: &mut Findings<'_>) {
    let waiting: HashSet<&str> = facts
        .rows(Service::Inventory, "goods")
        .filter(|goods| goods.number("awaits_payment") == 1)
        .map(|goods| goods.text("order_id"))
        .collect();
    let unpaid = facts.rows(Service::Order, "order_head").filter(|order| order.number("missing_minor") > 0);
    found.each(unpaid, |order| {
        let id = order.text("order_id");
        let missing = order.number("missing_minor");
        let worth =
            order.number("placed_minor") - order.number("reversed_minor") - order.number("goodwill_minor")
                + order.number("fees_minor");
        if missing > worth {
            return Some(format!("order {id} awaits {missing} and comes to {worth}"));
        }
        (!waiting.contains(id))
            .then(|| format!("order {id} awaits {missing}, and its goods wait for nothing"))
    });
}

//! What two sides agreed on beside fewer units: lines that came later, and prices that were lowered.

use std::collections::HashSet;

use serde_json::Value;

use super::differs;
use super::pricing::{committed, cumulative};
use crate::verify::books::Row;
use crate::verify::facts::Facts;

/// What the units of a line are priced from, since its price was last lowered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Base {
    /// Units taken before it began.
    pub from: i64,
    goods: i64,
    tax: i64,
    shipping: i64,
    shipping_tax: i64,
    /// All units of the line.
    ordered: i64,
}

impl Base {
    pub fn frozen(line: Row<'_>) -> Self {
        Self {
            from: 0,
            goods: line.number("goods_net_minor"),
            tax: line.number("tax_minor"),
            shipping: line.number("shipping_minor"),
            shipping_tax: line.number("shipping_tax_minor"),
            ordered: line.number("ordered"),
        }
    }

    fn share(self, whole: i64, before: i64, after: i64) -> i64 {
        let of = self.ordered - self.from;
        cumulative(whole, after - self.from, of) - cumulative(whole, before - self.from, of)
    }

    /// Goods and tax of the units from `before` to `after`.
    pub fn price(self, before: i64, after: i64) -> (i64, i64) {
        (self.share(self.goods, before, after), self.share(self.tax, before, after))
    }

    pub fn delivery(self, before: i64, after: i64) -> (i64, i64) {
        (self.share(self.shipping, before, after), self.share(self.shipping_tax, before, after))
    }

    /// What is left after `taken` units, `off` less.
    pub fn lowered(self, taken: i64, off: i64) -> Self {
        let left = |whole: i64| whole - self.share(whole, self.from, taken);
        Self {
            from: taken,
            goods: left(self.goods) - off,
            tax: left(self.tax),
            shipping: left(self.shipping),
            shipping_tax: left(self.shipping_tax),
            ordered: self.ordered,
        }
    }

    /// Whether the line itself says that it is priced from here.
    pub fn is_stored(self, line: Row<'_>) -> bool {
        let bases: Vec<Value> = serde_json::from_str(line.text("bases")).unwrap_or_default();
        let stored = bases.last().map_or_else(
            || Self::frozen(line),
            |base| Self {
                from: number(base, "taken_before"),
                goods: number(base, "goods_net_minor"),
                tax: number(base, "tax_minor"),
                shipping: number(base, "shipping_minor"),
                shipping_tax: number(base, "shipping_tax_minor"),
                ordered: line.number("ordered"),
            },
        );
        stored == self
    }

    /// Whether more was taken off than there was.
    pub fn is_overdrawn(self) -> bool {
        self.goods < 0 || self.from >= self.ordered
    }
}

pub(super) fn terms(change: Row<'_>) -> Value {
    serde_json::from_str(change.text("terms")).unwrap_or_default()
}

/// The lines that a change brings, with what was agreed of each.
pub(super) fn added(change: Row<'_>) -> Vec<Value> {
    terms(change)["added"].as_array().cloned().unwrap_or_default()
}

/// What a change's new lines come to.
pub(super) fn added_minor(change: Row<'_>) -> i64 {
    let worth = |line: &Value| {
        let beside = if line["tax_included"] == true { 0 } else { number(line, "tax_minor") };
        number(line, "gross_minor") + beside
    };
    added(change).iter().map(worth).sum()
}

/// The ids of lines that came after their order was placed.
pub(super) fn later_lines(facts: &Facts) -> HashSet<String> {
    let lines = committed(facts).into_iter().flat_map(added);
    lines.filter_map(|line| line["line_id"].as_str().map(str::to_owned)).collect()
}

/// An added line stands on its order as it was agreed, and without a part of the discounts and charges of then.
pub(super) fn stands_as_agreed(line: Row<'_>, agreed: &Value) -> Option<String> {
    let what = |name: &str| format!("{name} of added line {}", line.text("line_id"));
    differs(&what("units"), line.number("ordered"), number(agreed, "quantity"))
        .or_else(|| differs(&what("gross"), line.number("gross_minor"), number(agreed, "gross_minor")))
        .or_else(|| differs(&what("tax"), line.number("tax_minor"), number(agreed, "tax_minor")))
        .or_else(|| {
            let shares =
                ["line_discount_minor", "order_discount_minor", "shipping_minor", "shipping_tax_minor"];
            differs(&what("shares"), shares.map(|share| line.number(share)), [0; 4])
        })
}

fn number(line: &Value, name: &str) -> i64 {
    line[name].as_i64().unwrap_or_default()
}

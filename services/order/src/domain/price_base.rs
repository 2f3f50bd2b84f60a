//! What a line's units are worth, once a part of its price was taken off by agreement.
//!
//! A line is priced from its frozen amounts, which telescope over all its units. An adjustment opens a new base for what is
//! left: the amounts that are left, less the adjustment, over the units that are left. The bases before it stay, so that
//! what every unit brought back can be computed again; an order that is restored begins with its frozen amounts once more.
//!
//! ```text
//!   frozen amounts over n units ──k units taken──▶ what is left − adjustment, over n − k units ──▶ …
//! ```

use serde::{Deserialize, Serialize};
use types::money::{cumulative, telescope};

use super::order::Line;

/// The amounts that the units of a line telescope from, from one adjustment to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceBase {
    /// Units that had been taken back when it began.
    pub taken_before: i64,
    pub goods_net_minor: i64,
    /// The line's own discount and its share of the order's.
    pub discount_minor: i64,
    pub tax_minor: i64,
    pub shipping_minor: i64,
    pub shipping_tax_minor: i64,
}

impl PriceBase {
    fn frozen(line: &Line) -> Self {
        let amounts = &line.amounts;
        Self {
            taken_before: 0,
            goods_net_minor: amounts.goods_net,
            discount_minor: amounts.line_discount + amounts.order_discount,
            tax_minor: amounts.tax,
            shipping_minor: amounts.shipping,
            shipping_tax_minor: amounts.shipping_tax,
        }
    }
}

impl Line {
    /// What its next unit is priced from.
    pub fn price_base(&self) -> PriceBase {
        self.bases.last().copied().unwrap_or_else(|| PriceBase::frozen(self))
    }

    /// What the next `units` bring back of one of the base's amounts.
    pub(super) fn next_share(&self, of: fn(&PriceBase) -> i64, units: i64) -> i64 {
        let base = self.price_base();
        let (from, of_units) = (self.taken_in(&base), self.quantities.ordered - base.taken_before);
        telescope(of(&base), of_units, from, from + units)
    }

    /// What is left of one of the base's amounts.
    pub fn left_of(&self, of: fn(&PriceBase) -> i64) -> i64 {
        let base = self.price_base();
        let of_units = self.quantities.ordered - base.taken_before;
        of(&base) - cumulative(of(&base), self.taken_in(&base), of_units)
    }

    /// What was taken off its price while its units stayed.
    pub fn adjusted_minor(&self) -> i64 {
        let mut before = PriceBase::frozen(self);
        let mut off = 0;
        for base in &self.bases {
            let (taken, of_units) =
                (base.taken_before - before.taken_before, self.quantities.ordered - before.taken_before);
            let left = before.goods_net_minor - cumulative(before.goods_net_minor, taken, of_units);
            off += left - base.goods_net_minor;
            before = *base;
        }
        off
    }

    /// Takes `off_minor` off what is left of the price. The caller has looked that so much is left.
    pub(super) fn lower_price(&mut self, off_minor: i64) {
        let base = PriceBase {
            taken_before: self.quantities.taken_back(),
            goods_net_minor: self.left_of(|base| base.goods_net_minor) - off_minor,
            discount_minor: self.left_of(|base| base.discount_minor),
            tax_minor: self.left_of(|base| base.tax_minor),
            shipping_minor: self.left_of(|base| base.shipping_minor),
            shipping_tax_minor: self.left_of(|base| base.shipping_tax_minor),
        };
        self.bases.push(base);
        self.reversed_minor += off_minor;
    }

    fn taken_in(&self, base: &PriceBase) -> i64 {
        self.quantities.taken_back() - base.taken_before
    }
}

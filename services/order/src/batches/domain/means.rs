//! How a batch goes about it: how fast, and what its estimate foresees of money, labels and stock.

use std::collections::BTreeMap;

use crate::domain::bundling::is_made_of_parts;
use crate::domain::order::Order;
use crate::domain::pricing::PricedChange;

/// The most rates of one batch.
pub const RATES_MAX: usize = 50;
pub const PER_MINUTE_MAX: i64 = 100_000;

/// Orders a minute, by integration; the empty name bounds every order.
pub type Rates = BTreeMap<String, i64>;

/// What is left of a batch's rates at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    left: BTreeMap<String, i64>,
}

/// Something an estimate foresees of one item beside its units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    pub item_number: i64,
    pub what: What,
    /// The gateway of a tender, the id of a label, or a warehouse, empty where the inventory chose it.
    pub name: String,
    pub sku: String,
    pub currency: String,
    pub amount_minor: i64,
    pub units: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Given back of what was captured.
    Refund,
    /// Let go of what was only authorised.
    Void,
    /// A label that is voided, with what it had cost.
    Label,
    /// Units that are back on a shelf.
    Stock,
    /// The payment service did not say.
    TendersUnknown,
}

impl Allowance {
    /// `fixed` counts the items of the last minute by integration.
    pub fn of(rates: &Rates, fixed: &BTreeMap<String, i64>) -> Self {
        let spent = |integration: &str| match integration {
            "" => fixed.values().sum(),
            named => fixed.get(named).copied().unwrap_or(0),
        };
        let left = rates.iter().map(|(name, rate)| (name.clone(), (rate - spent(name)).max(0)));
        Self { left: left.collect() }
    }

    /// Whether one more order may go now; it is counted if so.
    pub fn take(&mut self, integration: &str) -> bool {
        let names = if integration.is_empty() { vec![""] } else { vec!["", integration] };
        if names.iter().any(|name| self.left.get(*name) == Some(&0)) {
            return false;
        }
        for name in names {
            if let Some(left) = self.left.get_mut(name) {
                *left -= 1;
            }
        }
        true
    }

    /// Whether no order may go now.
    pub fn is_spent(&self) -> bool {
        self.left.get("") == Some(&0)
    }

    /// The integrations whose orders have to wait.
    pub fn spent(&self) -> Vec<String> {
        let spent = self.left.iter().filter(|(name, left)| !name.is_empty() && **left == 0);
        spent.map(|(name, _)| name.clone()).collect()
    }
}

impl What {
    pub const ALL: [Self; 5] = [Self::Refund, Self::Void, Self::Label, Self::Stock, Self::TendersUnknown];

    /// The text that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Void => "void",
            Self::Label => "label",
            Self::Stock => "stock",
            Self::TendersUnknown => "tenders_unknown",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.as_str() == text)
    }
}

/// Units that would be back on a shelf, by warehouse and article: those that have not left.
pub fn stock_back(item_number: i64, order: &Order, priced: &PricedChange) -> Vec<Expected> {
    let mut back: BTreeMap<(String, String), i64> = BTreeMap::new();
    for taken in &priced.lines {
        let Some(line) = order.line(&taken.line_id) else { continue };
        if is_made_of_parts(order, line) {
            continue;
        }
        let warehouse = line.warehouse_id.clone().unwrap_or_default();
        *back.entry((warehouse, line.sku.clone())).or_default() += taken.quantity.min(line.quantities.open);
    }
    let expected = back.into_iter().filter(|(_, units)| *units > 0).map(|((name, sku), units)| Expected {
        item_number,
        what: What::Stock,
        name,
        sku,
        currency: String::new(),
        amount_minor: 0,
        units,
    });
    expected.collect()
}

/// Labels of an order that are there to void.
pub fn labels_voided(item_number: i64, order: &Order) -> Vec<Expected> {
    let labels = order.outside.labels.iter().filter(|label| label.can_be_voided());
    let expected = labels.map(|label| Expected {
        item_number,
        what: What::Label,
        name: label.label_id.clone(),
        sku: String::new(),
        currency: label.currency.clone(),
        amount_minor: label.cost_minor,
        units: 1,
    });
    expected.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted<const N: usize>(of: [(&str, i64); N]) -> BTreeMap<String, i64> {
        of.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
    }

    #[test]
    fn an_order_counts_against_its_integration_and_against_all() {
        let mut allowance = Allowance::of(&counted([("", 4), ("mill", 2)]), &counted([("mill", 1), ("", 1)]));

        assert!(allowance.take("mill"));
        assert!(!allowance.take("mill"), "the mill takes two a minute");
        assert_eq!(allowance.spent(), ["mill"]);
        assert!(allowance.take("") && allowance.is_spent(), "one of four was left");
        assert!(!allowance.take("forge"));
    }

    #[test]
    fn without_rates_everything_goes() {
        let mut allowance = Allowance::of(&Rates::new(), &counted([("mill", 9_999)]));

        assert!(allowance.take("mill") && allowance.take("") && !allowance.is_spent());
    }
}

//! Turns the rows of a file into orders and change orders. Pure: the same file gives the same plan.
//!
//! A cancellation line is matched to the customer's purchases of the same article earlier in the file, latest first, by
//! what is still uncancelled, over several orders if need be. What finds no purchase is counted, never dropped.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use types::money::UnitPrice;
use types::{Currency, Quantity};

use super::file::{Purchases, Row};

/// CANCEL_ITEMS takes at most this many lines; a larger cancellation is split.
const LINES_PER_CHANGE_MAX: usize = 100;

/// A selection list: (line number, quantity).
pub type Selection = Vec<(i64, i64)>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedLine {
    pub sku: String,
    pub description: String,
    pub quantity: i64,
    pub unit_price: String,
    /// quantity × unit price in pence, rounded half-even.
    pub amount_minor: i64,
}

/// All lines of one `C` invoice that hit one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedChange {
    pub invoice: String,
    pub scope: Scope,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// It takes everything that is still open.
    WholeOrder,
    Items(Selection),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedOrder {
    pub invoice: String,
    pub customer: String,
    pub invoiced_at: String,
    pub lines: Vec<PlannedLine>,
    /// In the order of the file.
    pub changes: Vec<PlannedChange>,
}

impl PlannedOrder {
    pub fn total_minor(&self) -> i64 {
        self.lines.iter().map(|line| line.amount_minor).sum()
    }
}

/// How the cancellation lines of the file found their purchases.
#[derive(Debug, Default, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Matching {
    pub cancellation_lines: u64,
    pub fully_matched: u64,
    pub partly_matched: u64,
    pub unmatched: u64,
    pub units: i64,
    pub units_matched: i64,
    /// Rows that are neither: a purchase of no units, or a cancellation that adds some.
    pub unusable_rows: u64,
}

#[derive(Debug)]
pub struct Plan {
    pub fingerprint: String,
    pub skipped_rows: u64,
    pub orders: Vec<PlannedOrder>,
    pub matching: Matching,
}

impl Plan {
    /// Units to receive beforehand, by article, so that every order can be placed.
    pub fn stock(&self) -> BTreeMap<&str, i64> {
        let mut stock = BTreeMap::new();
        for line in self.orders.iter().flat_map(|order| &order.lines) {
            *stock.entry(line.sku.as_str()).or_default() += line.quantity;
        }
        stock
    }

    pub fn change_count(&self) -> usize {
        self.orders.iter().map(|order| order.changes.len()).sum()
    }
}

pub fn plan(purchases: Purchases) -> Result<Plan> {
    let mut planner = Planner::default();
    for row in &purchases.rows {
        match (row.is_cancellation(), row.quantity) {
            (false, 1..) => planner.buy(row)?,
            (true, ..=-1) => planner.cancel(row),
            (false, ..=0) | (true, 0..) => planner.matching.unusable_rows += 1,
        }
    }
    Ok(planner.finish(purchases.skipped, purchases.fingerprint))
}

/// Where a purchase stands: order index, line index, and what is still uncancelled.
struct Open {
    order: usize,
    line: usize,
    left: i64,
}

#[derive(Default)]
struct Planner {
    orders: Vec<PlannedOrder>,
    by_invoice: HashMap<String, usize>,
    purchases: HashMap<(String, String), Vec<Open>>,
    /// (order index, `C` invoice) → units by line number, in the order of the file.
    changes: Vec<((usize, String), BTreeMap<i64, i64>)>,
    change_index: HashMap<(usize, String), usize>,
    matching: Matching,
}

impl Planner {
    fn buy(&mut self, row: &Row) -> Result<()> {
        let amount_minor = line_amount(row)
            .with_context(|| format!("line {}: {} × \"{}\"", row.file_line, row.quantity, row.unit_price))?;
        let order = *self.by_invoice.entry(row.invoice.clone()).or_insert_with(|| {
            self.orders.push(PlannedOrder {
                invoice: row.invoice.clone(),
                customer: row.customer.clone(),
                invoiced_at: row.invoiced_at.clone(),
                lines: Vec::new(),
                changes: Vec::new(),
            });
            self.orders.len() - 1
        });
        let lines = &mut self.orders[order].lines;
        lines.push(PlannedLine {
            sku: row.sku.clone(),
            description: row.description.clone(),
            quantity: row.quantity,
            unit_price: row.unit_price.clone(),
            amount_minor,
        });
        let open = Open { order, line: lines.len() - 1, left: row.quantity };
        self.purchases.entry((row.customer.clone(), row.sku.clone())).or_default().push(open);
        Ok(())
    }

    fn cancel(&mut self, row: &Row) {
        let wanted = -row.quantity;
        let mut missing = wanted;
        let purchases = self.purchases.get_mut(&(row.customer.clone(), row.sku.clone()));
        for open in purchases.into_iter().flat_map(|opens| opens.iter_mut().rev()) {
            let taken = open.left.min(missing);
            if taken == 0 {
                continue;
            }
            open.left -= taken;
            missing -= taken;
            let key = (open.order, row.invoice.clone());
            let index = *self.change_index.entry(key.clone()).or_insert_with(|| {
                self.changes.push((key, BTreeMap::new()));
                self.changes.len() - 1
            });
            let line_number = i64::try_from(open.line).expect("a file has fewer lines than i64 counts") + 1;
            *self.changes[index].1.entry(line_number).or_default() += taken;
        }
        self.matching.count(wanted, wanted - missing);
    }

    fn finish(mut self, skipped_rows: u64, fingerprint: String) -> Plan {
        let mut left: Vec<i64> =
            self.orders.iter().map(|order| order.lines.iter().map(|line| line.quantity).sum()).collect();
        for ((order, invoice), units) in self.changes {
            left[order] -= units.values().sum::<i64>();
            let scopes = if left[order] == 0 { vec![Scope::WholeOrder] } else { split(units) };
            let changes = &mut self.orders[order].changes;
            changes.extend(scopes.into_iter().map(|scope| PlannedChange { invoice: invoice.clone(), scope }));
        }
        Plan { fingerprint, skipped_rows, orders: self.orders, matching: self.matching }
    }
}

impl Matching {
    fn count(&mut self, wanted: i64, found: i64) {
        self.cancellation_lines += 1;
        self.units += wanted;
        self.units_matched += found;
        match found {
            0 => self.unmatched += 1,
            found if found == wanted => self.fully_matched += 1,
            _ => self.partly_matched += 1,
        }
    }
}

/// quantity × price in pence, rounded half-even.
fn line_amount(row: &Row) -> Result<i64> {
    let price = UnitPrice::parse(&row.unit_price)?;
    Ok(price.times(Quantity::parse(row.quantity)?, Currency::parse("GBP")?)?.minor())
}

fn split(units: BTreeMap<i64, i64>) -> Vec<Scope> {
    let units: Selection = units.into_iter().collect();
    units.chunks(LINES_PER_CHANGE_MAX).map(|chunk| Scope::Items(chunk.to_vec())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::file;

    fn planned(rows: &str) -> Plan {
        let header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
        plan(file::parse(format!("{header}{rows}").as_bytes()).unwrap()).unwrap()
    }

    fn row(invoice: &str, sku: &str, quantity: i64) -> String {
        format!("{invoice},{sku},thing,{quantity},2010-12-01 08:26:00,2.55,7,UK\n")
    }

    #[test]
    fn a_cancellation_takes_the_latest_purchase_first_and_spills_over() {
        let rows = row("1", "A", 5) + &row("2", "A", 3) + &row("2", "B", 1) + &row("C3", "A", -4);

        let plan = planned(&rows);

        assert_eq!(plan.orders[1].changes[0].scope, Scope::Items(vec![(1, 3)]));
        assert_eq!(plan.orders[0].changes[0].scope, Scope::Items(vec![(1, 1)]));
        assert_eq!(plan.matching.fully_matched, 1);
    }

    #[test]
    fn purchases_after_the_cancellation_do_not_count() {
        let plan = planned(&(row("C1", "A", -1) + &row("2", "A", 3)));

        assert_eq!(plan.change_count(), 0);
        assert_eq!((plan.matching.unmatched, plan.matching.units, plan.matching.units_matched), (1, 1, 0));
    }

    #[test]
    fn two_lines_of_one_cancellation_that_hit_one_order_are_one_change() {
        let rows = row("1", "A", 5)
            + &row("1", "A", 2)
            + &row("1", "B", 9)
            + &row("C2", "A", -3)
            + &row("C2", "A", -3);

        let plan = planned(&rows);

        assert_eq!(plan.orders[0].changes.len(), 1);
        assert_eq!(plan.orders[0].changes[0].scope, Scope::Items(vec![(1, 4), (2, 2)]));
    }

    #[test]
    fn the_change_that_takes_the_last_unit_is_a_whole_cancellation() {
        let plan = planned(&(row("1", "A", 5) + &row("C2", "A", -2) + &row("C3", "A", -9)));

        assert_eq!(plan.orders[0].changes[0].scope, Scope::Items(vec![(1, 2)]));
        assert_eq!(plan.orders[0].changes[1].scope, Scope::WholeOrder);
        assert_eq!(plan.matching.partly_matched, 1);
    }
}

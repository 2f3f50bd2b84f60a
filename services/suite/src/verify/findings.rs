//! What breaks an equation, row by row, each under the order that it belongs to.

use std::collections::BTreeMap;

use super::books::Row;
use super::equations::{Equation, Scope};
use super::facts::Facts;

/// Rows of one equation that are named; all are counted.
const NAMED_MAX: usize = 10_000;

/// A row that breaks an equation, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Empty for a row of no order, such as a stock balance.
    pub order_id: String,
    pub row: String,
}

/// What breaks one equation.
pub struct Broken {
    pub equation: &'static Equation,
    pub count: usize,
    /// By order.
    pub findings: Vec<Finding>,
}

/// Where an equation writes down what breaks it.
pub struct Findings<'a> {
    facts: &'a Facts,
    /// Nothing is found of an order that moves.
    at_rest: bool,
    count: usize,
    found: Vec<Finding>,
}

impl<'a> Findings<'a> {
    pub fn new(facts: &'a Facts, scope: Scope) -> Self {
        Self { facts, at_rest: scope == Scope::AtRest, count: 0, found: Vec::new() }
    }

    /// Something about an order, or about none where the id is empty.
    pub fn of(&mut self, order_id: &str, what: String) {
        if self.at_rest && !self.facts.stands_still(order_id) {
            return;
        }
        self.count += 1;
        if self.found.len() < NAMED_MAX {
            self.found.push(Finding { order_id: order_id.to_owned(), row: what });
        }
    }

    /// Something about a row; it stands under the row's order.
    pub fn about(&mut self, row: Row<'_>, what: String) {
        let order_id = self.facts.order_of(row).unwrap_or_default().to_owned();
        self.of(&order_id, what);
    }

    /// The row itself says what is wrong with it.
    pub fn row(&mut self, row: Row<'_>) {
        self.about(row, row.describe());
    }

    /// Every row of which the check says something; each is named once.
    pub fn each<'r>(
        &mut self,
        rows: impl Iterator<Item = Row<'r>>,
        mut check: impl FnMut(Row<'r>) -> Option<String>,
    ) {
        for row in rows {
            if let Some(what) = check(row) {
                self.about(row, what);
            }
        }
    }

    /// Every row that must not be.
    pub fn all<'r>(&mut self, rows: impl Iterator<Item = Row<'r>>) {
        for row in rows {
            self.row(row);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn into_parts(self) -> (usize, Vec<Finding>) {
        (self.count, self.found)
    }
}

/// What breaks each equation, over all parts of the books.
#[derive(Default)]
pub struct Tally(BTreeMap<usize, (usize, Vec<Finding>)>);

impl Tally {
    /// Adds what breaks the equation of this place in the list.
    pub fn add(&mut self, place: usize, findings: Findings<'_>) {
        if findings.is_empty() {
            return;
        }
        let (count, mut found) = findings.into_parts();
        let (all, named) = self.0.entry(place).or_default();
        *all += count;
        found.truncate(NAMED_MAX.saturating_sub(named.len()));
        named.append(&mut found);
    }

    /// In the order of the equations, each one's rows by order.
    pub fn broken(self, equations: &'static [Equation]) -> Vec<Broken> {
        let broken = self.0.into_iter().map(|(place, (count, mut findings))| {
            findings.sort();
            Broken { equation: &equations[place], count, findings }
        });
        broken.collect()
    }
}

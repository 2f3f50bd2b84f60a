//! What verify found, for people and as JSON.

use serde::Serialize;

use super::equations::Equation;
use super::facts::Facts;
use crate::render;

pub struct Broken {
    pub equation: &'static Equation,
    /// The first row that breaks it.
    pub row: String,
}

pub struct Report {
    orders: usize,
    rows: usize,
    equations: usize,
    in_flight: Vec<String>,
    broken: Vec<Broken>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    Broken,
    /// There is nothing to verify.
    Empty,
}

impl Report {
    pub(super) fn new(facts: &Facts, equations: usize, broken: Vec<Broken>) -> Self {
        Self {
            orders: facts.order_count(),
            rows: facts.books.row_count(),
            equations,
            in_flight: facts.moving.iter().cloned().collect(),
            broken,
        }
    }

    pub fn verdict(&self) -> Verdict {
        if !self.broken.is_empty() {
            Verdict::Broken
        } else if self.orders == 0 {
            Verdict::Empty
        } else {
            Verdict::Holds
        }
    }

    pub fn holds(&self) -> bool {
        self.verdict() == Verdict::Holds
    }

    /// Ids of the equations that do not hold.
    #[cfg(test)]
    pub fn broken_ids(&self) -> Vec<&'static str> {
        self.broken.iter().map(|broken| broken.equation.id).collect()
    }

    pub fn text(&self) -> String {
        let (orders, rows) =
            (render::counted(as_count(self.orders), "order"), render::count(as_count(self.rows)));
        let mut lines = match self.verdict() {
            Verdict::Empty => vec!["There is nothing to verify: the books are empty.".to_owned()],
            Verdict::Holds => vec![format!(
                "The books balance: {} equations hold over {orders} ({rows} rows of four services).",
                self.equations
            )],
            Verdict::Broken => vec![format!(
                "THE BOOKS DO NOT BALANCE: {} of {} equations are broken over {orders}.",
                self.broken.len(),
                self.equations
            )],
        };
        for broken in &self.broken {
            lines.push(format!(
                "  {} {}\n      first row: {}",
                broken.equation.id, broken.equation.says, broken.row
            ));
        }
        if !self.in_flight.is_empty() {
            let some: Vec<&str> = self.in_flight.iter().take(5).map(String::as_str).collect();
            lines.push(format!(
                "{} orders are in flight; equations between services were not applied to them: {}{}",
                self.in_flight.len(),
                some.join(", "),
                if self.in_flight.len() > some.len() { ", …" } else { "" }
            ));
        }
        lines.join("\n")
    }

    pub fn json(&self) -> impl Serialize + use<> {
        let broken: Vec<_> = self
            .broken
            .iter()
            .map(|broken| {
                serde_json::json!({
                    "equation": broken.equation.id,
                    "says": broken.equation.says,
                    "first_row": broken.row,
                })
            })
            .collect();
        serde_json::json!({
            "holds": self.holds(),
            "orders": self.orders,
            "rows": self.rows,
            "equations": self.equations,
            "in_flight": self.in_flight,
            "broken": broken,
        })
    }
}

fn as_count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

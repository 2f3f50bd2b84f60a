//! What verify found, for people and as JSON.

use serde::Serialize;

use super::findings::{Broken, Finding};
use crate::render;

/// What was read.
#[derive(Debug, Default)]
pub struct Read {
    pub orders: usize,
    pub rows: usize,
    pub equations: usize,
    pub in_flight: Vec<String>,
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
    pub(super) fn new(read: Read, broken: Vec<Broken>) -> Self {
        let Read { orders, rows, equations, in_flight } = read;
        Self { orders, rows, equations, in_flight, broken }
    }

    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// Of an order in flight not every equation was checked.
    pub fn is_in_flight(&self, order_id: &str) -> bool {
        self.in_flight.iter().any(|id| id == order_id)
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
            let rows = render::counted(as_count(broken.count), "row");
            lines.push(format!("  {} {}: {rows}", broken.equation.id, broken.equation.says));
            for (order_id, findings) in by_order(broken) {
                lines.push(format!("      {}", if order_id.is_empty() { "of no order" } else { order_id }));
                lines.extend(findings.iter().map(|finding| format!("        {}", finding.row)));
            }
            if broken.count > broken.findings.len() {
                let rest = render::count(as_count(broken.count - broken.findings.len()));
                lines.push(format!("      … and {rest} rows more"));
            }
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
                let orders: Vec<_> = by_order(broken)
                    .map(|(order_id, findings)| {
                        let rows: Vec<&str> = findings.iter().map(|finding| finding.row.as_str()).collect();
                        serde_json::json!({ "order_id": order_id, "rows": rows })
                    })
                    .collect();
                serde_json::json!({
                    "equation": broken.equation.id,
                    "says": broken.equation.says,
                    "rows": broken.count,
                    "orders": orders,
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

/// The rows of an equation, each order's together.
fn by_order(broken: &Broken) -> impl Iterator<Item = (&str, &[Finding])> {
    let orders = broken.findings.chunk_by(|one, next| one.order_id == next.order_id);
    orders.map(|findings| (findings[0].order_id.as_str(), findings))
}

fn as_count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

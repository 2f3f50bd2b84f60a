//! What became of the records of a file, by currency and by where the orders stand.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Candidate;
use super::run::Outcome;
use crate::render;

#[derive(Debug, Default, Serialize)]
pub struct Tally {
    brought_in: u64,
    already_there: u64,
    refused: u64,
    groups: BTreeMap<String, BTreeMap<&'static str, Group>>,
}

#[derive(Debug, Default, Serialize)]
struct Group {
    orders: i64,
    units: i64,
    worth_minor: i64,
    refunded_minor: i64,
}

impl Tally {
    /// Counts one; a refusal is also told at once.
    pub fn take(&mut self, read: &Candidate, outcome: Outcome) -> Option<String> {
        match outcome {
            Outcome::BroughtIn => self.brought_in += 1,
            Outcome::AlreadyThere => self.already_there += 1,
            Outcome::Refused(why) => {
                self.refused += 1;
                let reference =
                    if read.reference.is_empty() { String::new() } else { format!("  {}", read.reference) };
                return Some(format!("line {}{reference}: {why}", read.line));
            }
        }
        if let Ok(order) = &read.order {
            let currency = order.currency.code().to_owned();
            let group = self.groups.entry(currency).or_default().entry(order.state()).or_default();
            group.orders += 1;
            group.units += order.units.iter().map(|(ordered, ..)| ordered).sum::<i64>();
            group.worth_minor += order.total_minor;
            group.refunded_minor += order.refunded.iter().sum::<i64>();
        }
        None
    }

    pub fn refused(&self) -> u64 {
        self.refused
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::json!(self)
    }

    pub fn text(&self, dry_run: bool) -> String {
        let rows = self.groups.iter().flat_map(|(currency, states)| {
            states.iter().map(|(state, group)| {
                vec![
                    currency.clone(),
                    (*state).to_owned(),
                    render::count(group.orders),
                    render::count(group.units),
                    render::money(currency, group.worth_minor),
                    render::money(currency, group.refunded_minor),
                ]
            })
        });
        let header = ["currency", "state", "orders", "units", "worth when placed", "refunded before"];
        let table = render::table(&header, &[2, 3, 4, 5], rows);
        let brought = if dry_run { "could be brought in" } else { "brought in" };
        let sums = format!(
            "{} {brought}, {} already there, {} refused",
            self.brought_in, self.already_there, self.refused
        );
        let next = if dry_run { "\nNothing was written. Leave --dry-run out to do it." } else { "" };
        format!("{table}\n\n{sums}{next}")
    }
}

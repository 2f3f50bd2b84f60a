//! The positions of the event log, looked at as they come: from 1 to the head, each once.

use super::books::Row;
use super::facts::Facts;
use super::findings::Findings;
use crate::clients::Service;

/// Gaps that are named.
const NAMED_MAX: usize = 1_000;

#[derive(Debug, Clone, Default)]
pub struct Positions {
    last: i64,
    gaps: Vec<String>,
}

impl Positions {
    /// A row of any book, in the order of its key.
    pub fn take(&mut self, book: &str, row: Row<'_>) {
        if book != "event_log" {
            return;
        }
        let position = row.number("position");
        if position != self.last + 1 && self.gaps.len() < NAMED_MAX {
            self.gaps.push(format!("position {position} of the event log stands behind {}", self.last));
        }
        self.last = position;
    }

    /// What is wrong with them, when the head of the log is known.
    pub fn tell(&self, facts: &Facts, found: &mut Findings<'_>) {
        for gap in &self.gaps {
            found.of("", gap.clone());
        }
        let head = facts.rows(Service::Order, "event_log_head").map(|head| head.number("last_position"));
        let head = head.max().unwrap_or_default();
        if head != self.last {
            found.of("", format!("the head of the event log: {head} is not {}", self.last));
        }
    }
}

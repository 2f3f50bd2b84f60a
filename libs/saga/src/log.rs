//! The saga's log: what happened, in order, never changed. Everything else is derived from it.

use std::sync::Arc;

use storage::Direction;
use types::{Refusal, Timestamp};

/// What one entry says about a step in one direction. A step's newest entry counts, because a
/// pending step gets a second entry when it ends. In the order in which one may follow another: a step
/// refused after the pivot may still be done, and a yes is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Pending,
    Rejected,
    Applied,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counts from 1 without holes, so that a lost entry is seen when the log is read.
    pub seq: i64,
    pub step: String,
    pub direction: Direction,
    pub outcome: Outcome,
    /// An applied step that found nothing to do; the entry is still needed to go on.
    pub nothing_to_do: bool,
    pub reply: Arc<[u8]>,
    /// Why a step was refused, or why the saga was asked to unwind.
    pub refusal: Option<Refusal>,
    /// How often the step had been sent when this was heard.
    pub attempts: i64,
    pub epoch: i64,
    pub at: Timestamp,
}

/// A cheap copy of the whole log. It is bounded by the definition: at most three entries for each step
/// and direction, and one for each local step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    entries: Arc<Vec<Entry>>,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Rejected => "rejected",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Applied, Self::Rejected].into_iter().find(|outcome| outcome.as_str() == text)
    }
}

impl Log {
    /// Takes entries as they were stored, or says which one is missing.
    pub fn read(entries: Vec<Entry>) -> Result<Self, String> {
        for (entry, expected) in entries.iter().zip(1_i64..) {
            if entry.seq != expected {
                return Err(format!("entry {expected} of the log is missing, found {}", entry.seq));
            }
        }
        Ok(Self { entries: Arc::new(entries) })
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What was said last about a step.
    pub fn last(&self, step: &str, direction: Direction) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.step == step && entry.direction == direction)
    }

    pub fn outcome(&self, step: &str, direction: Direction) -> Option<Outcome> {
        self.last(step, direction).map(|entry| entry.outcome)
    }

    pub fn applied(&self, step: &str) -> bool {
        self.outcome(step, Direction::Do) == Some(Outcome::Applied)
    }

    /// The reply of a step that was done; `None` while it is not, and when it found nothing to do and told nothing.
    pub fn reply(&self, step: &str) -> Option<&[u8]> {
        self.last(step, Direction::Do)
            .filter(|entry| entry.outcome == Outcome::Applied)
            .filter(|entry| !entry.nothing_to_do || !entry.reply.is_empty())
            .map(|entry| &*entry.reply)
    }

    /// The entries after the first `count`.
    pub fn since(&self, count: usize) -> &[Entry] {
        self.entries.get(count..).unwrap_or_default()
    }

    pub(crate) fn push(&mut self, mut entry: Entry) {
        entry.seq = i64::try_from(self.entries.len()).expect("a log is bounded by its definition") + 1;
        Arc::make_mut(&mut self.entries).push(entry);
    }
}

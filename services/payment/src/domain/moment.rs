//! What a decision knows of time, and when a gateway is asked again.

use types::{Ids, Timestamp};

/// Passed to every decision, so that a test can fix the clocks.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// Business time, for people.
    pub now: Timestamp,
    /// The database's clock in Unix microseconds, by which claims are judged.
    pub db_now: i64,
    pub ids: &'a Ids,
    pub timing: &'a Timing,
}

/// How long the service waits for its gateways, in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// How long the process that committed a task keeps it to itself before another may take it over.
    pub claim: i64,
    /// Waits between questions about a call that was never answered; the last one repeats.
    pub unknown: Vec<i64>,
    /// Waits between questions about something the gateway calls pending; the last one repeats.
    pub pending: Vec<i64>,
    /// After so many questions without an end a person is told, once.
    pub attention_after: i64,
}

/// When a row is the business of the worker. A row at rest has `next_at` 0, which means never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Schedule {
    /// Answers so far that were not the end.
    pub tries: i64,
    pub next_at: i64,
    pub claimed_until: i64,
}

impl Schedule {
    /// Nothing more will be asked of the gateway.
    pub const REST: Self = Self { tries: 0, next_at: 0, claimed_until: 0 };

    /// Due at once and claimed by this process: the row is committed so before the gateway is called.
    pub fn begun(moment: Moment<'_>) -> Self {
        Self { tries: 0, next_at: moment.db_now, claimed_until: moment.db_now + moment.timing.claim }
    }

    /// Asked without an end: again after the next of `waits`.
    #[must_use]
    pub fn again(self, moment: Moment<'_>, waits: &[i64]) -> Self {
        let place = usize::try_from(self.tries).expect("tries count up from zero").min(waits.len() - 1);
        Self { tries: self.tries + 1, next_at: moment.db_now + waits[place], claimed_until: 0 }
    }

    #[must_use]
    pub fn ended(self) -> Self {
        Self { next_at: 0, claimed_until: 0, ..self }
    }
}

//! Returns: which units a buyer may send back, which have arrived, and what was decided about each.
//!
//! ```text
//!   open ──receive──▶ received ──accept──▶ a change order of type RETURN
//!                        └───────reject──▶ the buyer's for good
//!   open ──every unit decided──▶ completed      ──close──▶ closed      ──the clock──▶ expired
//! ```
//!
//! A return counts units and holds no money: the change order that accepts the units does.

use types::{LineId, OrderId, Reason, Refusal, ReturnId, Tenant, Timestamp};

use super::change::LineKey;
use super::order::Actor;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    pub tenant: Tenant,
    pub return_id: ReturnId,
    pub order_id: OrderId,
    pub number: String,
    pub state: ReturnState,
    pub reason_code: String,
    pub note: String,
    pub opened_by: Actor,
    pub policy_version: String,
    /// Until when the units may come.
    pub expires_at: Timestamp,
    pub version: i64,
    pub created_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    /// By line number.
    pub lines: Vec<ReturnLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnLine {
    pub line_id: LineId,
    pub line_number: i64,
    pub sku: String,
    /// Units that may come.
    pub expected: i64,
    /// Units that have arrived.
    pub received: i64,
    /// Units that were accepted, whose price is refunded; and units that were rejected, which stay the buyer's.
    pub accepted: i64,
    pub rejected: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReturnState {
    Open,
    /// Every unit has arrived and was decided.
    Completed,
    /// Somebody ended it.
    Closed,
    /// Its time limit has passed.
    Expired,
}

impl Return {
    /// Refuses if the return has ended.
    pub fn must_be_open(&self) -> Result<(), Refusal> {
        if self.state == ReturnState::Open {
            return Ok(());
        }
        let message = format!("return {} has ended", self.number);
        Err(Refusal::new(Reason::StateConflict, message).detail("state", self.state.as_str()))
    }

    /// Units that have arrived and are not decided.
    pub fn undecided(&self) -> i64 {
        self.lines.iter().map(ReturnLine::undecided).sum()
    }

    pub fn line(&self, key: &LineKey) -> Option<&ReturnLine> {
        self.lines.iter().find(|line| line.is(key))
    }

    pub fn line_mut(&mut self, key: &LineKey) -> Option<&mut ReturnLine> {
        self.lines.iter_mut().find(|line| line.is(key))
    }

    /// Ends it once every unit was decided.
    pub fn complete(&mut self, now: Timestamp) {
        if self.lines.iter().all(|line| line.outstanding() == 0) {
            self.end(ReturnState::Completed, now);
        }
    }

    pub fn end(&mut self, state: ReturnState, now: Timestamp) {
        self.state = state;
        self.closed_at = Some(now);
    }
}

impl ReturnLine {
    pub fn undecided(&self) -> i64 {
        self.received - self.accepted - self.rejected
    }

    /// Units that are expected and have not arrived.
    pub fn awaited(&self) -> i64 {
        self.expected - self.received
    }

    /// Units that may still arrive or be decided.
    pub fn outstanding(&self) -> i64 {
        self.expected - self.accepted - self.rejected
    }

    fn is(&self, key: &LineKey) -> bool {
        match key {
            LineKey::Id(id) => self.line_id == *id,
            LineKey::Number(number) => self.line_number == *number,
        }
    }
}

impl ReturnState {
    pub const ALL: [Self; 4] = [Self::Open, Self::Completed, Self::Closed, Self::Expired];

    /// The text that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Closed => "closed",
            Self::Expired => "expired",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

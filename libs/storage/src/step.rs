//! The words in which a saga asks a participant for a step.

use types::{Fingerprint, Tenant};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    Do,
    Undo,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Under way; it ends once, as applied or rejected, unless its undo comes first.
    Pending,
    Applied,
    /// Refused by a rule of the business. A repeat does not change its mind.
    Rejected,
    /// Undone before it was done: it will never be done.
    Tombstoned,
}

/// Who asks for a step. `(tenant, saga_id, step, direction)` is its key; epoch and attempt are not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepContext {
    pub tenant: Tenant,
    pub saga_id: String,
    /// An undo carries the name of the step it undoes.
    pub step: String,
    pub direction: Direction,
    /// Rises with every owner of the saga.
    pub epoch: i64,
    pub attempt: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepCall {
    pub context: StepContext,
    /// Over the parsed command, without request id, epoch and attempt.
    pub request_hash: Fingerprint,
    /// The reversible step that this forward step completes.
    pub completes: Option<&'static str>,
}

impl Direction {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Do => "do",
            Self::Undo => "undo",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Do, Self::Undo].into_iter().find(|direction| direction.as_str() == name)
    }
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Rejected => "rejected",
            Self::Tombstoned => "tombstoned",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Pending, Self::Applied, Self::Rejected, Self::Tombstoned]
            .into_iter()
            .find(|outcome| outcome.as_str() == name)
    }
}

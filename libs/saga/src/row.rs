//! The saga's row: a cache of its log, the schedule, and who runs it.

use std::sync::Arc;
use std::time::Duration;

use types::{Refusal, SagaId, Tenant, Timestamp};

use crate::shape::Version;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SagaKey {
    pub tenant: Tenant,
    pub id: SagaId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Running,
    /// Waits for a participant's word; nobody holds the lease.
    Parked,
    Unwinding,
    /// Stopped until somebody acts.
    NeedsAttention,
    Completed,
    Unwound,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SagaRow {
    pub key: SagaKey,
    pub definition: String,
    pub version: Version,
    pub subject_type: String,
    pub subject_id: String,
    pub state: State,
    pub params: Arc<[u8]>,
    pub traceparent: Option<String>,
    /// The fence: one more with every claim.
    pub epoch: i64,
    pub lease_owner: String,
    /// Microseconds of the database's clock, like all schedule columns; 0 when nobody holds the lease.
    pub lease_until: i64,
    /// When the saga is due. While it is held this is the end of the lease, so that one column
    /// orders the queue of everything that may be claimed.
    pub next_at: i64,
    /// Rounds asked since the log last grew; it spaces polls and retries.
    pub attempts: i64,
    pub panics: i64,
    /// A signal came while a worker held the saga: it must not park over it.
    pub woken: bool,
    /// Since when a participant gives no answer at all.
    pub silent_since: Option<i64>,
    pub unwind_cause: Option<Refusal>,
    pub attention: Option<Cause>,
    pub decided_at: Option<Timestamp>,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// Why somebody should look at a saga.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub kind: CauseKind,
    pub step: Option<String>,
    /// One sentence for the operator.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CauseKind {
    /// No participant's answer for long, where the saga cannot turn back. It keeps asking.
    NotAnswering,
    /// A step after the pivot was refused. The others go on.
    Refused,
    /// An undo keeps failing. It keeps asking.
    UndoFailing,
    /// The owner's own step could not be written. Stopped.
    LocalStepFailed,
    /// A step panicked too often. Stopped.
    Panicking,
    /// The saga's log cannot be read. Stopped.
    Unreadable,
    /// This program has no such definition or version. Stopped.
    UnknownDefinition,
}

/// What an operator may do about a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    RetryStep,
    AbortBeforePivot,
    ResolveStep,
}

/// A worker's hold on the sagas it starts or claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub owner: String,
    pub length: Duration,
}

impl SagaKey {
    pub fn new(tenant: Tenant, id: SagaId) -> Self {
        Self { tenant, id }
    }
}

impl State {
    const ALL: [Self; 6] =
        [Self::Running, Self::Parked, Self::Unwinding, Self::NeedsAttention, Self::Completed, Self::Unwound];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Parked => "parked",
            Self::Unwinding => "unwinding",
            Self::NeedsAttention => "needs_attention",
            Self::Completed => "completed",
            Self::Unwound => "unwound",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::Unwound => true,
            Self::Running | Self::Parked | Self::Unwinding | Self::NeedsAttention => false,
        }
    }
}

impl SagaRow {
    /// Whether this worker may go on with it, as of the commit that brought the row.
    pub fn held_by(&self, owner: &str) -> bool {
        self.lease_until > 0 && self.lease_owner == owner
    }

    pub(crate) fn hold(&mut self, lease: &Lease, now: i64) {
        self.lease_owner.clone_from(&lease.owner);
        self.lease_until = now + lease.micros();
        self.next_at = self.lease_until;
    }

    pub(crate) fn let_go(&mut self, due: i64) {
        self.lease_until = 0;
        self.next_at = due;
    }
}

impl CauseKind {
    const ALL: [Self; 7] = [
        Self::NotAnswering,
        Self::Refused,
        Self::UndoFailing,
        Self::LocalStepFailed,
        Self::Panicking,
        Self::Unreadable,
        Self::UnknownDefinition,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAnswering => "NOT_ANSWERING",
            Self::Refused => "REFUSED_AFTER_PIVOT",
            Self::UndoFailing => "UNDO_FAILING",
            Self::LocalStepFailed => "LOCAL_STEP_FAILED",
            Self::Panicking => "PANICKING",
            Self::Unreadable => "UNREADABLE",
            Self::UnknownDefinition => "UNKNOWN_DEFINITION",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether the saga stands still until somebody acts, or goes on asking meanwhile.
    pub const fn stops(self) -> bool {
        match self {
            Self::NotAnswering | Self::Refused | Self::UndoFailing => false,
            Self::LocalStepFailed | Self::Panicking | Self::Unreadable | Self::UnknownDefinition => true,
        }
    }
}

impl Action {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RetryStep => "RETRY_STEP",
            Self::AbortBeforePivot => "ABORT_BEFORE_PIVOT",
            Self::ResolveStep => "RESOLVE_STEP",
        }
    }
}

impl Lease {
    pub fn micros(&self) -> i64 {
        micros(self.length)
    }
}

pub(crate) fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).expect("a configured length is far below 292,000 years")
}

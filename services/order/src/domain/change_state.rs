//! The states of a change, and what may follow what.

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeState {
    Draft,
    Requested,
    Declined,
    Expired,
    Withdrawn,
    /// Accepted; goods and refund are being held, nothing is decided.
    Executing,
    /// Being put back.
    Unwinding,
    /// Everything was put back, with the cause.
    Rejected,
    /// Decided; money, labels and partners are still moving.
    Settling,
    Completed,
    /// Nothing more will move by itself; what is owed is listed.
    CompletedWithExceptions,
}

/// What can happen to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeEvent {
    /// The other side agrees to what was requested.
    Accept,
    /// The other side does not agree.
    Decline,
    /// Nobody answered in time.
    Expire,
    /// Its author takes it back before it was accepted.
    Withdraw,
    /// A participant refused, or somebody asked to put it back.
    Unwind,
    /// Everything was put back.
    PutBack,
    /// The pivot was committed.
    Decide,
    Complete,
    CompleteWithExceptions,
    /// Money that had arrived came back after the end.
    LoseRefund,
    /// The last that was listed against it is settled.
    Mend,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a change that is {} cannot {event:?}", state.as_str())]
pub struct IllegalTransition {
    pub state: ChangeState,
    pub event: ChangeEvent,
}

impl ChangeState {
    /// The state after `event`: the sole definition of what may follow what.
    pub fn after(self, event: ChangeEvent) -> Result<Self, IllegalTransition> {
        let (from, to): (&[Self], Self) = match event {
            ChangeEvent::Accept => (&[Self::Requested], Self::Executing),
            ChangeEvent::Decline => (&[Self::Requested], Self::Declined),
            ChangeEvent::Expire => (&[Self::Requested], Self::Expired),
            ChangeEvent::Withdraw => (&[Self::Draft, Self::Requested], Self::Withdrawn),
            ChangeEvent::Unwind => (&[Self::Executing], Self::Unwinding),
            ChangeEvent::PutBack => (&[Self::Unwinding], Self::Rejected),
            ChangeEvent::Decide => (&[Self::Executing], Self::Settling),
            ChangeEvent::Complete => (&[Self::Settling], Self::Completed),
            ChangeEvent::CompleteWithExceptions => (&[Self::Settling], Self::CompletedWithExceptions),
            ChangeEvent::Mend => (&[Self::CompletedWithExceptions], Self::Completed),
            // The one move out of COMPLETED; with exceptions already, there is one more.
            ChangeEvent::LoseRefund => {
                (&[Self::Completed, Self::CompletedWithExceptions], Self::CompletedWithExceptions)
            }
        };
        if from.contains(&self) { Ok(to) } else { Err(IllegalTransition { state: self, event }) }
    }

    /// Nothing follows it by itself.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Declined
            | Self::Expired
            | Self::Withdrawn
            | Self::Rejected
            | Self::Completed
            | Self::CompletedWithExceptions => true,
            Self::Draft | Self::Requested | Self::Executing | Self::Unwinding | Self::Settling => false,
        }
    }

    /// It holds the order: no other change may be accepted.
    pub const fn holds_order(self) -> bool {
        matches!(self, Self::Executing | Self::Unwinding)
    }

    /// The decision was made, for or against it.
    pub const fn is_decided(self) -> bool {
        match self {
            Self::Draft | Self::Requested | Self::Executing | Self::Unwinding => false,
            Self::Declined
            | Self::Expired
            | Self::Withdrawn
            | Self::Rejected
            | Self::Settling
            | Self::Completed
            | Self::CompletedWithExceptions => true,
        }
    }
}

impl ChangeState {
    pub const ALL: [Self; 11] = [
        Self::Draft,
        Self::Requested,
        Self::Declined,
        Self::Expired,
        Self::Withdrawn,
        Self::Executing,
        Self::Unwinding,
        Self::Rejected,
        Self::Settling,
        Self::Completed,
        Self::CompletedWithExceptions,
    ];

    /// The text that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Requested => "requested",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Executing => "executing",
            Self::Unwinding => "unwinding",
            Self::Rejected => "rejected",
            Self::Settling => "settling",
            Self::Completed => "completed",
            Self::CompletedWithExceptions => "completed_with_exceptions",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

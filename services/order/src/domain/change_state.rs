//! The states of a change and their transitions.

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeState {
    Draft,
    Requested,
    Declined,
    Expired,
    Withdrawn,
    /// Accepted: goods and refund are being held, and nothing is decided.
    Executing,
    /// Compensating: everything is being undone.
    Unwinding,
    /// Everything was undone. The change tells the cause.
    Rejected,
    /// Decided: money, labels and partners are still moving.
    Settling,
    Completed,
    /// Nothing more moves by itself, and some exceptions are left.
    CompletedWithExceptions,
}

/// What can happen to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeEvent {
    /// The other side agrees to what was requested.
    Accept,
    /// The other side declines.
    Decline,
    /// Nobody answered in time.
    Expire,
    /// Its author takes it back before it was accepted.
    Withdraw,
    /// A participant refused, or the change was withdrawn or aborted.
    Unwind,
    /// Everything was undone.
    PutBack,
    /// The pivot was committed.
    Decide,
    Complete,
    CompleteWithExceptions,
    /// A refund was reversed after the end.
    LoseRefund,
    /// The last exception was settled.
    Mend,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a change that is {} cannot {event:?}", state.as_str())]
pub struct IllegalTransition {
    pub state: ChangeState,
    pub event: ChangeEvent,
}

impl ChangeState {
    /// The state after `event`. This is the only definition of the transitions.
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

    /// Whether nothing follows by itself.
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

    /// Whether the change holds the order, so that no other change can be accepted.
    pub const fn holds_order(self) -> bool {
        matches!(self, Self::Executing | Self::Unwinding)
    }

    /// Whether the change was decided, for or against it.
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

//! How long a caller wants to wait for an answer.

use super::change::ChangeState;
use super::order::{Order, Placement};

/// The answer is given when the work has come this far, or when the call's deadline nears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// Accepted and durable: at once.
    Accepted,
    /// Decided, for or against.
    Committed,
    /// Nothing more will move by itself.
    Completed,
}

impl Wait {
    /// Whether a change has come far enough.
    pub fn is_over(self, state: ChangeState) -> bool {
        match self {
            Self::Accepted => true,
            Self::Committed => state.is_decided(),
            Self::Completed => state.is_final(),
        }
    }

    /// Whether the placing of an order has come far enough; what its saga still has to do after the
    /// order is open, only the saga's own state tells.
    pub fn is_over_for(self, order: &Order, saga_ended: bool) -> bool {
        match self {
            Self::Accepted => true,
            Self::Committed => order.placement != Placement::Placing,
            Self::Completed => order.placement != Placement::Placing && saga_ended,
        }
    }
}

//! Returns: what is wished for and what it touches. Decided in the one batch like everything that writes.

use types::ReturnId;

use crate::domain::lifecycle::{Accepted, Counted, Opening};

/// What may be wished for here.
pub enum ReturnWish {
    Open(Box<Opening>),
    Move { return_id: ReturnId, step: Step },
}

/// What happens to a return that is open.
pub enum Step {
    Receive {
        lines: Counted,
        note: String,
    },
    Accept {
        lines: Vec<Accepted>,
        note: String,
    },
    Reject {
        lines: Counted,
        note: String,
    },
    Close {
        note: String,
    },
    /// Asked for by the clock.
    Expire,
}

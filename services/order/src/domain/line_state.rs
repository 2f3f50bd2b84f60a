//! The state of a line, derived from its quantities by one ordered formula; nobody sets it.

use super::order::Line;
use super::selection::allocated;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineState {
    Returned,
    CancelPending,
    Cancelled,
    Fulfilled,
    PartiallyFulfilled,
    Allocated,
    PartiallyAllocated,
    Ordered,
}

impl Line {
    /// The first that fits. It tells of the quantity that is still part of the order, whatever was cancelled.
    pub fn state(&self) -> LineState {
        let quantities = self.quantities;
        let allocated = allocated(self);
        if quantities.net() == 0 && quantities.returned > 0 {
            LineState::Returned
        } else if quantities.cancel_pending > 0 {
            LineState::CancelPending
        } else if quantities.net() == 0 {
            LineState::Cancelled
        } else if quantities.fulfilled > 0 && quantities.open == 0 {
            LineState::Fulfilled
        } else if quantities.fulfilled > 0 {
            LineState::PartiallyFulfilled
        } else if allocated >= quantities.open {
            LineState::Allocated
        } else if allocated > 0 {
            LineState::PartiallyAllocated
        } else {
            LineState::Ordered
        }
    }
}

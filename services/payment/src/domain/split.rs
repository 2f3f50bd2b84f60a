//! Dividing what must be given back over where the money is.

use types::{CaptureId, PaymentId};

/// In what form a tender's money is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Authorised and not captured: given back by lowering, no money moves.
    Authorised,
    /// Being captured right now: void or refund, as the capture ends.
    InFlight,
    Captured,
}

/// Money that may be given back: never more than `free_minor` of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub payment_id: PaymentId,
    pub capture_id: Option<CaptureId>,
    pub form: Form,
    pub free_minor: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub payment_id: PaymentId,
    pub capture_id: Option<CaptureId>,
    pub form: Form,
    pub amount_minor: i64,
}

/// Takes `amount_minor` from the sources in their order, each to its end before the next is touched.
/// Returns the shares, none of them zero, and what no source could give.
pub fn split(sources: &[Source], amount_minor: i64) -> (Vec<Share>, i64) {
    let mut left = amount_minor;
    let mut shares = Vec::new();
    for source in sources {
        let taken = left.min(source.free_minor);
        if taken > 0 {
            left -= taken;
            shares.push(Share {
                payment_id: source.payment_id.clone(),
                capture_id: source.capture_id.clone(),
                form: source.form,
                amount_minor: taken,
            });
        }
    }
    (shares, left.max(0))
}

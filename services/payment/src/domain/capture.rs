//! A capture: authorised money that is taken.

use types::{CaptureId, PaymentId, Timestamp};

use super::moment::Schedule;
use super::origin::Origin;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Committed before the gateway is asked.
    Capturing,
    Captured,
    Declined,
}

impl State {
    pub const ALL: [Self; 3] = [Self::Capturing, Self::Captured, Self::Declined];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capturing => "capturing",
            Self::Captured => "captured",
            Self::Declined => "declined",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    pub capture_id: CaptureId,
    pub payment_id: PaymentId,
    pub amount_minor: i64,
    /// Refunds of this capture that count. Kept beside it so that the schema can refuse more than
    /// was captured, whatever the code believes.
    pub refunded_minor: i64,
    /// Its part of the payment's disputes that are open or were lost.
    pub disputed_minor: i64,
    pub state: State,
    pub gateway_reference: String,
    pub detail: String,
    pub origin: Origin,
    pub schedule: Schedule,
    pub created_at: Timestamp,
}

impl Capture {
    /// What may still be given back of it.
    pub fn free_minor(&self) -> i64 {
        (self.amount_minor - self.refunded_minor - self.disputed_minor).max(0)
    }
}

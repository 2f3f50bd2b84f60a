//! The double-entry book: every movement of money is two rows that sum to zero.

use types::{PaymentId, Timestamp};

use super::origin::Origin;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The customer's money came in.
    Capture,
    /// It went back.
    Refund,
    /// A refund that had gone out came back to us.
    Reversal,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Reversal => "reversal",
        }
    }

    /// A reversal takes back what the same step did, which is also what keeps the rows of a refund
    /// and of its reversal apart: they share the step and the refund's id.
    pub const fn direction(self) -> &'static str {
        match self {
            Self::Capture | Self::Refund => "do",
            Self::Reversal => "undo",
        }
    }
}

/// Money that moved between a gateway and the order; the amount is positive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    pub kind: Kind,
    pub payment_id: PaymentId,
    /// The capture's or the refund's id.
    pub reference_id: String,
    pub amount_minor: i64,
    pub origin: Origin,
    pub at: Timestamp,
}

/// One row of the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub account: String,
    pub debit_minor: i64,
    pub credit_minor: i64,
}

impl Movement {
    /// The same for both rows and derived, so that writing a movement twice meets the unique key.
    pub fn tx_id(&self) -> String {
        format!("{}/{}", self.kind.as_str(), self.reference_id)
    }

    pub fn entries(&self) -> [Entry; 2] {
        let gateway = format!("gateway:{}", self.payment_id);
        let order = "order".to_owned();
        let (debited, credited) = match self.kind {
            Kind::Capture | Kind::Reversal => (gateway, order),
            Kind::Refund => (order, gateway),
        };
        [
            Entry { account: debited, debit_minor: self.amount_minor, credit_minor: 0 },
            Entry { account: credited, debit_minor: 0, credit_minor: self.amount_minor },
        ]
    }
}

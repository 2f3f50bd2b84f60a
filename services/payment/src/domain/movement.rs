//! The double-entry book: every movement of money is two rows that sum to zero.

use types::{PaymentId, Timestamp};

use super::origin::Origin;
use super::payment;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Money came in from the customer.
    Capture,
    /// Money went back to the customer.
    Refund,
    /// A refund was reversed and came back to us.
    Reversal,
    /// The customer's bank took the money back.
    Dispute,
    /// A person paid the money back.
    ByHand,
}

/// What stands against the order in the book: where the money was, or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Till {
    /// The tender itself, by who moves its money.
    Tender(payment::Kind),
    /// The order's own store credit.
    StoreCredit,
    /// A person's hand.
    ByHand,
}

impl Till {
    fn account(self, payment_id: &PaymentId) -> String {
        match self {
            Self::Tender(kind) => format!("{}:{payment_id}", kind.as_str()),
            Self::StoreCredit => "credit".to_owned(),
            Self::ByHand => format!("by_hand:{payment_id}"),
        }
    }
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Reversal => "reversal",
            Self::Dispute => "dispute",
            Self::ByHand => "by_hand",
        }
    }

    /// A reversal takes back what the same step did, which is also what keeps the rows of a refund
    /// and of its reversal apart: they share the step and the refund's id.
    pub const fn direction(self) -> &'static str {
        match self {
            Self::Capture | Self::Refund | Self::Dispute | Self::ByHand => "do",
            Self::Reversal => "undo",
        }
    }
}

/// Money that moved between a till and the order; the amount is positive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    pub kind: Kind,
    pub till: Till,
    pub payment_id: PaymentId,
    /// The capture's or the refund's id, or the gateway's name of a dispute.
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
        let till = self.till.account(&self.payment_id);
        let order = "order".to_owned();
        let (debited, credited) = match self.kind {
            Kind::Capture | Kind::Reversal => (till, order),
            Kind::Refund | Kind::Dispute | Kind::ByHand => (order, till),
        };
        [
            Entry { account: debited, debit_minor: self.amount_minor, credit_minor: 0 },
            Entry { account: credited, debit_minor: 0, credit_minor: self.amount_minor },
        ]
    }
}

//! Store credit: what the customer of an order holds with us instead of money.

use types::Timestamp;

use super::account::Account;
use super::moment::Moment;

/// One row of the store credit's book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditEntry {
    /// The refund that it came by.
    pub refund_id: String,
    pub delta_minor: i64,
    pub balance_minor: i64,
    pub at: Timestamp,
}

impl Account {
    pub(super) fn credit(&mut self, refund_id: &str, amount_minor: i64, moment: Moment<'_>) {
        self.store_credit_minor += amount_minor;
        self.credit_seq += 1;
        let entry = CreditEntry {
            refund_id: refund_id.to_owned(),
            delta_minor: amount_minor,
            balance_minor: self.store_credit_minor,
            at: moment.now,
        };
        self.unsaved.credits.push((self.credit_seq, entry));
    }
}

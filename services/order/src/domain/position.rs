//! What is owed to the customer, as the payment service told it. It owns the figure: nothing here adds to it or subtracts.
//!
//! A figure goes by one decision of the order about what it comes to. Decisions are counted; the order tells the count of the
//! decision that a change will make with its reservation, and hears with the reply what will be owed by it.

use super::order::{AwaitedPayment, Order};

/// A figure of the payment service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// A higher one is newer, of the same decision; 0 before anything was owed.
    pub sequence: i64,
    /// The decision of the order that it goes by.
    pub worth_version: i64,
    pub owed_minor: i64,
}

/// What is shown of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// Nothing while it is pending: an old figure is never shown.
    pub minor: i64,
    pub sequence: i64,
    /// The payment service has not told yet what is owed by the order's last decision.
    pub pending: bool,
}

impl Order {
    /// What is owed, if the payment service has told it by the order's last decision.
    pub fn owed(&self) -> Owed {
        let told = self.position;
        let pending = told.worth_version != self.worth_version;
        Owed { minor: if pending { 0 } else { told.owed_minor }, sequence: told.sequence, pending }
    }

    /// Takes a figure in; true if another one is shown by it. One that goes by the decision of a change that is not
    /// committed waits for that.
    pub fn hear(&mut self, told: Position) -> bool {
        let before = self.owed();
        let known = self.position;
        if told.worth_version == self.worth_version {
            if known.worth_version != told.worth_version || told.sequence > known.sequence {
                self.position = told;
            }
        } else if told.worth_version == self.worth_version + 1 {
            let next = self.next_position.filter(|next| next.sequence >= told.sequence);
            self.next_position = next.or(Some(told));
        }
        self.owed() != before
    }

    /// The order comes to something else by this decision, whatever that is.
    pub fn decide_worth(&mut self) {
        self.worth_version += 1;
        if let Some(next) = self.next_position.take() {
            self.position = next;
        }
    }

    /// What is taken off the price need not be paid any more.
    pub fn await_less(&mut self, by_minor: i64) {
        self.awaits_payment = self.awaits_payment.and_then(|awaited| {
            let missing_minor = awaited.missing_minor - by_minor;
            (missing_minor > 0).then_some(AwaitedPayment { missing_minor, ..awaited })
        });
    }
}

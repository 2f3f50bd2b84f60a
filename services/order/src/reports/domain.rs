//! Counting cancellations.

use types::Timestamp;

/// What cancellations are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    Reason,
    /// Of who asked for it.
    Role,
    Channel,
    Supplier,
    Sku,
    /// The order's state when the change was accepted.
    Stage,
    /// UTC, of the decision.
    Day,
}

/// Decided at the first instant or later, and before the second; open where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    pub from: Option<Timestamp>,
    pub before: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// The reason, role, day …; empty where none was given.
    pub key: String,
    pub changes: i64,
    pub orders: i64,
    pub units: i64,
    /// The orders that the rate is taken of.
    pub orders_placed: i64,
    /// By currency.
    pub money: Vec<Economics>,
}

/// What cancellations come to, in minor units of one currency.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Economics {
    pub currency: String,
    /// What goes back to customers.
    pub amount_minor: i64,
    /// What fees keep.
    pub fee_minor: i64,
    /// What the labels had cost that were wanted void, or that nothing is left to send with.
    pub label_cost_minor: i64,
    /// Of that, what carriers were asked to give back and have not answered.
    pub credit_expected_minor: i64,
    pub credit_granted_minor: i64,
    /// Of that, what nobody gives back: the void or the credit was refused, or the label was kept.
    pub label_lost_minor: i64,
}

impl Economics {
    pub fn of(currency: String) -> Self {
        Self { currency, ..Self::default() }
    }

    /// What cancelling has earned or cost us beside the goods: fees, less labels lost.
    pub fn result_minor(&self) -> i64 {
        self.fee_minor - self.label_lost_minor
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    pub rows: Vec<Row>,
    /// Over all keys, each order once.
    pub total: Row,
}

impl Row {
    /// Cancelled orders of those placed, in hundredths of a percent, rounded half up.
    pub fn rate_basis_points(&self) -> i64 {
        if self.orders_placed == 0 {
            return 0;
        }
        (self.orders * 20_000 + self.orders_placed) / (2 * self.orders_placed)
    }
}

impl Dimension {
    pub const ALL: [Self; 7] =
        [Self::Reason, Self::Role, Self::Channel, Self::Supplier, Self::Sku, Self::Stage, Self::Day];
}

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
    pub amounts: Vec<(String, i64)>,
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

//! How many units a request asks for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Reason, Refusal};

/// A number of units asked for: 1 to [`Quantity::MAX`]. Buckets of a line, which may be zero, are
/// plain counts and are guarded by the partition they belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(i64);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a quantity is 1 to {max}, not {value}", max = Quantity::MAX)]
pub struct QuantityError {
    pub value: i64,
}

impl Quantity {
    /// The largest quantity of one line; times the largest unit price it still fits an `i128`.
    pub const MAX: i64 = 1_000_000;

    pub fn parse(value: i64) -> Result<Self, QuantityError> {
        if (1..=Self::MAX).contains(&value) { Ok(Self(value)) } else { Err(QuantityError { value }) }
    }

    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<i64> for Quantity {
    type Error = QuantityError;

    fn try_from(value: i64) -> Result<Self, QuantityError> {
        Self::parse(value)
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

impl From<QuantityError> for Refusal {
    fn from(error: QuantityError) -> Self {
        Self::new(Reason::QuantityOutOfRange, error.to_string())
            .detail("quantity", error.value)
            .detail("max", Quantity::MAX)
    }
}

//! Money in minor units, and the four ways it is ever divided or multiplied.
//!
//! An amount is an `i64` of the currency's smallest unit, never a float and never a bare number.
//! Dividing it is done only by [`allocate`] (over weights, frozen once) and [`telescope`] (unit by
//! unit, over time); multiplying only by [`UnitPrice::times`], and by [`scaled`] for the tax of units that are
//! sold in addition. Each is exact in sum.

mod division;
mod unit_price;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::division::{allocate, cumulative, scaled, telescope};
pub use self::unit_price::{PRICE_DECIMALS_MAX, UnitPrice};
use crate::{Currency, CurrencyUnknown, Reason, Refusal};

/// The largest magnitude of an amount. A thousand such amounts still fit an `i64`, so sums over the
/// lines of an order overflow the bound, which is an error, long before they overflow the number.
pub const AMOUNT_MINOR_MAX: i64 = 1_000_000_000_000_000;

/// An amount of one currency; its magnitude is at most [`AMOUNT_MINOR_MAX`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct Money {
    currency: Currency,
    minor: i64,
}

/// Why an amount could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("the amount is beyond {AMOUNT_MINOR_MAX} minor units")]
    Overflow,
    #[error("amounts in {left} and {right} do not mix")]
    CurrencyMismatch { left: Currency, right: Currency },
    #[error(transparent)]
    CurrencyUnknown(#[from] CurrencyUnknown),
    #[error("{text:?} is not a price: digits, then at most {PRICE_DECIMALS_MAX} decimals after a point")]
    PriceInvalid { text: String },
}

impl Money {
    pub fn new(currency: Currency, minor: i64) -> Result<Self, MoneyError> {
        if minor.unsigned_abs() > AMOUNT_MINOR_MAX.unsigned_abs() {
            return Err(MoneyError::Overflow);
        }
        Ok(Self { currency, minor })
    }

    /// Parses what came over the wire or out of a database.
    pub fn parse(code: &str, minor: i64) -> Result<Self, MoneyError> {
        Self::new(Currency::parse(code)?, minor)
    }

    pub fn zero(currency: Currency) -> Self {
        Self { currency, minor: 0 }
    }

    /// The sum of any number of amounts; zero of `currency` when there are none.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    pub fn currency(self) -> Currency {
        self.currency
    }

    pub fn minor(self) -> i64 {
        self.minor
    }

    pub fn is_zero(self) -> bool {
        self.minor == 0
    }

    pub fn is_positive(self) -> bool {
        self.minor > 0
    }

    pub fn is_negative(self) -> bool {
        self.minor < 0
    }

    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Self::new(self.currency, self.minor + other.minor)
    }

    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.plus(other.negated())
    }

    #[must_use]
    pub fn negated(self) -> Self {
        Self { currency: self.currency, minor: -self.minor }
    }

    /// The amount, or zero if it is negative: `max(0, amount)`.
    #[must_use]
    pub fn or_zero(self) -> Self {
        Self { currency: self.currency, minor: self.minor.max(0) }
    }

    /// The lower of two amounts of the same currency.
    pub fn lower(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Ok(if other.minor < self.minor { other } else { self })
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
        }
    }
}

impl fmt::Display for Money {
    /// `GBP 12.34`, `JPY 1200`, `KWD -1.234`: the code and all decimals, without grouping.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let unit = 10_u64.pow(self.currency.exponent());
        let (whole, fraction) = (self.minor.unsigned_abs() / unit, self.minor.unsigned_abs() % unit);
        match self.currency.exponent() as usize {
            0 => write!(f, "{} {sign}{whole}", self.currency),
            digits => write!(f, "{} {sign}{whole}.{fraction:0digits$}", self.currency),
        }
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The stored form of [`Money`], before its bound is checked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    currency: Currency,
    minor: i64,
}

impl TryFrom<Unchecked> for Money {
    type Error = MoneyError;

    fn try_from(unchecked: Unchecked) -> Result<Self, MoneyError> {
        Self::new(unchecked.currency, unchecked.minor)
    }
}

impl From<Money> for Unchecked {
    fn from(money: Money) -> Self {
        Self { currency: money.currency, minor: money.minor }
    }
}

impl From<MoneyError> for Refusal {
    fn from(error: MoneyError) -> Self {
        let message = error.to_string();
        match error {
            MoneyError::Overflow => Self::new(Reason::AmountOutOfRange, message),
            MoneyError::CurrencyMismatch { left, right } => {
                Self::new(Reason::CurrencyMismatch, message).detail("left", left).detail("right", right)
            }
            MoneyError::CurrencyUnknown(unknown) => unknown.into(),
            MoneyError::PriceInvalid { .. } => Self::new(Reason::FieldInvalid, message),
        }
    }
}

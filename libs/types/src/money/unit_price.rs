//! The price of one unit, which may be finer than the smallest coin.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::division::round_half_even;
use super::{Money, MoneyError};
use crate::{Currency, Quantity};

/// The most decimals of a unit price.
pub const PRICE_DECIMALS_MAX: usize = 6;

/// The most digits before the point: with one more, a price alone would pass the bound of amounts.
const PRICE_WHOLE_DIGITS_MAX: usize = 12;

const MILLIONTHS: i64 = 1_000_000;

/// A price per unit, at least zero, in millionths of the currency's major unit. Wholesale prices
/// such as 0.0375 have no amount of minor units; only the line's amount is rounded, once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitPrice {
    millionths: i64,
}

impl UnitPrice {
    /// Parses plain decimal text such as "2.55", "12" or "0.0375": no sign, no exponent, no grouping.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let invalid = || MoneyError::PriceInvalid { text: text.chars().take(32).collect() };
        let (whole, decimals) = match text.split_once('.') {
            Some((_, "")) => return Err(invalid()),
            Some((whole, decimals)) => (whole, decimals),
            None => (text, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || !digits(whole)
            || !digits(decimals)
            || decimals.len() > PRICE_DECIMALS_MAX
            || whole.len() > PRICE_WHOLE_DIGITS_MAX
        {
            return Err(invalid());
        }
        let millionths = format!("{whole}{decimals:0<PRICE_DECIMALS_MAX$}")
            .parse()
            .expect("eighteen decimal digits fit an i64");
        Ok(Self { millionths })
    }

    /// The price that is a whole number of minor units; a negative amount is not a price.
    pub fn of_money(price: Money) -> Result<Self, MoneyError> {
        let invalid = || MoneyError::PriceInvalid { text: price.to_string() };
        if price.is_negative() {
            return Err(invalid());
        }
        let scale = MILLIONTHS / 10_i64.pow(price.currency().exponent());
        let millionths = price.minor().checked_mul(scale).ok_or(MoneyError::Overflow)?;
        Ok(Self { millionths })
    }

    /// The amount of a line: `round_half_even(quantity · price)` in minor units of `currency`.
    pub fn times(self, quantity: Quantity, currency: Currency) -> Result<Money, MoneyError> {
        let scaled = i128::from(self.millionths) * i128::from(quantity.get());
        let minor = round_half_even(scaled * 10_i128.pow(currency.exponent()), i128::from(MILLIONTHS));
        Money::new(currency, i64::try_from(minor).map_err(|_| MoneyError::Overflow)?)
    }

    pub fn is_zero(self) -> bool {
        self.millionths == 0
    }
}

impl fmt::Display for UnitPrice {
    /// The shortest decimal text of the price: "2.55", "12", "0.0375".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:06}", self.millionths % MILLIONTHS);
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{}", self.millionths / MILLIONTHS),
            decimals => write!(f, "{}.{decimals}", self.millionths / MILLIONTHS),
        }
    }
}

impl fmt::Debug for UnitPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for UnitPrice {
    type Error = MoneyError;

    fn try_from(text: String) -> Result<Self, MoneyError> {
        Self::parse(&text)
    }
}

impl From<UnitPrice> for String {
    fn from(price: UnitPrice) -> Self {
        price.to_string()
    }
}

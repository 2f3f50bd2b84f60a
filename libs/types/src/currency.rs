//! ISO 4217 currencies that have a minor unit.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Reason, Refusal};

/// A currency by its ISO 4217 code. Codes without a minor unit (gold, "no currency", test codes)
/// are not currencies here, because an amount in minor units of them has no meaning.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

/// The code is not an ISO 4217 currency with a minor unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code:?} is not an upper-case ISO 4217 code of a currency with a minor unit")]
pub struct CurrencyUnknown {
    pub code: String,
}

impl Currency {
    /// Parses an upper-case code. "gbp" is refused, not guessed: a caller who sends it also sends
    /// it to others, and a code that compares unequal in a log or an index hides amounts.
    pub fn parse(code: &str) -> Result<Self, CurrencyUnknown> {
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.exponent().is_some())
            .map(Self)
            .ok_or_else(|| CurrencyUnknown { code: code.chars().take(16).collect() })
    }

    /// The three letters, such as "GBP".
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimal digits the minor unit has: 0 for JPY, 2 for GBP, 3 for KWD, 4 for CLF.
    pub fn exponent(self) -> u32 {
        self.0.exponent().map(u32::from).expect("parse refuses currencies without a minor unit")
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> Ordering {
        self.code().cmp(other.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyUnknown;

    fn try_from(code: String) -> Result<Self, CurrencyUnknown> {
        Self::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl From<CurrencyUnknown> for Refusal {
    fn from(error: CurrencyUnknown) -> Self {
        Self::new(Reason::CurrencyUnknown, error.to_string()).detail("currency_code", error.code)
    }
}

//! Names that people give to warehouses and articles.

use std::fmt;
use std::sync::Arc;

use types::text::{self, TextError};

/// The texts are shared, because a reservation, its stock row and its ledger entries all carry the same names.
fn parse(length_max: usize, name: &str) -> Result<Arc<str>, TextError> {
    text::name_required(length_max, name).map(Into::into)
}

/// A warehouse, as its operator named it: 1 to 64 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WarehouseId(Arc<str>);

/// An article: 1 to 128 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sku(Arc<str>);

impl WarehouseId {
    pub const LENGTH_MAX: usize = 64;

    pub fn parse(text: &str) -> Result<Self, TextError> {
        parse(Self::LENGTH_MAX, text).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Sku {
    pub const LENGTH_MAX: usize = 128;

    pub fn parse(text: &str) -> Result<Self, TextError> {
        parse(Self::LENGTH_MAX, text).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for WarehouseId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Sku {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WarehouseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for WarehouseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Debug for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

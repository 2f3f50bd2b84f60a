//! Names that people give to warehouses and articles.

use std::fmt;
use std::sync::Arc;

use types::text::{self, TextError};
use types::{Reason, Refusal};

/// The text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error(transparent)]
    Text(#[from] TextError),
    #[error("a name stands on one line")]
    SeveralLines,
}

impl From<NameError> for Refusal {
    fn from(error: NameError) -> Self {
        match error {
            NameError::Text(error) => error.into(),
            NameError::SeveralLines => Self::new(Reason::FieldInvalid, error.to_string()),
        }
    }
}

/// One line of text in normal form C. The texts are shared, because a reservation, its stock row and
/// its ledger entries all carry the same names.
fn parse(length_max: usize, name: &str) -> Result<Arc<str>, NameError> {
    let name = text::parse_required(length_max, name)?;
    if name.contains(['\n', '\t']) { Err(NameError::SeveralLines) } else { Ok(name.into()) }
}

/// A warehouse, as its operator named it: 1 to 64 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WarehouseId(Arc<str>);

/// An article: 1 to 128 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sku(Arc<str>);

impl WarehouseId {
    pub const LENGTH_MAX: usize = 64;

    pub fn parse(text: &str) -> Result<Self, NameError> {
        parse(Self::LENGTH_MAX, text).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Sku {
    pub const LENGTH_MAX: usize = 128;

    pub fn parse(text: &str) -> Result<Self, NameError> {
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
        f.write_str(&text::display(&self.0))
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::display(&self.0))
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

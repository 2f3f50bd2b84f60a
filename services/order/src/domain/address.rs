//! Where goods go. An address is personal data: it is stored with its order and with the change that proposes it, and appears in no list or event.

use serde::{Deserialize, Serialize};

/// An address as it was given. Only lengths are checked, because every country writes addresses in its own way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    pub recipient: String,
    /// Street, house, building.
    pub lines: Vec<String>,
    pub city: String,
    pub postal_code: String,
    pub region: String,
    /// Two upper-case letters.
    pub country_code: String,
}

//! Where goods go. Personal data: it stands with its order and with the change that proposes it, never in lists and events.

use serde::{Deserialize, Serialize};

/// As it was given: parsed for lengths only, because every country writes addresses in its own way.
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

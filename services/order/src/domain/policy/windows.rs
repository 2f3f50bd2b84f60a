//! How long a policy lets things wait: payments of orders that stand, and returns.

use serde::{Deserialize, Serialize};

/// How long an order that stands may wait for its payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expiry {
    /// Then what is open is cancelled; never, where it is null.
    pub unpaid_seconds: Option<u32>,
    /// So long before that everybody is warned.
    pub warn_seconds: u32,
}

impl Default for Expiry {
    fn default() -> Self {
        Self { unpaid_seconds: Some(7 * 24 * 60 * 60), warn_seconds: 24 * 60 * 60 }
    }
}

/// How long after the last delivery a return may be opened; at least for undelivered units it always may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returns {
    pub days_after_delivery: u32,
}

impl Default for Returns {
    fn default() -> Self {
        Self { days_after_delivery: 30 }
    }
}

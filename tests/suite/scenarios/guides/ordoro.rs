//! Rows D1 to D17: labels, stock, batches, records.

use crate::Scenario;
use crate::scenarios::scenarios;

pub const ALL: &[(&str, Scenario)] = scenarios![];

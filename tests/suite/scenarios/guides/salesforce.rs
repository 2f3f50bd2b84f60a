//! Rows S1 to S23: change orders.

use crate::Scenario;
use crate::scenarios::scenarios;

pub const ALL: &[(&str, Scenario)] = scenarios![];

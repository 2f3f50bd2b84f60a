//! Rows B1 to B23: buyers and suppliers.

use crate::Scenario;
use crate::scenarios::scenarios;

pub const ALL: &[(&str, Scenario)] = scenarios![];

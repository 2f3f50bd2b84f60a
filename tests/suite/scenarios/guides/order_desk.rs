//! Rows O1 to O24: a hub between carts and fulfilment partners.

use crate::Scenario;
use crate::scenarios::scenarios;

pub const ALL: &[(&str, Scenario)] = scenarios![];

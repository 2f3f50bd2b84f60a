//! Rows I1 to I13: cancelling by role and organisation, with reasons and a shared timeline.

use crate::Scenario;
use crate::scenarios::scenarios;

pub const ALL: &[(&str, Scenario)] = scenarios![];

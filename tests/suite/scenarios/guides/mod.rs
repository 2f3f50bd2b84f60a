//! The five guides, row by row: a scenario is named by its row (`i6_reason_must_be_chosen` proves I6), with an allowed and
//! a refused case over the wire. `docs/features.md` is generated from these names.
//!
//! Each file lists its own scenarios, so that one who adds a row touches one file.

pub mod installer;
pub mod marketplace;
pub mod order_desk;
pub mod ordoro;
pub mod salesforce;

use crate::Scenario;

pub const ALL: &[&[(&str, Scenario)]] =
    &[installer::ALL, order_desk::ALL, salesforce::ALL, marketplace::ALL, ordoro::ALL];

//! The five guides, row by row: a scenario is named by its row (`i6_reason_must_be_chosen` proves I6), with an allowed and
//! a refused case over the wire. `docs/features.md` is generated from these names.
//!
//! Each file lists its own scenarios, so that one who adds a row touches one file.

pub mod bundles;
pub mod carts;
pub mod desk;
pub mod editions;
pub mod finding;
pub mod installer;
pub mod marketplace;
pub mod named_partners;
pub mod order_desk;
pub mod ordoro;
pub mod records;
pub mod remedies;
pub mod salesforce;
pub mod under;

use crate::Scenario;

pub const ALL: &[&[(&str, Scenario)]] = &[
    installer::ALL,
    order_desk::ALL,
    named_partners::ALL,
    carts::ALL,
    salesforce::ALL,
    bundles::ALL,
    editions::ALL,
    marketplace::ALL,
    ordoro::ALL,
    remedies::ALL,
    desk::ALL,
    finding::ALL,
    records::ALL,
];

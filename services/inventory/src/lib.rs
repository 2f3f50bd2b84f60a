//! The inventory service: warehouses, stock and its ledger, reservations, fulfilments.
//!
//! ```text
//!  api ──▶ ops ──▶ domain (pure rules)
//!            └───▶ store  (the only SQL)
//!  relay ──▶ order's event intake (ports, the only call out)
//! ```
//!
//! It never holds prices, payments or the state of an order: it knows an order's goods, and tells order what
//! became of them.

pub mod api;
pub mod app;
pub mod config;
pub mod domain;
pub mod ops;
pub mod ports;
pub mod store;

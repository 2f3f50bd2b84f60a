//! Payment: tenders, captures and refunds of orders, and the double-entry book of what moved.
//!
//! ```text
//!   api ──▶ ops ──▶ domain        steps of sagas, requests of clients
//!            │  └─▶ store         one commit for many of them
//!            └────▶ ports         gateways, outside of every transaction; events to order
//! ```
//!
//! Its promise: never more is given back than was taken, per capture; nothing is called refunded
//! without the gateway's word; and one refund id makes one effect, whatever crashes on the way.
//!
//! It must never hold prices, quantities, or the reasons why an order changes.

mod api;
pub mod app;
pub mod config;
pub mod domain;
pub mod ops;
pub mod ports;
pub mod simulator;
pub mod store;
pub mod wire;

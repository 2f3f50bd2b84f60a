//! Orders, the changes of orders, their timeline, and the sagas that carry both out.
//!
//! ```text
//!   api ──▶ ops ──▶ domain + store          one group commit for whatever writes (ops::batch)
//!            ▲
//!         sagas ──▶ ports ──▶ inventory · payment · notification
//! ```
//!
//! Imports go down only. `domain` decides on values, `store` is the only room with SQL, `ports` the only room that
//! calls out, `sagas` the two tables that say in which order things happen, `wire` the protobuf form of the domain's
//! values.
//!
//! It never holds stock, fulfilments, tenders or refunds: those are their services' own, and what stands here of
//! them is a projection that decides nothing.

pub mod api;
pub mod app;
pub mod config;
pub mod domain;
pub mod ops;
pub mod ports;
pub mod sagas;
pub mod store;
pub mod wire;

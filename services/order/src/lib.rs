//! Orders, the changes of orders, their timeline, and the sagas that carry both out.
//!
//! ```text
//!   api ──▶ ops ──▶ domain + store          one group commit for orders and changes
//!            ▲
//!         sagas ──▶ ports ──▶ inventory · payment · notification
//! ```
//!
//! Imports go down only. `domain` decides on values, `store` is the only room with SQL, `ports` the only room that
//! calls out, `sagas` the two tables that say in which order things happen, `wire` the protobuf form of the domain's
//! values.
//!
//! Beside this trunk stand four wings with rooms of their own (`api` · `ask` · `domain` · `store` · `worker`): `batches`, `rules`,
//! `feed` and `reports`. A wing imports the trunk and no other wing; the trunk imports none, and `app` puts them together.
//!
//! It never holds stock, fulfilments, tenders or refunds: those are their services' own, and what stands here of
//! them is a projection that decides nothing.

pub mod api;
pub mod app;
pub mod batches;
pub mod config;
pub mod domain;
pub mod feed;
pub mod ops;
pub mod ports;
pub mod reports;
pub mod rules;
pub mod sagas;
pub mod store;
pub mod wire;

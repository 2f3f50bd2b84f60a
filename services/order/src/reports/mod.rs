//! Counting cancellations: a wing beside the orders that reads and never writes.

mod api;
mod ask;
pub mod domain;
mod store;

pub use api::routes;
pub use ask::Reports;

//! The events of a tenant for other programs, by a stream or on a broker: a wing beside the orders. The log and its readers
//! stand in the trunk; here they are sent.

mod api;
pub mod broker;
mod queue;
mod store;
mod worker;

pub use api::routes;
pub use queue::{look_at_publication, watch_publication};
pub use worker::{Publisher, Turn};

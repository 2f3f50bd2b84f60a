//! Cancelling many orders at once, each for itself: a wing beside the orders, with rooms of its own.
//!
//! ```text
//!   api ─▶ ask ─▶ store ◀─ worker ─▶ the trunk: one change for each order
//! ```

mod api;
mod ask;
pub mod domain;
mod estimate;
mod store;
mod worker;

pub use api::routes;
pub use ask::{BatchWatch, Batches, NewBatch};

//! What every decision needs, and the decisions that no request asks for: rounds of sagas, events of the other services, and queues that
//! wait too long.

pub mod arrivals;
pub mod carry;
mod context;
mod outside;
mod owed;
pub mod queue;
pub mod visible;

pub use context::{Context, changes_of};

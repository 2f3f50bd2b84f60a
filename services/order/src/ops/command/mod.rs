//! Requests and events as values: who asks, what a request names, what an event says, and what follows the commit.

mod arrival;
mod named;
mod outside;
mod queue;
mod request;

pub use arrival::{Arrival, Body, OwedTold, position};
pub use named::Named;
pub use outside::News;
pub use queue::{Queue, Receiver};
pub use request::{After, Asked};

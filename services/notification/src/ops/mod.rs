//! The use cases: taking events in, and delivering what the inbox channel does not deliver by itself.

pub mod batch;
pub mod courier;
pub mod dispatch;

pub use batch::{Arrival, Intake, Run};
pub use courier::{Courier, Turn};
pub use dispatch::Dispatch;

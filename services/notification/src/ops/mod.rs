//! The use cases: taking events in, and delivering what the inbox channel does not deliver by itself.

pub mod batch;
pub mod courier;

pub use batch::{Arrival, Intake, Run};
pub use courier::{Courier, Turn};

//! The use cases: taking events in, and delivering what the inbox channel does not deliver by itself.

pub mod batch;
pub mod courier;
pub mod dispatch;

pub use batch::{Arrival, Intake, Run, Taken};
pub use courier::{Courier, Handing, Turn};
pub use dispatch::Dispatch;

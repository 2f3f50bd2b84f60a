//! The one group commit: what it loads, how it decides and writes, and what it wakes afterwards.

pub mod batch;
pub mod command;
pub mod event_log;
pub mod hints;
mod load;
pub mod owner;

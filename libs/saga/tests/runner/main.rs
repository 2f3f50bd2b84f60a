//! The runner against real databases, with participants that do as they are told.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod owner;
mod participants;
mod restarts;
mod rows;
mod world;

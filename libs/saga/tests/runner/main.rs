//! The runner against real databases, with participants that do as they are told.

mod cases;
mod owner;
mod participants;
mod world;

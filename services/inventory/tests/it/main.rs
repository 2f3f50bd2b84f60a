//! The service as its neighbours see it: the use cases on both engines, and one server over the wire.

#![expect(clippy::unwrap_used, reason = "the lint spares test functions, not what they share")]

mod audit;
mod connectors;
mod fulfilments;
mod interleavings;
mod labels;
mod partners;
mod program;
mod races;
mod returns;
mod steps;
mod stock;
mod truths;
mod wire;
mod world;

//! The order service against real databases and in-process participants that speak the real step protocol.

#![expect(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod app;
mod batches;
mod cancelling;
mod event_stream;
mod fakes;
mod listing;
mod operator;
mod organising;
mod placing;
mod proofs;
mod remedies;
mod requests;
mod samples;
mod store;
mod told;
mod world;

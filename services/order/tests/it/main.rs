//! The order service against real databases and in-process participants that speak the real step protocol.

#![expect(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod agreements;
mod app;
mod attention;
mod batch_rates;
mod batches;
mod cancelling;
mod clocks;
mod eligible;
mod event_stream;
mod fakes;
mod listing;
mod nats_server;
mod operator;
mod organising;
mod placing;
mod proofs;
mod publishing;
mod remedies;
mod requests;
mod returns;
mod samples;
mod simulation;
mod store;
mod told;
mod world;

//! The payment service on real databases: steps and their ledger, the gateway's tokens, crashes, and
//! the wire. SQLite always; PostgreSQL too when `COUNTERMAND_TEST_POSTGRES` names a server.

#![expect(clippy::unwrap_used, reason = "the lint spares test functions, not what they share")]

mod adoption;
mod contract;
mod crashes;
mod gateway;
mod races;
mod replicas;
mod resend;
mod schema;
mod service;
mod shared;
mod simulator;
mod steps;
mod truth;
mod webhooks;
mod wire;

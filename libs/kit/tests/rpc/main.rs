//! The chassis from outside: a real client calls a real server over loopback.

#![expect(clippy::unwrap_used, reason = "the lint spares test functions, not what they share")]

mod client;
mod coalesce;
mod desk;
mod discovery;
mod drain;
mod encryption;
mod exhaustion;
mod failures;
mod identity;
mod shared_connection;
mod tokens;
mod trace;

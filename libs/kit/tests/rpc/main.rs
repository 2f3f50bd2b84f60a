//! The chassis from outside: a real client calls a real server over loopback.

#![expect(clippy::unwrap_used, reason = "the lint spares test functions, not what they share")]

mod client;
mod coalesce;
mod desk;
mod discovery;
mod drain;
mod encryption;
mod failures;
mod identity;
mod tokens;
mod trace;

//! The chassis every Countermand process stands on: what a gRPC server and a gRPC client need
//! before any business is written.
//!
//! ```text
//!  caller ── client::Channel ──────────────► server::Gate ── generated service ── your handler
//!            deadline forwarded              span, deadline, who calls, how often, the message,
//!            traceparent, secret sent        a turn, panic caught, bare statuses explained
//! ```
//!
//! A service's `main` is [`process::run`]; its app builds a [`server::Server`], binds it, then runs
//! it until the shutdown token fires. Handlers return [`Failure`], which becomes a `tonic::Status`
//! with `google.rpc` details; callers read it back with [`answer::classify`].
//!
//! It must never hold business words, SQL, or knowledge of which services exist. It knows of [`storage`] what crosses
//! the wire: its errors, its envelopes of events, its step calls and its books.

mod access;
pub mod answer;
mod auth;
pub mod books;
pub mod client;
pub mod coalesce;
pub mod config;
pub mod deadline;
pub mod events;
mod failure;
pub mod health;
mod name;
pub mod outbound;
pub mod page;
mod principal;
pub mod process;
pub mod roles;
pub mod seal;
pub mod secret_file;
pub mod server;
mod span;
pub mod step;
pub mod telemetry;

pub use crate::access::{Access, AccessError, table as access_table};
pub use crate::deadline::Deadline;
pub use crate::failure::{ERROR_DOMAIN, Failure};
pub use crate::principal::Principal;
pub use crate::roles::Roles;
pub use crate::seal::Seal;

//! The harness of the end-to-end tests: the four services as separate processes, each with its own database.
//!
//! ```text
//!   Suite::start(Engine) ──▶ order · inventory · payment · notification   (free ports of 127.0.0.1)
//!        └─ connect() ──▶ Clients (public ports)      └─ kill(service) / restart(service), by pid
//! ```
//!
//! It never links a service, never reads a database, and ends only processes it started.

pub mod clients;
pub mod engine;
pub mod process;
pub mod suite;

pub use clients::Clients;
pub use engine::Engine;
pub use suite::{Service, Suite};

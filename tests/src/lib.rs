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
pub mod shop;
pub mod suite;

pub use clients::Clients;
pub use engine::Engine;
pub use shop::Shop;
pub use suite::{Service, Suite};

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long [`eventually`] asks.
const EVENTUALLY_MAX: Duration = Duration::from_secs(60);

/// Asks until there is a value; a claim about what happens, not about when.
pub async fn eventually<T>(claim: &str, ask: impl AsyncFn() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    while started.elapsed() < EVENTUALLY_MAX {
        if let Some(value) = ask().await? {
            return Ok(value);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("it did not happen: {claim}")
}

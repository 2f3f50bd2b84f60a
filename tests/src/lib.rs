//! The harness of the end-to-end tests: the four services as separate processes, each with its own database.
//!
//! ```text
//!   Suite::start(Engine) ──▶ order · inventory · payment · notification   (free ports of 127.0.0.1)
//!        └─ connect() ──▶ Clients (public ports)      └─ kill(service) / restart(service), by pid
//! ```
//!
//! It never links a service, never reads a database, and ends only processes it started.

pub mod clients;
pub mod collector;
pub mod engine;
pub mod outside;
pub mod partner;
pub mod ports;
pub mod process;
pub mod raw;
pub mod shop;
pub mod suite;

pub use clients::Clients;
pub use engine::Engine;
pub use partner::FakePartner;
pub use shop::Shop;
pub use suite::{Service, Suite};

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long [`eventually`] asks.
const EVENTUALLY_MAX: Duration = Duration::from_mins(1);

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

/// `countermand verify` recomputes every balance over the four services; it must find all of them true.
pub async fn assert_books_balance(suite: &Suite) -> Result<()> {
    let mut command = Command::new(process::binary("countermand")?);
    command.args(["--json", "verify"]).args(suite.address_arguments());
    let output: Output =
        tokio::task::spawn_blocking(move || command.output()).await?.context("running countermand")?;
    let (report, problem) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "verify ended with {}\n{report}{problem}", output.status);
    Ok(())
}

//! `countermand up`, and the verbs that bring a suite of their own.

use anyhow::{Context, Result};
use kit::config::{LogFormat, Telemetry};
use tokio_util::sync::CancellationToken;

use crate::clients::{Addresses, Clients};
use crate::embedded::{Embedded, Ports, Storage};
use crate::render;

/// Runs the suite at these addresses until SIGTERM or SIGINT.
pub async fn run(storage: &Storage, throw_away: bool, addresses: Addresses) -> Result<()> {
    let filter = std::env::var("COUNTERMAND_TELEMETRY__LOG_FILTER").unwrap_or_else(|_| "warn".to_owned());
    let telemetry = Telemetry {
        otlp_endpoint: std::env::var("COUNTERMAND_TELEMETRY__OTLP_ENDPOINT").ok(),
        log_format: LogFormat::Pretty,
        log_filter: filter,
    };
    let _telemetry = kit::telemetry::init("countermand", &telemetry)?;
    let shutdown = kit::process::shutdown_signal().context("listening for signals")?;
    let directory = tempfile::tempdir().context("making a directory for the suite")?;
    let passing = Storage { data_dir: directory.path().to_owned(), database_url: None };
    let storage = if throw_away { &passing } else { storage };
    let embedded = Embedded::start(storage, Ports::At(addresses), shutdown).await?;
    print_welcome(&embedded.addresses);
    if throw_away {
        say!("Nothing of it is kept.");
    }
    embedded.wait().await
}

fn print_welcome(addresses: &Addresses) {
    let rows = [
        ("order", &addresses.order),
        ("inventory", &addresses.inventory),
        ("payment", &addresses.payment),
        ("notification", &addresses.notification),
    ];
    let rows = rows.map(|(name, url)| vec![name.to_owned(), url.clone()]);
    say!("{}", render::table(&["service", "public address"], &[], rows));
    let order = addresses.order.trim_start_matches("http://");
    say!("\nOrders so far: countermand order list");
    say!("Look around:   grpcurl -plaintext {order} list");
    say!("\nStop with Ctrl-C; what is in flight ends first.");
}

/// Starts a suite on free ports, lets `work` use it, and drains it whatever came of it.
pub async fn with_suite<T>(storage: &Storage, work: impl AsyncFnOnce(&Clients) -> Result<T>) -> Result<T> {
    let _telemetry = kit::telemetry::init("countermand", &quiet())?;
    let embedded = Embedded::start(storage, Ports::Free, CancellationToken::new()).await?;
    let clients = embedded.clients()?;
    let done = work(&clients).await;
    let stopped = embedded.stop().await;
    let value = done?;
    stopped.map(|()| value)
}

/// As [`with_suite`], on databases that are deleted afterwards.
pub async fn with_throw_away_suite<T>(work: impl AsyncFnOnce(&Clients) -> Result<T>) -> Result<T> {
    let directory = tempfile::tempdir().context("making a directory for the suite")?;
    with_suite(&Storage { data_dir: directory.path().to_owned(), database_url: None }, work).await
}

/// Only what went wrong: the terminal belongs to the verb.
fn quiet() -> Telemetry {
    let filter = std::env::var("COUNTERMAND_TELEMETRY__LOG_FILTER").unwrap_or_else(|_| "error".to_owned());
    Telemetry { otlp_endpoint: None, log_format: LogFormat::Pretty, log_filter: filter }
}

//! What `main` does in every service: arguments, configuration, telemetry, signals, exit code.
//!
//! ```ignore
//! fn main() -> ExitCode {
//!     kit::process::run("inventory", inventory::app::run)
//! }
//! ```

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::client::{self, ClientConfig};
use crate::config::{self, ServiceConfig};
use crate::telemetry;

/// The exit codes, after sysexits.h: a supervisor may restart after 1, and must not after 64 or 78.
const EXIT_FAILED: u8 = 1;
const EXIT_USAGE: u8 = 64;
const EXIT_CONFIG: u8 = 78;
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

/// What the process was started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Serve,
    /// Bring the schema up to date, then end.
    Migrate,
}

/// What a service's app is handed.
#[derive(Debug)]
pub struct Process<C> {
    pub command: Command,
    pub config: C,
    /// Fires at the first SIGTERM or SIGINT; the second one ends the process at once.
    pub shutdown: CancellationToken,
}

/// Runs a service's app to its end.
pub fn run<C: ServiceConfig>(
    service: &'static str,
    app: impl AsyncFnOnce(Process<C>) -> anyhow::Result<()>,
) -> ExitCode {
    match outcome(service, std::env::args_os().skip(1), app) {
        Ok(()) => ExitCode::SUCCESS,
        Err(ended) => {
            eprintln!("{service}: {ended}");
            ExitCode::from(ended.code())
        }
    }
}

/// Why a process ends without having done what it was started for.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("{0}\nusage: [--config FILE] [serve | migrate | healthcheck]")]
    Usage(#[from] UsageError),
    #[error("{0:#}")]
    Config(anyhow::Error),
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

impl Ended {
    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => EXIT_USAGE,
            Self::Config(_) => EXIT_CONFIG,
            Self::Failed(_) => EXIT_FAILED,
        }
    }
}

fn outcome<C: ServiceConfig>(
    service: &'static str,
    arguments: impl IntoIterator<Item = OsString>,
    app: impl AsyncFnOnce(Process<C>) -> anyhow::Result<()>,
) -> Result<(), Ended> {
    let arguments = Arguments::parse(arguments)?;
    let config: C = config::load_from(service, arguments.config.as_deref())
        .map_err(|error| Ended::Config(error.into()))?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let ended = runtime.block_on(perform(service, arguments.action, config, app));
    // Tasks cut off at the drain limit must not keep the process.
    runtime.shutdown_background();
    Ok(ended?)
}

async fn perform<C: ServiceConfig>(
    service: &'static str,
    action: Action,
    config: C,
    app: impl AsyncFnOnce(Process<C>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let command = match action {
        Action::Healthcheck => return healthcheck(&config).await,
        Action::Serve => Command::Serve,
        Action::Migrate => Command::Migrate,
    };
    let _telemetry = telemetry::init(service, config.telemetry())?;
    let shutdown = shutdown_signal().context("listening for signals")?;
    let ended = app(Process { command, config, shutdown }).await;
    if let Err(error) = &ended {
        tracing::error!(service, error = format!("{error:#}"), "the service failed");
    }
    ended
}

/// A token that fires at SIGTERM or SIGINT. The second signal ends the process at once.
pub fn shutdown_signal() -> io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = CancellationToken::new();
    let fired = shutdown.clone();
    tokio::spawn(async move {
        for last in [false, true] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if last {
                std::process::exit(i32::from(EXIT_FAILED));
            }
            fired.cancel();
        }
    });
    Ok(shutdown)
}

/// For containers without a shell: asks the running service on this machine whether it serves.
async fn healthcheck(config: &impl ServiceConfig) -> anyhow::Result<()> {
    let listen = config.listen();
    anyhow::ensure!(
        listen.health.is_some() || config.tls().internal.is_none(),
        "the internal listener wants a certificate; set listen.health for probes that have none"
    );
    let address = reachable(listen.health.unwrap_or(listen.internal));
    let channel = client::connect(&format!("http://{address}"), &ClientConfig::default())?;
    let mut client = HealthClient::new(channel.with_timeout(HEALTH_TIMEOUT));
    let reply = client.check(HealthCheckRequest::default()).await.context("asking for health")?;
    let status = reply.into_inner().status();
    anyhow::ensure!(status == ServingStatus::Serving, "the service says {}", status.as_str_name());
    Ok(())
}

/// A listener on all addresses is asked on the loopback one.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        ip if ip.is_unspecified() => SocketAddr::from((IpAddr::from(Ipv4Addr::LOCALHOST), address.port())),
        _ => address,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Serve,
    Migrate,
    Healthcheck,
}

#[derive(Debug, PartialEq, Eq)]
struct Arguments {
    config: Option<PathBuf>,
    action: Action,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum UsageError {
    #[error("--config needs a file")]
    NoFile,
    #[error("{} is not an argument of this program", .0.display())]
    Unknown(OsString),
    #[error("more than one command was given")]
    Commands,
}

impl Arguments {
    /// Three words and one flag need no argument parser in four services.
    fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut config = None;
        let mut action = None;
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let named = match argument.to_str() {
                Some("--config") => {
                    config = Some(PathBuf::from(arguments.next().ok_or(UsageError::NoFile)?));
                    continue;
                }
                Some("serve") => Action::Serve,
                Some("migrate") => Action::Migrate,
                Some("healthcheck") => Action::Healthcheck,
                _ => return Err(UsageError::Unknown(argument)),
            };
            if action.replace(named).is_some() {
                return Err(UsageError::Commands);
            }
        }
        Ok(Self { config, action: action.unwrap_or(Action::Serve) })
    }
}

#[cfg(test)]
mod tests;

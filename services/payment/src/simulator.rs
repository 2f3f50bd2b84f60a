//! The simulator as a process: `payment simulator --listen 127.0.0.1:7300 --database sqlite:gateway.db`.
//! It is no fifth service. It plays the world outside for demonstrations and tests: the sandbox's
//! rules and book behind an address of their own.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use storage::{Database, DatabaseConfig};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use types::{Clock, Tenant};

use crate::ports::sandbox::face::{Endpoint, Face};
use crate::ports::sandbox::{self, Delays, Sandbox};

/// The first argument of a process that is a simulator.
pub const WORD: &str = "simulator";

/// Set where webhooks are wanted from the start; the secret stays out of the process list.
const SECRET_VARIABLE: &str = "COUNTERMAND_SIMULATOR_WEBHOOK_SECRET";
const USAGE: &str = "usage: payment simulator --listen ADDRESS --database URL [--webhook-url URL]";
const EXIT_USAGE: u8 = 64;
/// Between looks for what changes with time.
const LOOK: Duration = Duration::from_millis(200);
/// What the sandbox's late tokens take.
const DELAYS: Delays = Delays { late: Duration::from_secs(2), fail_after: Duration::from_secs(2) };

/// What a simulator is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub listen: SocketAddr,
    pub database: String,
    /// Where the default tenant's webhooks go at once.
    pub webhook_url: Option<String>,
}

impl Options {
    /// Three flags need no argument parser.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<Self> {
        let (mut listen, mut database, mut webhook_url) = (None, None, None);
        let mut arguments = arguments.into_iter().map(OsString::into_string);
        while let Some(flag) = arguments.next() {
            let flag = flag.map_err(|flag| anyhow::anyhow!("{} is not text", flag.display()))?;
            let place = match flag.as_str() {
                "--listen" => &mut listen,
                "--database" => &mut database,
                "--webhook-url" => &mut webhook_url,
                other => anyhow::bail!("{other} is not a flag of the simulator"),
            };
            let value =
                arguments.next().and_then(Result::ok).with_context(|| format!("{flag} needs a value"))?;
            anyhow::ensure!(place.replace(value).is_none(), "{flag} is given twice");
        }
        let listen = listen.context("--listen is missing")?;
        Ok(Self {
            listen: listen.parse().with_context(|| format!("{listen} is not an address with a port"))?,
            database: database.context("--database is missing")?,
            webhook_url,
        })
    }
}

/// Runs until SIGTERM or SIGINT.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("payment simulator: {problem:#}\n{USAGE}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    match outcome(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("payment simulator: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

fn outcome(options: Options) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let shutdown = kit::process::shutdown_signal().context("listening for signals")?;
        let listener = TcpListener::bind(options.listen).await.context("taking the port")?;
        println!("a simulated payment gateway listens on http://{}; no money moves", listener.local_addr()?);
        run(listener, options, shutdown).await
    });
    // Callers that were made to hang must not keep the process.
    runtime.shutdown_background();
    ended
}

/// Serves on a port that is taken already.
pub async fn run(listener: TcpListener, options: Options, shutdown: CancellationToken) -> anyhow::Result<()> {
    let config = DatabaseConfig { migrate_on_start: true, ..DatabaseConfig::at(&options.database) };
    let database = Database::ready(sandbox::NAME, sandbox::MIGRATIONS, &config).await?;
    let sandbox = Sandbox::start(database, Clock::System, DELAYS);
    let face = Face::new(sandbox, Clock::System)?;
    if let Some(url) = options.webhook_url {
        let secret =
            std::env::var(SECRET_VARIABLE).with_context(|| format!("{SECRET_VARIABLE} is not set"))?;
        face.set_endpoint(Tenant::DEFAULT, Endpoint { url, secrets: vec![secret], at_once: true });
    }
    let serving = axum::serve(listener, face.router());
    tokio::select! {
        ended = async { serving.await } => ended.context("serving"),
        () = look(&face) => Ok(()),
        () = shutdown.cancelled() => Ok(()),
    }
}

/// Tells what time has changed, without end.
async fn look(face: &Face) {
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        if let Err(problem) = face.tell_changes().await {
            tracing::warn!(%problem, "the simulator's book is not available");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> anyhow::Result<Options> {
        Options::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn a_simulator_says_where_it_listens_and_keeps_its_book() {
        let options = parsed("--listen 127.0.0.1:7300 --database sqlite:a.db").unwrap();

        assert_eq!(options.listen.port(), 7300);
        assert_eq!((options.database.as_str(), options.webhook_url), ("sqlite:a.db", None));
    }

    #[test]
    fn arguments_that_say_less_or_more_are_refused() {
        for line in [
            "",
            "--listen 127.0.0.1:1",
            "--database sqlite:a.db",
            "--listen nowhere --database sqlite:a.db",
            "--listen 127.0.0.1:1 --listen 127.0.0.1:2 --database sqlite:a.db",
            "--listen 127.0.0.1:1 --database",
            "--listen 127.0.0.1:1 --database sqlite:a.db --verbose",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}

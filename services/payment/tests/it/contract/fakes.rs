//! Fakes of Stripe that others wrote, each in a process of its own on a free port. `tests/run`
//! installs them.

use std::env;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;

const START_MAX: Duration = Duration::from_secs(30);

/// A fake that runs until this is dropped.
pub struct Fake {
    pub address: SocketAddr,
    process: Child,
    _directory: tempfile::TempDir,
}

impl Drop for Fake {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// localstripe: payment intents, captures, refunds; it ignores keys and has no cap.
pub async fn localstripe() -> Option<Fake> {
    let program = program("COUNTERMAND_TEST_LOCALSTRIPE", "venv/bin/localstripe")?;
    Some(start(&program, |command, port| command.args(["--from-scratch", "--port", &port.to_string()])).await)
}

/// stripe-stateful-mock: charges and refunds, with keys and the cap.
pub async fn stateful_mock() -> Option<Fake> {
    let program = program("COUNTERMAND_TEST_STRIPE_MOCK", "npm/bin/stripe-stateful-mock")?;
    Some(
        start(&program, |command, port| command.env("PORT", port.to_string()).env("LOG_LEVEL", "error"))
            .await,
    )
}

/// None only where somebody has said, outside of CI, that the fakes may be missing.
fn program(variable: &str, installed: &str) -> Option<PathBuf> {
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-run").join(installed);
    let path = env::var_os(variable).map_or_else(usual, PathBuf::from);
    if path.exists() {
        return Some(path);
    }
    let waived = env::var_os("COUNTERMAND_TEST_WITHOUT_FAKES").is_some() && env::var_os("CI").is_none();
    assert!(
        waived,
        "{} is not installed: run tests/run, set {variable}, or set COUNTERMAND_TEST_WITHOUT_FAKES to skip it",
        path.display()
    );
    eprintln!("SKIPPED: {} is not installed, and COUNTERMAND_TEST_WITHOUT_FAKES is set", path.display());
    None
}

async fn start(program: &Path, arguments: impl FnOnce(&mut Command, u16) -> &mut Command) -> Fake {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    // Its state stays in a directory of its own: two tests at once are two gateways.
    command.current_dir(directory.path()).env("TMPDIR", directory.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let process = arguments(&mut command, address.port()).spawn().unwrap();
    let fake = Fake { address, process, _directory: directory };
    let listening = async {
        while TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(START_MAX, listening).await.expect("the fake should listen");
    fake
}

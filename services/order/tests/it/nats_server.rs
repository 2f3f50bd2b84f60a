//! A NATS server with JetStream in a process of its own, which can be killed and started again where it was.

use std::env;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, stream};
use order::config::Nats;

const START_MAX: Duration = Duration::from_secs(30);

pub struct NatsServer {
    program: PathBuf,
    port: u16,
    directory: tempfile::TempDir,
    process: Option<Child>,
}

/// One message of the stream: its subject, its headers by name, its payload.
#[derive(Debug, Clone)]
pub struct Stored {
    pub subject: String,
    pub headers: async_nats::HeaderMap,
    pub payload: Vec<u8>,
}

impl Stored {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", async_nats::HeaderValue::as_str)
    }
}

impl NatsServer {
    /// None only where somebody has said, outside of CI, that what others wrote may be missing.
    pub async fn start() -> Option<Self> {
        let program = program()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let directory = tempfile::tempdir().unwrap();
        let settings = format!(
            "listen: 127.0.0.1:{port}\njetstream {{\n  store_dir: \"{}\"\n}}\n",
            directory.path().join("store").display()
        );
        std::fs::write(directory.path().join("nats.conf"), settings).unwrap();
        let mut server = Self { program, port, directory, process: None };
        server.launch().await;
        Some(server)
    }

    /// Starts it on the same port and the same store.
    pub async fn launch(&mut self) {
        let log = std::fs::File::create(self.directory.path().join("nats.log")).unwrap();
        let process = Command::new(&self.program)
            .arg("--config")
            .arg(self.directory.path().join("nats.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.process = Some(process.unwrap());
        let started = Instant::now();
        while async_nats::connect(self.url()).await.is_err() {
            assert!(started.elapsed() < START_MAX, "nats-server does not answer on port {}", self.port);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn config(&self) -> Nats {
        Nats { url: self.url(), ..Nats::default() }
    }

    pub async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(async_nats::connect(self.url()).await.unwrap())
    }

    /// Makes the stream before the service does, with a memory of ids that is as short as can be.
    pub async fn forgetful_stream(&self, config: &Nats) {
        let config = stream::Config {
            name: config.stream.clone(),
            subjects: vec![format!("{}.>", config.subject)],
            duplicate_window: Duration::from_millis(100),
            ..stream::Config::default()
        };
        self.jetstream().await.create_stream(config).await.unwrap();
    }

    /// How many messages came so far; none while the server or the stream is not there.
    pub async fn count(&self, stream: &str) -> usize {
        let Ok(client) = async_nats::connect(self.url()).await else { return 0 };
        let Ok(stream) = jetstream::new(client).get_stream(stream).await else { return 0 };
        usize::try_from(stream.cached_info().state.messages).unwrap()
    }

    /// Everything in a stream, in its order.
    pub async fn stored(&self, stream: &str) -> Vec<Stored> {
        let mut stream = self.jetstream().await.get_stream(stream).await.unwrap();
        let last = stream.info().await.unwrap().state.last_sequence;
        let mut stored = Vec::new();
        for sequence in 1..=last {
            let message = stream.get_raw_message(sequence).await.unwrap();
            let (subject, payload) = (message.subject.to_string(), message.payload.to_vec());
            stored.push(Stored { subject, headers: message.headers, payload });
        }
        stored
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn program() -> Option<PathBuf> {
    const VARIABLE: &str = "COUNTERMAND_TEST_NATS";
    let usual = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-run/venv/bin/nats-server");
    let path = env::var_os(VARIABLE).map_or_else(usual, PathBuf::from);
    if path.exists() {
        return Some(path);
    }
    let waived = env::var_os("COUNTERMAND_TEST_WITHOUT_FAKES").is_some() && env::var_os("CI").is_none();
    assert!(
        waived,
        "{} is not installed: run tests/run, set {VARIABLE}, or set COUNTERMAND_TEST_WITHOUT_FAKES to skip it",
        path.display()
    );
    eprintln!("SKIPPED: {} is not installed, and COUNTERMAND_TEST_WITHOUT_FAKES is set", path.display());
    None
}

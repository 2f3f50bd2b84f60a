//! The payment simulator in a process of its own: a gateway with a dashboard and disputes, which tells of them by signed
//! webhooks.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tests::ports::free_port;
use tests::process::Process;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::life::SIMULATOR;

const SECRET: &str = "whsec_lives";
const TENANT: &str = "default";
/// How long it may take to listen.
const START_MAX: Duration = Duration::from_secs(20);

pub struct Simulator {
    port: u16,
    webhooks: u16,
    _process: Process,
    _directory: tempfile::TempDir,
}

impl Simulator {
    pub async fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let (port, webhooks) = (free_port()?, free_port()?);
        let database = format!("sqlite:{}", directory.path().join("gateway.db").display());
        let listen = format!("127.0.0.1:{port}");
        let arguments = ["simulator", "--listen", &listen, "--database", &database];
        let log: &Path = &directory.path().join("simulator.log");
        let process = Process::start_with("payment", &arguments, &[], log)?;
        let simulator = Self { port, webhooks, _process: process, _directory: directory };
        tokio::time::timeout(START_MAX, simulator.listens())
            .await
            .context("the simulator does not listen")?;
        let url = format!("http://127.0.0.1:{webhooks}/webhooks/{TENANT}/{SIMULATOR}");
        let endpoint = json!({ "url": url, "secrets": [SECRET], "at_once": true });
        simulator.control("PUT", "webhooks", &endpoint).await?;
        Ok(simulator)
    }

    /// What the payment service has to know of it.
    pub fn settings(&self) -> [(&'static str, String); 5] {
        [
            ("COUNTERMAND_GATEWAY__NAMED__ACME__KIND", "simulator".to_owned()),
            ("COUNTERMAND_GATEWAY__NAMED__ACME__URL", format!("http://127.0.0.1:{}", self.port)),
            ("COUNTERMAND_GATEWAY__NAMED__ACME__TIMEOUT_MS", "900".to_owned()),
            ("COUNTERMAND_GATEWAY__NAMED__ACME__WEBHOOK_SECRETS__DEFAULT", format!("[\"{SECRET}\"]")),
            ("COUNTERMAND_WEBHOOKS__LISTEN", format!("127.0.0.1:{}", self.webhooks)),
        ]
    }

    /// Somebody gives money back at the gateway itself. False where the gateway would not.
    pub async fn refund(&self, payment_id: &str, reference: &str, amount_minor: i64) -> Result<bool> {
        let asked = json!({ "reference": reference, "amount_minor": amount_minor });
        self.control("POST", &format!("payments/{payment_id}/refunds"), &asked).await
    }

    /// A customer's bank disputes a payment, or the payment's one dispute ends.
    pub async fn dispute(&self, payment_id: &str, amount_minor: i64, state: &str) -> Result<bool> {
        let reference = format!("dp_{}", &payment_id[payment_id.len().saturating_sub(20)..]);
        let asked = json!({ "reference": reference, "amount_minor": amount_minor, "state": state });
        self.control("POST", &format!("payments/{payment_id}/disputes"), &asked).await
    }

    async fn listens(&self) {
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn control(&self, method: &str, path: &str, asked: &Value) -> Result<bool> {
        let body = asked.to_string();
        let length = body.len();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let head = format!(
            "{method} /control/{TENANT}/{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let status: u16 = answer.split(' ').nth(1).context("the answer has no status")?.parse()?;
        match status {
            200..=299 => Ok(true),
            400..=499 => Ok(false),
            _ => bail!("the simulator answered {status} to {path}: {answer}"),
        }
    }
}

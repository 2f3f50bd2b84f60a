//! The configuration of the service; its defaults are for development.

use std::path::PathBuf;
use std::time::Duration;

use kit::Seal;
use kit::client::ClientConfig;
use kit::config::{Auth, Internal, Limits, Listen, Reflection, ServiceConfig, Telemetry, Tls};
use saga::RunnerConfig;
use serde::{Deserialize, Serialize};
use storage::DatabaseConfig;

use crate::domain::quote::QuoteKey;

/// A shorter key is tried out faster than a signature.
const QUOTE_KEY_BYTES_MIN: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    pub listen: Listen,
    pub tls: Tls,
    /// Who may call the internal listener.
    pub internal: Internal,
    pub limits: Limits,
    pub auth: Auth,
    pub reflection: Reflection,
    pub telemetry: Telemetry,
    pub database: DatabaseConfig,
    pub peers: PeerUrls,
    pub client: ClientConfig,
    pub saga: Sagas,
    pub quote: Quote,
    pub nats: Nats,
}

/// The internal listeners of the services that this one calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PeerUrls {
    pub inventory: String,
    pub payment: String,
    pub notification: String,
}

/// How sagas are run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sagas {
    /// A worker that died is replaced after this.
    pub lease_ms: u64,
    /// The name of this process, such as its pod's. No two processes with one name may live at once: a restarted one goes on
    /// with its sagas at once instead of after `lease_ms`. Empty on embedded databases, which belong to one process anyway.
    pub instance: String,
    /// How often sagas are looked for that no signal told of.
    pub poll_ms: u64,
    /// Sagas run at once.
    pub concurrency: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quote {
    /// Signs quotes; the same on every replica, and at least 32 bytes. Empty: a key of the service's own, which all that
    /// share its database have.
    pub key: String,
}

#[derive(Debug, thiserror::Error)]
#[error("quote.key has {length} bytes; {QUOTE_KEY_BYTES_MIN} are the least")]
pub struct QuoteKeyTooShort {
    length: usize,
}

impl Quote {
    pub fn key(&self, seal: &Seal) -> Result<QuoteKey, QuoteKeyTooShort> {
        match self.key.len() {
            0 => Ok(QuoteKey::new(seal.subkey("quote"))),
            length if length < QUOTE_KEY_BYTES_MIN => Err(QuoteKeyTooShort { length }),
            _ => Ok(QuoteKey::new(self.key.as_bytes())),
        }
    }
}

/// Where events are published beside the stream and the webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Nats {
    /// The server; empty publishes nothing. `tls://` encrypts.
    pub url: String,
    /// The stream that keeps the events. Nobody else may publish into it.
    pub stream: String,
    /// What subjects begin with: `<subject>.<tenant>.<type>`.
    pub subject: String,
    /// How many servers of a cluster keep a stream that is made.
    pub replicas: usize,
    pub username: String,
    /// A file that holds the password; without it nobody logs in.
    pub password_file: Option<PathBuf>,
    /// More certificates to trust than those of the system, as PEM. With it nothing is said in the clear.
    pub ca_file: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: Listen::loopback(7_001, 7_101),
            tls: Tls::default(),
            internal: Internal::called_by(&[
                (
                    "inventory",
                    &["countermand.events.v1.EventIntakeService", "countermand.order.v1.DecisionService"],
                ),
                ("payment", &["countermand.events.v1.EventIntakeService"]),
                ("notification", &["countermand.events.v1.EventIntakeService"]),
            ]),
            limits: Limits::default(),
            auth: Auth::default(),
            reflection: Reflection::default(),
            telemetry: Telemetry::default(),
            database: DatabaseConfig::at("sqlite:countermand-data/order.db"),
            peers: PeerUrls::default(),
            client: ClientConfig::default(),
            saga: Sagas::default(),
            quote: Quote::default(),
            nats: Nats::default(),
        }
    }
}

impl Default for PeerUrls {
    fn default() -> Self {
        Self {
            inventory: "http://127.0.0.1:7102".to_owned(),
            payment: "http://127.0.0.1:7103".to_owned(),
            notification: "http://127.0.0.1:7104".to_owned(),
        }
    }
}

impl Default for Sagas {
    fn default() -> Self {
        Self { lease_ms: 30_000, instance: String::new(), poll_ms: 1_000, concurrency: 256 }
    }
}

impl Default for Nats {
    fn default() -> Self {
        Self {
            url: String::new(),
            stream: "COUNTERMAND".to_owned(),
            subject: "countermand.events".to_owned(),
            replicas: 1,
            username: String::new(),
            password_file: None,
            ca_file: None,
        }
    }
}

impl Sagas {
    /// The runner of this process under a name that no other process has.
    pub fn runner(&self, worker: String) -> RunnerConfig {
        RunnerConfig {
            lease: Duration::from_millis(self.lease_ms),
            poll: Duration::from_millis(self.poll_ms),
            concurrency: self.concurrency,
            continue_trace: kit::telemetry::continue_from,
            ..RunnerConfig::new(worker)
        }
    }
}

impl ServiceConfig for Config {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn listen(&self) -> &Listen {
        &self.listen
    }

    fn tls(&self) -> &Tls {
        &self.tls
    }
}

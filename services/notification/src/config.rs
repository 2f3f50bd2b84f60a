//! The configuration of the service; its defaults are for development.

use std::path::PathBuf;

use kit::client::ClientConfig;
use kit::config::{Auth, Internal, Limits, Listen, Reflection, ServiceConfig, Telemetry, Tls};
use kit::outbound::Outbound;
use serde::{Deserialize, Serialize};
use storage::DatabaseConfig;

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
    pub peers: PeerAddresses,
    /// For the calls to the peers.
    pub client: ClientConfig,
    pub mail: Mail,
    /// Whom webhooks may be posted to.
    pub outbound: Outbound,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: Listen::loopback(7_004, 7_104),
            tls: Tls::default(),
            internal: Internal::called_by(&[("order", &["countermand.events.v1.EventIntakeService"])]),
            limits: Limits::default(),
            auth: Auth::default(),
            reflection: Reflection::default(),
            telemetry: Telemetry::default(),
            database: DatabaseConfig::at("sqlite:countermand-data/notification.db"),
            peers: PeerAddresses::default(),
            client: ClientConfig::default(),
            mail: Mail::default(),
            outbound: Outbound::default(),
        }
    }
}

/// The internal listeners of the services that this one calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PeerAddresses {
    /// Keeps the list of what a person has to look at.
    pub order: String,
}

impl Default for PeerAddresses {
    fn default() -> Self {
        Self { order: "http://127.0.0.1:7101".to_owned() }
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

/// How mail leaves the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mail {
    pub mode: MailMode,
    /// The sender, such as "Shop <orders@shop.example>".
    pub from: String,
    /// The right side of Message-IDs; the sender's domain when empty.
    pub message_id_domain: String,
    /// Where mode "file" writes.
    pub directory: PathBuf,
    pub host: String,
    pub port: u16,
    pub tls: MailTls,
    /// More certificates to trust than those of the system, as PEM.
    pub ca_file: Option<PathBuf>,
    pub username: String,
    /// A file that holds the password; without it nobody logs in.
    pub password_file: Option<PathBuf>,
    /// For the way up to the message, and for the answer to it, each.
    pub timeout_seconds: u64,
    pub connections_idle_max: usize,
    /// The hour of the day (UTC) from which on the digest of what is owed is made.
    pub digest_hour: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailMode {
    /// Nobody is mailed, and no delivery is made for mail.
    Off,
    /// Mails are written as files.
    File,
    Smtp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// In the clear; for a server on this machine only.
    None,
    /// Encrypted before anything is said, or not at all: a server without STARTTLS is not used.
    Starttls,
    Implicit,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            mode: MailMode::Off,
            from: "Countermand <countermand@localhost>".to_owned(),
            message_id_domain: String::new(),
            directory: PathBuf::from("countermand-data/mail"),
            host: String::new(),
            port: 587,
            tls: MailTls::Starttls,
            ca_file: None,
            username: String::new(),
            password_file: None,
            timeout_seconds: 20,
            connections_idle_max: 4,
            digest_hour: 6,
        }
    }
}

//! The configuration of the service; its defaults are for development.

use kit::client::ClientConfig;
use kit::config::{Auth, Listen, Reflection, ServiceConfig, Telemetry, Tls};
use serde::{Deserialize, Serialize};
use storage::DatabaseConfig;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    pub listen: Listen,
    pub tls: Tls,
    pub auth: Auth,
    pub reflection: Reflection,
    pub telemetry: Telemetry,
    pub database: DatabaseConfig,
    pub peers: PeerAddresses,
    /// For the calls to the peers.
    pub client: ClientConfig,
}

/// Internal listeners of the services this one calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PeerAddresses {
    /// Takes the events about goods.
    pub order: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: Listen::loopback(7_002, 7_102),
            tls: Tls::default(),
            auth: Auth::default(),
            reflection: Reflection::default(),
            telemetry: Telemetry::default(),
            database: DatabaseConfig::at("sqlite:countermand-data/inventory.db"),
            peers: PeerAddresses::default(),
            client: ClientConfig::default(),
        }
    }
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

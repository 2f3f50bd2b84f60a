//! The configuration of the service; its defaults are for development.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use kit::client::ClientConfig;
use kit::config::{Auth, Internal, Limits, Listen, Reflection, ServiceConfig, Telemetry, Tls};
use kit::outbound::Outbound;
use serde::{Deserialize, Serialize};
use storage::DatabaseConfig;

use crate::ops::Patience;

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
    pub outside: Outside,
    /// Whom partners' connectors may call.
    pub outbound: Outbound,
}

/// How carriers and fulfilment partners are called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outside {
    /// Between looks for what is due: retries and deadlines.
    pub poll_ms: u64,
    /// For one call of a carrier.
    pub call_ms: u64,
    /// How long the sandbox carrier takes for what it does late.
    pub sandbox_late_ms: u64,
    /// What connectors' templates read with `secret("name")`.
    pub secrets: BTreeMap<String, PartnerSecret>,
}

/// A secret, who may use it, and where it may be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartnerSecret {
    pub value: Secret,
    /// The tenants whose connectors may use it; "*" for all of them, where they are one company.
    pub tenants: Vec<String>,
    /// The hosts it is sent to, and to no other: "partner.example" over https, "partner.example:8443", "127.0.0.1:*".
    pub hosts: Vec<String>,
}

/// A value that is never shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Outside {
    pub fn patience(&self) -> Patience {
        let call = Duration::from_millis(self.call_ms);
        // Longer than the longest call of a partner, which is a minute.
        let claim = Duration::from_secs(90).max(2 * call);
        Patience { call, poll: Duration::from_millis(self.poll_ms), claim }
    }
}

impl Default for Outside {
    fn default() -> Self {
        Self { poll_ms: 500, call_ms: 10_000, sandbox_late_ms: 2_000, secrets: BTreeMap::new() }
    }
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
            internal: Internal::called_by(&[(
                "order",
                &[
                    "countermand.inventory.v1.GoodsStepsService",
                    "countermand.inventory.v1.PropagationService",
                    "countermand.events.v1.EventIntakeService",
                ],
            )]),
            limits: Limits::default(),
            auth: Auth::default(),
            reflection: Reflection::default(),
            telemetry: Telemetry::default(),
            database: DatabaseConfig::at("sqlite:countermand-data/inventory.db"),
            peers: PeerAddresses::default(),
            client: ClientConfig::default(),
            outside: Outside::default(),
            outbound: Outbound::default(),
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

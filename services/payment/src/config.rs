//! The configuration of the service; its defaults are for development.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use kit::client::ClientConfig;
use kit::config::{Auth, Internal, Limits, Listen, Reflection, ServiceConfig, Telemetry, Tls};
use serde::{Deserialize, Serialize};
use storage::DatabaseConfig;

pub use self::named::{Kind, Named, Secret};
use crate::domain::Timing;
use crate::ops::intake::IntakePatience;
use crate::ops::worker::Patience;
use crate::ports::gateway::Gateways;
use crate::ports::sandbox::{Delays, Sandbox};

mod named;

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
    pub gateway: Gateway,
    pub webhooks: Webhooks,
}

/// Where gateways tell what has happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Webhooks {
    /// `POST /webhooks/{tenant}/{gateway}` in plain HTTP, behind a proxy that ends TLS. Without it no
    /// webhook is taken, and what gateways do by themselves is found by asking.
    pub listen: Option<SocketAddr>,
}

/// Internal listeners of the services that this one calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PeerUrls {
    pub order: String,
}

/// How gateways are called, and the built-in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gateway {
    /// The gateways that tenders may name. A tender that names another one is refused.
    pub named: BTreeMap<String, Named>,
    /// Whether the sandbox plays the gateways of payments that were made elsewhere and are none of
    /// the named ones. For development; without it a person gives such money back.
    pub sandbox_stands_in: bool,
    /// The sandbox gateway's own database; never the service's.
    pub sandbox: DatabaseConfig,
    /// What one call may take before its outcome counts as unknown.
    pub call_timeout_ms: u64,
    /// How long the process that committed a call keeps it to itself; longer than a call may take.
    pub claim_ms: u64,
    /// Between looks for calls that nobody carries out.
    pub poll_ms: u64,
    /// Calls in flight at once.
    pub concurrency: usize,
    /// How long a step waits for its gateway before it answers "pending".
    pub step_wait_ms: u64,
    /// Waits between questions about a call without an answer; the last one repeats.
    pub unknown_ms: Vec<u64>,
    /// Waits between questions about what the gateway calls pending; the last one repeats.
    pub pending_ms: Vec<u64>,
    /// After so many questions without an answer a person is told.
    pub attention_after: u32,
    /// From "pending" to the success of the sandbox's `tok_refund_late`.
    pub late_ms: u64,
    /// From the success to the failure of the sandbox's `tok_refund_fail_after`.
    pub fail_after_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: Listen::loopback(7_003, 7_103),
            tls: Tls::default(),
            internal: Internal::called_by(&[(
                "order",
                &["countermand.payment.v1.RefundStepsService", "countermand.events.v1.EventIntakeService"],
            )]),
            limits: Limits::default(),
            auth: Auth::default(),
            reflection: Reflection::default(),
            telemetry: Telemetry::default(),
            database: DatabaseConfig::at("sqlite:countermand-data/payment.db"),
            peers: PeerUrls::default(),
            client: ClientConfig::default(),
            gateway: Gateway::default(),
            webhooks: Webhooks::default(),
        }
    }
}

impl Default for PeerUrls {
    fn default() -> Self {
        Self { order: "http://127.0.0.1:7101".to_owned() }
    }
}

impl Default for Gateway {
    fn default() -> Self {
        const SECOND: u64 = 1_000;
        const MINUTE: u64 = 60 * SECOND;
        const HOUR: u64 = 60 * MINUTE;
        Self {
            named: [("sandbox".to_owned(), Named::default())].into(),
            sandbox_stands_in: true,
            sandbox: DatabaseConfig::at("sqlite:countermand-data/gateway.db"),
            call_timeout_ms: 10 * SECOND,
            claim_ms: 15 * SECOND,
            poll_ms: SECOND,
            concurrency: 256,
            step_wait_ms: 250,
            unknown_ms: vec![5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 12 * HOUR],
            pending_ms: vec![MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR],
            attention_after: 5,
            late_ms: 2 * SECOND,
            fail_after_ms: 2 * SECOND,
        }
    }
}

impl Gateway {
    /// What the numbers must keep to so that nothing is asked without end or never.
    pub fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(!self.unknown_ms.is_empty(), "gateway.unknown_ms needs at least one wait");
        anyhow::ensure!(!self.pending_ms.is_empty(), "gateway.pending_ms needs at least one wait");
        anyhow::ensure!(self.concurrency >= 1, "gateway.concurrency needs at least one call");
        anyhow::ensure!(self.poll_ms >= 1, "gateway.poll_ms needs at least one millisecond");
        anyhow::ensure!(
            self.claim_ms > self.call_timeout_ms,
            "gateway.claim_ms must be longer than gateway.call_timeout_ms"
        );
        named::check_accounts(&self.named)?;
        for (name, named) in &self.named {
            named
                .check(self.call_timeout_ms)
                .map_err(|problem| problem.context(format!("gateway.named.{name}")))?;
        }
        Ok(())
    }

    /// Whether any name stands for the sandbox.
    pub fn has_sandbox(&self) -> bool {
        self.sandbox_stands_in || self.named.values().any(|named| named.kind == named::Kind::Sandbox)
    }

    /// The gateways that can be called, the sandbox being one of them.
    pub fn gateways(&self, sandbox: &Sandbox) -> anyhow::Result<Gateways> {
        named::build(&self.named, self.sandbox_stands_in, sandbox)
    }

    pub fn timing(&self) -> Timing {
        Timing {
            claim: micros(self.claim_ms),
            unknown: self.unknown_ms.iter().copied().map(micros).collect(),
            pending: self.pending_ms.iter().copied().map(micros).collect(),
            attention_after: i64::from(self.attention_after),
        }
    }

    pub fn patience(&self) -> Patience {
        Patience {
            call: Duration::from_millis(self.call_timeout_ms),
            poll: Duration::from_millis(self.poll_ms),
            claim_micros: micros(self.claim_ms),
            concurrency: self.concurrency,
        }
    }

    pub fn intake_patience(&self) -> IntakePatience {
        IntakePatience { poll: Duration::from_millis(self.poll_ms), claim_micros: micros(self.claim_ms) }
    }

    pub fn delays(&self) -> Delays {
        Delays {
            late: Duration::from_millis(self.late_ms),
            fail_after: Duration::from_millis(self.fail_after_ms),
        }
    }
}

fn micros(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX).saturating_mul(1_000)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_pass_their_own_check() {
        Gateway::default().check().unwrap();
    }

    #[test]
    fn numbers_that_would_ask_never_or_without_end_are_refused() {
        let wrong: [fn(&mut Gateway); 5] = [
            |gateway| gateway.unknown_ms.clear(),
            |gateway| gateway.pending_ms.clear(),
            |gateway| gateway.concurrency = 0,
            |gateway| gateway.poll_ms = 0,
            |gateway| gateway.claim_ms = gateway.call_timeout_ms,
        ];
        for change in wrong {
            let mut gateway = Gateway::default();
            change(&mut gateway);

            assert!(gateway.check().is_err(), "{gateway:?}");
        }
    }
}

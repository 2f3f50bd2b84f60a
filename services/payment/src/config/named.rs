//! The gateways that tenders may name: `gateway.named.<name>`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use types::Tenant;

use crate::ports::gateway::{Gateway, Gateways, Secrets};
use crate::ports::sandbox::{self, Sandbox};
use crate::ports::simulator::Simulator;
use crate::ports::stripe::Stripe;

/// Live secrets of one endpoint: the new one and, during a rotation, the old one.
const SECRETS_MAX: usize = 2;

/// Which program answers under a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The built-in one, in this process; for development and tests.
    #[default]
    Sandbox,
    /// The same in a process of its own, called over HTTP.
    Simulator,
    Stripe,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Named {
    pub kind: Kind,
    /// Where it listens; Stripe's own address if empty.
    pub url: String,
    /// Set it by the environment: `COUNTERMAND_GATEWAY__NAMED__<NAME>__SECRET_KEY`.
    pub secret_key: Secret,
    /// The account at the gateway that the key belongs to; the name itself if empty. Two names with one key say the same
    /// one, so that a payment of it is adopted by one order whatever it is called.
    pub account: String,
    /// What one exchange with it may take.
    pub timeout_ms: u64,
    /// The live secrets of each tenant's webhook endpoint, the newest first.
    pub webhook_secrets: BTreeMap<String, Vec<Secret>>,
}

/// A text that no log and no error shows.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(none)" } else { "(secret)" })
    }
}

impl Default for Named {
    fn default() -> Self {
        Self {
            kind: Kind::default(),
            url: String::new(),
            secret_key: Secret::default(),
            account: String::new(),
            timeout_ms: 10_000,
            webhook_secrets: BTreeMap::new(),
        }
    }
}

impl Named {
    const STRIPE: &str = "https://api.stripe.com";

    pub fn check(&self, call_timeout_ms: u64) -> anyhow::Result<()> {
        anyhow::ensure!(self.timeout_ms >= 1, "timeout_ms needs at least one millisecond");
        // The sandbox answers in this process: there is no exchange to wait for.
        anyhow::ensure!(
            self.kind == Kind::Sandbox || self.timeout_ms <= call_timeout_ms,
            "timeout_ms must not be longer than gateway.call_timeout_ms"
        );
        match self.kind {
            Kind::Sandbox => {}
            Kind::Simulator => anyhow::ensure!(!self.url.is_empty(), "a simulator needs its url"),
            Kind::Stripe => {
                anyhow::ensure!(!self.secret_key.0.is_empty(), "a Stripe gateway needs its secret_key");
            }
        }
        for (tenant, secrets) in &self.webhook_secrets {
            Tenant::parse(tenant).with_context(|| format!("webhook_secrets.{tenant}"))?;
            let some = !secrets.is_empty() && secrets.iter().all(|secret| !secret.0.is_empty());
            anyhow::ensure!(some, "webhook_secrets.{tenant} has an empty secret, which proves nothing");
            anyhow::ensure!(
                secrets.len() <= SECRETS_MAX,
                "webhook_secrets.{tenant} has more than {SECRETS_MAX} live secrets"
            );
        }
        Ok(())
    }

    /// There is one sandbox in a process, whatever it is called.
    fn account<'a>(&'a self, name: &'a str) -> &'a str {
        match self.kind {
            Kind::Sandbox => sandbox::ACCOUNT,
            Kind::Simulator | Kind::Stripe if self.account.is_empty() => name,
            Kind::Simulator | Kind::Stripe => &self.account,
        }
    }

    fn build(&self, sandbox: &Sandbox) -> anyhow::Result<Gateway> {
        let timeout = Duration::from_millis(self.timeout_ms);
        let stripe = if self.url.is_empty() { Self::STRIPE } else { &self.url };
        Ok(match self.kind {
            Kind::Sandbox => Gateway::Sandbox(sandbox.clone()),
            Kind::Simulator => Gateway::Simulator(Simulator::new(&self.url, timeout)?),
            Kind::Stripe => Gateway::Stripe(Stripe::new(stripe, &self.secret_key.0, timeout)?),
        })
    }

    fn secrets(&self) -> anyhow::Result<Secrets> {
        let of_tenant = |(tenant, secrets): (&String, &Vec<Secret>)| {
            let secrets = secrets.iter().map(|secret| secret.0.clone()).collect();
            Ok((Tenant::parse(tenant)?, secrets))
        };
        self.webhook_secrets.iter().map(of_tenant).collect()
    }
}

/// Refuses two names that reach one account and do not say so.
pub fn check_accounts(named: &BTreeMap<String, Named>) -> anyhow::Result<()> {
    for (name, section) in named {
        let same = |(other, there): &(&String, &Named)| {
            *other != name
                && (there.kind, &there.url, &there.secret_key)
                    == (section.kind, &section.url, &section.secret_key)
        };
        for (other, there) in named.iter().filter(same) {
            anyhow::ensure!(
                section.account(name) == there.account(other),
                "gateway.named.{name} and gateway.named.{other} reach the same account; give both the same `account`"
            );
        }
    }
    Ok(())
}

/// The gateways by their names. The sandbox stands in for those of payments made elsewhere if asked to.
pub fn build(
    named: &BTreeMap<String, Named>,
    sandbox_stands_in: bool,
    sandbox: &Sandbox,
) -> anyhow::Result<Gateways> {
    let mut gateways = BTreeMap::new();
    let mut secrets = BTreeMap::new();
    let accounts = named.iter().map(|(name, section)| (name.clone(), section.account(name).to_owned()));
    for (name, section) in named {
        let gateway = section.build(sandbox).with_context(|| format!("gateway.named.{name}"))?;
        gateways.insert(name.clone(), gateway);
        secrets.insert(name.clone(), section.secrets()?);
    }
    let stand_in = sandbox_stands_in.then(|| Gateway::Sandbox(sandbox.clone()));
    Ok(Gateways::new(gateways, stand_in).with_webhook_secrets(secrets).with_accounts(accounts.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripe() -> Named {
        Named { kind: Kind::Stripe, secret_key: Secret::new("sk_live_1"), ..Named::default() }
    }

    #[test]
    fn what_a_kind_needs_is_asked_for() {
        assert!(stripe().check(10_000).is_ok());
        assert!(Named { secret_key: Secret::default(), ..stripe() }.check(10_000).is_err());
        assert!(
            Named { kind: Kind::Simulator, ..stripe() }.check(10_000).is_err(),
            "it has no usual address"
        );
    }

    #[test]
    fn secrets_are_one_or_two_and_never_empty() {
        for (secrets, good) in [
            (vec!["new"], true),
            (vec!["new", "old"], true),
            (vec!["a", "b", "c"], false),
            (vec![""], false),
            (vec![], false),
        ] {
            let secrets: Vec<Secret> = secrets.into_iter().map(Secret::new).collect();
            let named = Named { webhook_secrets: [("default".to_owned(), secrets)].into(), ..stripe() };
            assert_eq!(named.check(10_000).is_ok(), good, "{named:?}");
        }
        let named =
            Named { webhook_secrets: [("A,B".to_owned(), vec![Secret::new("s")])].into(), ..stripe() };
        assert!(named.check(10_000).is_err());
    }

    #[test]
    fn no_secret_is_printed() {
        assert!(!format!("{:?}", stripe()).contains("sk_live_1"));
    }

    #[test]
    fn an_exchange_ends_before_its_call_does() {
        assert!(Named { timeout_ms: 10_001, ..stripe() }.check(10_000).is_err());
        assert!(Named { timeout_ms: 0, ..stripe() }.check(10_000).is_err());
    }
}

//! The secrets that connectors may send, each bound to the tenants that may use it and to the hosts it is sent to. An
//! operator of a tenant writes the connector; that a secret is theirs to send, and where, the configuration says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use kit::outbound::{AddressGuard, Hosts, NotAHost};
use reqwest::Url;
use types::Tenant;

use crate::config::PartnerSecret;

/// In place of a tenant: all of them, where they are one company.
const EVERYBODY: &str = "*";

/// All that are configured.
#[derive(Clone, Default)]
pub struct Secrets(Arc<BTreeMap<String, Bound>>);

struct Bound {
    value: String,
    tenants: BTreeSet<String>,
    hosts: Hosts,
}

/// What one request of a tenant has drawn.
#[derive(Clone)]
pub struct Drawn {
    secrets: Secrets,
    tenant: Tenant,
    names: Arc<Mutex<BTreeSet<String>>>,
}

impl Secrets {
    pub fn of(configured: &BTreeMap<String, PartnerSecret>) -> Result<Self, NotAHost> {
        let bound = configured.iter().map(|(name, secret)| {
            let bound = Bound {
                value: secret.value.0.clone(),
                tenants: secret.tenants.iter().cloned().collect(),
                hosts: Hosts::parse(&format!("outside.secrets.{name}.hosts"), &secret.hosts)?,
            };
            Ok((name.clone(), bound))
        });
        Ok(Self(Arc::new(bound.collect::<Result<_, NotAHost>>()?)))
    }

    pub fn for_request(&self, tenant: &Tenant) -> Drawn {
        Drawn { secrets: self.clone(), tenant: tenant.clone(), names: Arc::default() }
    }
}

impl Bound {
    fn is_of(&self, tenant: &Tenant) -> bool {
        self.tenants.contains(tenant.as_str()) || self.tenants.contains(EVERYBODY)
    }
}

impl Drawn {
    /// One that is not there and one that is another tenant's read the same.
    pub fn draw(&self, name: &str) -> Result<String, String> {
        let bound = self.secrets.0.get(name).filter(|bound| bound.is_of(&self.tenant));
        let bound = bound.ok_or_else(|| format!("there is no secret {name:?}"))?;
        self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        Ok(bound.value.clone())
    }

    pub fn is_empty(&self) -> bool {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether all that was drawn may go there: to its own hosts, and encrypted, unless the configuration names the
    /// host as one of our own side.
    pub fn may_go_to(&self, url: &Url, guard: &AddressGuard) -> Result<(), String> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let is_safe = url.scheme() == "https" || guard.is_inside(url);
        let astray = names
            .iter()
            .find(|name| !is_safe || !self.secrets.0.get(*name).is_some_and(|bound| bound.hosts.hold(url)));
        match astray {
            Some(name) => Err(format!("the secret {name:?} is not sent there")),
            None => Ok(()),
        }
    }
}

//! Calls to hosts that somebody else has chosen: the receivers of webhooks, the programs of partners. Without this guard
//! whoever writes such an address could make us call our own services, or the metadata service of a cloud.
//!
//! ```text
//!   url ─▶ admit(): form, scheme, host, port ─▶ client(): each address of each name, when it is connected to
//! ```
//!
//! The address itself is judged at the moment of the connection: a name that is checked when it is stored may resolve to
//! something else a minute later. No redirect is followed, and no proxy is used, which would resolve names behind the
//! guard's back.

mod address;
mod hosts;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

pub use address::is_public;
use hosts::is_of;
pub use hosts::{Hosts, NotAHost};

const URL_LENGTH_MAX: usize = 2_000;

/// Whom a service may call when somebody else says where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outbound {
    /// Only these hosts, such as "partner.example" or "*.partner.example". Empty: every public one.
    pub hosts: Vec<String>,
    /// Only these ports.
    pub ports: Vec<u16>,
    /// Hosts of our own side with their ports, such as "127.0.0.1:8080" or "sandbox.internal:*", that may be called
    /// although their addresses are private, and without TLS: for development, and for partners in the same network.
    pub inside: Vec<String>,
}

/// Decides whether an address may be called. Cloning shares it.
#[derive(Debug, Clone)]
pub struct AddressGuard {
    rules: Arc<Rules>,
    lookup: Lookup,
}

/// Which addresses a name has at this moment.
pub type Lookup = fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;

#[derive(Debug)]
struct Rules {
    hosts: Vec<String>,
    ports: Vec<u16>,
    inside: Hosts,
}

/// Why an address is not called. The text names the host at most, for the rest of an address may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

impl Default for Outbound {
    fn default() -> Self {
        Self { hosts: Vec::new(), ports: vec![443, 8_443], inside: Vec::new() }
    }
}

impl Outbound {
    /// For development: programs on this machine may be called, too.
    pub fn with_this_machine() -> Self {
        let inside = ["127.0.0.1:*", "localhost:*", "[::1]:*"];
        Self { inside: inside.map(str::to_owned).into(), ..Self::default() }
    }

    pub fn guard(&self) -> Result<AddressGuard, NotAHost> {
        AddressGuard::resolving_with(self, system_lookup)
    }
}

impl AddressGuard {
    /// With names that mean something else than the system says.
    pub fn resolving_with(allowed: &Outbound, lookup: Lookup) -> Result<Self, NotAHost> {
        let hosts = allowed.hosts.iter().map(|host| hosts::pattern("outbound.hosts", host));
        let rules = Rules {
            hosts: hosts.collect::<Result<_, _>>()?,
            ports: allowed.ports.clone(),
            inside: Hosts::parse("outbound.inside", &allowed.inside)?,
        };
        Ok(Self { rules: Arc::new(rules), lookup })
    }

    /// The address in its normal form, if it may be called, as far as that can be told without resolving the name: its
    /// host in ASCII and as numbers where it was some spelling of numbers, without the port that goes without saying.
    pub fn admit(&self, text: &str) -> Result<Url, Refused> {
        let refused = |why: &str| Err(Refused(why.to_owned()));
        if text.len() > URL_LENGTH_MAX {
            return Err(Refused(format!("the url is longer than {URL_LENGTH_MAX} characters")));
        }
        let url = Url::parse(text).map_err(|problem| Refused(format!("this is no url: {problem}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return refused("the url must hold no user and no password");
        }
        if url.fragment().is_some() {
            return refused("the url must hold no fragment");
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return refused("the url must begin with https:// and name a host");
        };
        let name = host.to_string();
        if self.rules.inside.name(&name) {
            return match url.scheme() {
                "http" | "https" if self.is_inside(&url) => Ok(url),
                "http" | "https" => Err(Refused(format!("port {port} of {name} is not called"))),
                _ => refused("the url must begin with https://"),
            };
        }
        if url.scheme() != "https" {
            return refused("the url must begin with https://");
        }
        let is_public = match host {
            Host::Ipv4(address) => is_public(address.into()),
            Host::Ipv6(address) => is_public(address.into()),
            // It is judged when it is resolved.
            Host::Domain(_) => true,
        };
        if !is_public || !self.rules.names(&name) {
            return Err(Refused(format!("{name} is not called")));
        }
        if !self.rules.ports.contains(&port) {
            return Err(Refused(format!("port {port} is not called")));
        }
        Ok(url)
    }

    /// Whether the configuration names this very host and port as one of our own side.
    pub fn is_inside(&self, url: &Url) -> bool {
        self.rules.inside.hold(url)
    }

    /// A client that connects to nothing else than this guard allows. What is given to it goes through [`Self::admit`]
    /// first: an address in numbers is never resolved.
    pub fn client(&self) -> ClientBuilder {
        // Whoever comes first in this process chooses, and all choose the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(self.clone()))
            .user_agent(concat!("countermand/", env!("CARGO_PKG_VERSION")))
    }
}

impl Rules {
    fn names(&self, host: &str) -> bool {
        self.hosts.is_empty() || self.hosts.iter().any(|pattern| is_of(pattern, host))
    }
}

impl Resolve for AddressGuard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = (guard.lookup)(name.as_str().to_owned()).await?;
            let is_inside = guard.rules.inside.name(name.as_str());
            // The very addresses that are connected to: nobody resolves the name again in between.
            let allowed = found.into_iter().filter(|address| is_inside || is_public(*address));
            let allowed: Vec<SocketAddr> = allowed.map(|address| (address, 0).into()).collect();
            if allowed.is_empty() {
                return Err(Refused(format!("{} has no address that may be called", name.as_str())).into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

fn system_lookup(name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
    async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) }.boxed()
}

#[cfg(test)]
mod tests;

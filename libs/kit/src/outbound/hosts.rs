//! Hosts as a configuration names them.

use url::{Host, Url};

/// Hosts with their ports: "host" for that of https, "host:8080", or "host:*" for every port.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hosts(Vec<Named>);

/// The configuration names something that is no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} holds {entry:?}, which is no host")]
pub struct NotAHost {
    key: String,
    entry: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    host: String,
    /// None for every port.
    port: Option<u16>,
}

impl Hosts {
    /// `key` is where the configuration names them.
    pub fn parse(key: &str, entries: &[String]) -> Result<Self, NotAHost> {
        let parsed = entries.iter().map(|entry| Named::parse(entry).ok_or_else(|| NotAHost::at(key, entry)));
        Ok(Self(parsed.collect::<Result<_, _>>()?))
    }

    /// Whether one of them is the host of this url, at its port.
    pub fn hold(&self, url: &Url) -> bool {
        let Some((host, port)) = url.host().zip(url.port_or_known_default()) else { return false };
        let host = host.to_string();
        let fits = |named: &Named| named.is(&host) && named.port.is_none_or(|own| own == port);
        self.0.iter().any(fits)
    }

    /// Whether one of them has this name, whatever its port.
    pub(super) fn name(&self, host: &str) -> bool {
        self.0.iter().any(|named| named.is(host))
    }
}

impl Named {
    fn parse(entry: &str) -> Option<Self> {
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, "*")) => (host, None),
            // The colons of an address in brackets are its own.
            Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
            Some(_) | None => (entry, Some(443)),
        };
        Some(Self { host: normal(host)?, port })
    }

    fn is(&self, host: &str) -> bool {
        self.host == without_dot(host)
    }
}

impl NotAHost {
    fn at(key: &str, entry: &str) -> Self {
        Self { key: key.to_owned(), entry: entry.to_owned() }
    }
}

/// A host, or "*." before one for all names below it.
pub(super) fn pattern(key: &str, entry: &str) -> Result<String, NotAHost> {
    let wrong = || NotAHost::at(key, entry);
    match entry.strip_prefix("*.") {
        Some(host) => Ok(format!("*.{}", normal(host).ok_or_else(wrong)?)),
        None => normal(entry).ok_or_else(wrong),
    }
}

/// Whether a host in its normal form is what a pattern names.
pub(super) fn is_of(pattern: &str, host: &str) -> bool {
    let host = without_dot(host);
    match pattern.strip_prefix('*') {
        Some(ending) => host.ends_with(ending) && host.len() > ending.len(),
        None => host == pattern,
    }
}

/// As it stands in a parsed url.
fn normal(host: &str) -> Option<String> {
    let host = Host::parse(host).ok()?.to_string();
    Some(without_dot(&host).to_owned()).filter(|host| !host.is_empty())
}

/// A name that is written with its last dot is the same name.
fn without_dot(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

//! Which addresses a webhook may be posted to. Somebody else chooses the URL, so without this they could make us call
//! our own services, or the metadata service of a cloud.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Checks every address at the moment a connection is made to it: a name that is checked when it is stored may resolve
/// to something else a minute later.
#[derive(Debug, Clone, Copy)]
pub struct AddressGuard {
    /// For development: receivers on this machine.
    allow_private: bool,
    lookup: Lookup,
}

/// Which addresses a name has at this moment.
pub type Lookup = fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;

#[derive(Debug, thiserror::Error)]
#[error("{host} has no address that webhooks may be posted to")]
pub struct Refused {
    host: String,
}

impl AddressGuard {
    pub fn new(allow_private: bool) -> Self {
        Self::resolving_with(allow_private, system_lookup)
    }

    /// With names that mean something else than the system says.
    pub fn resolving_with(allow_private: bool, lookup: Lookup) -> Self {
        Self { allow_private, lookup }
    }

    pub const fn allows_private(self) -> bool {
        self.allow_private
    }

    pub fn allows(self, address: IpAddr) -> bool {
        self.allow_private || is_public(address)
    }

    /// A host written as an address is never resolved, so it is checked before.
    pub fn allows_host(self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare.parse().map_or(true, |address| self.allows(address))
    }
}

impl Resolve for AddressGuard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = *self;
        Box::pin(async move {
            let found = (guard.lookup)(name.as_str().to_owned()).await?;
            // The very addresses that are connected to: nobody resolves the name again in between.
            let allowed: Vec<SocketAddr> =
                found.into_iter().filter(|ip| guard.allows(*ip)).map(|ip| (ip, 0).into()).collect();
            if allowed.is_empty() {
                return Err(Refused { host: name.as_str().to_owned() }.into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

fn system_lookup(name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
    async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) }.boxed()
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local() // with the metadata service of most clouds
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b)) // behind a carrier's or a cloud's NAT
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19));
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let segments = address.segments();
    match segments[0] {
        // What NAT64 and 6to4 wrap is an IPv4 address again.
        0x64 if segments[1] == 0xff9b => is_public_v4(wrapped(segments[6], segments[7])),
        0x2002 => is_public_v4(wrapped(segments[1], segments[2])),
        // Teredo, and documentation.
        0x2001 => !(segments[1] == 0 || segments[1] == 0xdb8),
        // Of all the rest only global unicast is anybody's public address.
        first => (0x2000..0x4000).contains(&first),
    }
}

fn wrapped(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: AddressGuard = AddressGuard { allow_private: false, lookup: system_lookup };

    #[test]
    fn nothing_of_our_own_is_called() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.3.4",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:0:1::",
            "::127.0.0.1",
            "fec0::1",
        ] {
            assert!(!STRICT.allows(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn what_is_public_is_called() {
        for address in ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "64:ff9b::101:101", "100.128.0.1"] {
            assert!(STRICT.allows(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn hosts_that_are_addresses_are_checked_too() {
        assert!(!STRICT.allows_host("[::1]"));
        assert!(!STRICT.allows_host("169.254.169.254"));
        assert!(STRICT.allows_host("example.com"));
        assert!(AddressGuard::new(true).allows_host("127.0.0.1"));
    }
}

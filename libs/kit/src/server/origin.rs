//! [`Origin`]: the address a call comes from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::HeaderMap;

use crate::config::Limits;

const FORWARDED_FOR: &str = "x-forwarded-for";
/// Proxies in a row that are looked through.
const HOPS_MAX: usize = 16;

/// Where a call comes from: the peer's address, or what a trusted proxy says of it. For limits, never for rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin(IpAddr);

impl Origin {
    /// The origin of the request a handler is answering; the loopback address for a call within the process.
    pub fn of<T>(request: &tonic::Request<T>) -> Self {
        request.extensions().get().copied().unwrap_or(Self(IpAddr::V4(Ipv4Addr::LOCALHOST)))
    }

    /// Walks back over the proxies that are trusted to the first address that is not.
    pub(super) fn seen(peer: IpAddr, headers: &HeaderMap, limits: &Limits) -> Self {
        let told = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = told.flat_map(|line| line.split(',')).map(str::trim).collect();
        let mut origin = peer;
        for hop in hops.into_iter().rev().take(HOPS_MAX) {
            if !limits.trusts(origin) {
                break;
            }
            let Ok(before) = hop.parse() else { break };
            origin = before;
        }
        Self(network(origin))
    }
}

/// Whoever has one IPv6 address has a whole network of 64 bits.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &str, trusted: &[&str]) -> String {
        let trusted_proxies = trusted.iter().map(|network| network.parse().unwrap()).collect();
        let limits = Limits { trusted_proxies, ..Limits::default() };
        let mut headers = HeaderMap::new();
        headers.insert(FORWARDED_FOR, forwarded.parse().unwrap());
        Origin::seen(peer.parse().unwrap(), &headers, &limits).0.to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_about_who_it_forwards() {
        assert_eq!(seen("10.0.0.1", "203.0.113.9", &[]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", "203.0.113.9", &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", "9.9.9.9, 203.0.113.9", &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", "203.0.113.9, 10.1.1.1", &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", "what", &["10.0.0.1"]), "10.0.0.1");
    }

    #[test]
    fn a_network_of_version_six_is_one_origin() {
        assert_eq!(seen("2001:db8::1", "", &[]), seen("2001:db8::ffff:2", "", &[]));
        assert_ne!(seen("2001:db8::1", "", &[]), seen("2001:db8:0:1::1", "", &[]));
    }
}

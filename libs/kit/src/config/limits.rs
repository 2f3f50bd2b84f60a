//! What one caller, one address and one listener may take up.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The limits of each listener. They hold for every caller; what a caller may do is decided elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Connections of one listener at a time. No more than a quarter of the descriptors that the process may have.
    pub connections_max: usize,
    /// Of one address (IPv6: of one network of 64 bits). Trusted proxies are not counted.
    pub connections_per_address_max: usize,
    /// Who stands in front of the listeners: their `x-forwarded-for` is believed, and nobody else's.
    pub trusted_proxies: Vec<Network>,
    /// For TLS, for the first bytes of HTTP/2, and for the headers of an HTTP/1 request, each.
    pub handshake_ms: u64,
    /// A connection on which nobody has proven who they are by then is closed.
    pub first_call_ms: u64,
    /// A connection without a call for so long is closed; clients connect again when they next call.
    pub idle_ms: u64,
    /// For the whole message of a request.
    pub body_ms: u64,
    /// For a reader to take the next piece of a reply.
    pub send_ms: u64,
    /// Calls of one listener that run at a time. One caller has three quarters of them at most, one tenant seven eighths.
    pub calls_max: usize,
    /// How often a caller may call, by what for.
    pub rates: Rates,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            connections_per_address_max: 64,
            trusted_proxies: Vec::new(),
            handshake_ms: 5_000,
            first_call_ms: 30_000,
            idle_ms: 600_000,
            body_ms: 10_000,
            send_ms: 30_000,
            calls_max: 1_024,
            rates: Rates::default(),
        }
    }
}

impl Limits {
    pub(crate) fn handshake(&self) -> Duration {
        Duration::from_millis(self.handshake_ms)
    }

    pub(crate) fn first_call(&self) -> Duration {
        Duration::from_millis(self.first_call_ms)
    }

    pub(crate) fn idle(&self) -> Duration {
        Duration::from_millis(self.idle_ms)
    }

    pub(crate) fn body(&self) -> Duration {
        Duration::from_millis(self.body_ms)
    }

    pub(crate) fn send(&self) -> Duration {
        Duration::from_millis(self.send_ms)
    }

    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.holds(address))
    }
}

/// The rates of one caller (tenant and user) on one replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    /// Calls of operators that change nothing.
    pub read: Rate,
    /// Calls of operators that change something.
    pub write: Rate,
    /// Calls of operators that take or give back money.
    pub money: Rate,
    /// Whole books, by anybody.
    pub export: Rate,
    /// All calls of those who take part in the business and do not run it, such as buyers and suppliers.
    pub party: Rate,
    /// All calls of guests.
    pub guest: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            read: Rate { per_second: 5_000, burst: 10_000 },
            write: Rate { per_second: 2_000, burst: 10_000 },
            money: Rate { per_second: 1_000, burst: 5_000 },
            export: Rate { per_second: 20, burst: 200 },
            party: Rate { per_second: 100, burst: 500 },
            guest: Rate { per_second: 5, burst: 20 },
        }
    }
}

/// A bucket of `burst` calls that is filled up by `per_second`. 0 calls a second is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rate {
    pub per_second: u32,
    pub burst: u32,
}

impl Default for Rate {
    fn default() -> Self {
        Self { per_second: 0, burst: 1 }
    }
}

/// Addresses by their first bits, such as `10.0.0.0/8`; one address without a slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no address and no network such as 10.0.0.0/8")]
pub struct NoNetwork(String);

impl Network {
    fn holds(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                base.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                base.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let no_network = || NoNetwork(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| no_network())?)),
        };
        let base: IpAddr = address.parse().map_err(|_| no_network())?;
        let most = match base {
            IpAddr::V4(_) => u8::try_from(Ipv4Addr::BITS).unwrap_or(u8::MAX),
            IpAddr::V6(_) => u8::try_from(Ipv6Addr::BITS).unwrap_or(u8::MAX),
        };
        let bits = bits.unwrap_or(most);
        if bits > most { Err(no_network()) } else { Ok(Self { base, bits }) }
    }
}

impl TryFrom<String> for Network {
    type Error = NoNetwork;

    fn try_from(text: String) -> Result<Self, NoNetwork> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

//! Ports for servers that the tests start.

use std::net::TcpListener;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

/// Both ranges lie below the ports that the system hands out to connections (32768 and up on Linux): one from there may be
/// somebody's own end of a connection by the time that a server wants it.
static ANY: Ports = Ports { range: 10_000..32_000, given: AtomicU32::new(0) };
static OF_FOUR_DIGITS: Ports = Ports { range: 3_000..9_900, given: AtomicU32::new(0) };

/// Ports that are given out one after the other, so that nobody else in this process has the same.
struct Ports {
    range: Range<u32>,
    given: AtomicU32,
}

/// A port that nobody listens on.
pub fn free_port() -> Result<u16> {
    ANY.next()
}

/// The same, as wide in a table as those that the guide shows.
pub fn free_port_of_four_digits() -> Result<u16> {
    OF_FOUR_DIGITS.next()
}

impl Ports {
    fn next(&self) -> Result<u16> {
        let count = self.range.end - self.range.start;
        // Runs of one machine at the same time begin far from each other.
        let first = std::process::id() % count * 7_919;
        for _ in 0..count {
            let nth = self.given.fetch_add(1, Ordering::Relaxed).wrapping_add(first) % count;
            let port = u16::try_from(self.range.start + nth)?;
            if TcpListener::bind(("127.0.0.1", port)).is_ok() {
                return Ok(port);
            }
        }
        None.context("no port is free")
    }
}

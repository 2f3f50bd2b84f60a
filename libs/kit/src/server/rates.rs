//! [`Limiter`]: how often one caller may call, by what for.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use types::{Permission, Reason};

use super::admission::User;
use crate::Principal;
use crate::config::{Rate, Rates};
use crate::failure::Failure;

const GUEST: &str = "guest";
/// How the methods begin that send everything there is.
const EXPORT: &str = "Export";
/// How the permissions end that change nothing, and how those begin that move money.
const READS: [&str; 2] = [".read", ".verify"];
const MONEY: [&str; 2] = ["payment.", "refund."];

/// Buckets that are full again are forgotten every so many calls, so that the callers of yesterday cost nothing.
const CALLS_BETWEEN_SWEEPS: u32 = 4_096;

/// What a call is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Read,
    Write,
    Money,
    Export,
    Party,
    Guest,
}

pub(super) struct Limiter {
    read: Bucket,
    write: Bucket,
    money: Bucket,
    export: Bucket,
    party: Bucket,
    guest: Bucket,
}

struct Bucket {
    /// None where there is no limit.
    buckets: Option<DefaultKeyedRateLimiter<Arc<User>>>,
    calls: AtomicU32,
}

fn use_of(principal: &Principal, path: &str, permission: Permission) -> Use {
    let name = permission.as_str();
    let method = path.rsplit('/').next().unwrap_or_default();
    if principal.role.as_str() == GUEST {
        Use::Guest
    } else if method.starts_with(EXPORT) {
        Use::Export
    } else if !principal.sees_everything() {
        Use::Party
    } else if READS.iter().any(|end| name.ends_with(end)) {
        Use::Read
    } else if MONEY.iter().any(|begin| name.starts_with(begin)) {
        Use::Money
    } else {
        Use::Write
    }
}

impl Limiter {
    pub(super) fn new(rates: &Rates) -> Self {
        Self {
            read: Bucket::new(rates.read),
            write: Bucket::new(rates.write),
            money: Bucket::new(rates.money),
            export: Bucket::new(rates.export),
            party: Bucket::new(rates.party),
            guest: Bucket::new(rates.guest),
        }
    }

    /// Takes one call out of the caller's bucket.
    pub(super) fn check(
        &self,
        user: &Arc<User>,
        principal: &Principal,
        path: &str,
        permission: Permission,
    ) -> Result<(), Failure> {
        let bucket = match use_of(principal, path, permission) {
            Use::Read => &self.read,
            Use::Write => &self.write,
            Use::Money => &self.money,
            Use::Export => &self.export,
            Use::Party => &self.party,
            Use::Guest => &self.guest,
        };
        bucket.check(user)
    }
}

impl Bucket {
    fn new(rate: Rate) -> Self {
        let quota = NonZeroU32::new(rate.per_second).map(|per_second| {
            let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
            Quota::per_second(per_second).allow_burst(burst)
        });
        Self { buckets: quota.map(RateLimiter::keyed), calls: AtomicU32::new(0) }
    }

    fn check(&self, user: &Arc<User>) -> Result<(), Failure> {
        let Some(buckets) = &self.buckets else { return Ok(()) };
        if self.calls.fetch_add(1, Ordering::Relaxed) % CALLS_BETWEEN_SWEEPS == CALLS_BETWEEN_SWEEPS - 1 {
            buckets.retain_recent();
            buckets.shrink_to_fit();
        }
        buckets.check_key(user).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            Failure::unavailable(Reason::RateLimited, "too many calls in a short time; ask again later", wait)
        })
    }
}

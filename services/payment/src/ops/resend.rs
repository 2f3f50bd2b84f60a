//! Whether a key that the gateway knows nothing of may be sent again. The effect it stands for moves
//! money, so a gateway that may have forgotten the key, or may have applied it after an error and not
//! show it yet, is not trusted to tell a repeat from a new wish.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use types::{Clock, Tenant, Timestamp};

use crate::domain::gateway::{Capabilities, Task};

/// Between the two times that a gateway without a memory for errors must not have known the key.
const MISSES_APART: Duration = Duration::from_mins(1);
/// How old a key must be before two misses prove anything to such a gateway.
const OLD: Duration = Duration::from_mins(10);
/// First misses that are kept; one that is not kept is only asked about for longer.
const MISSES_MAX: usize = 10_000;
/// A first miss that led to nothing is dropped when there is no room.
const MISS_KEPT: Duration = Duration::from_hours(24);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Send,
    /// Only asked about from here on, or for now; the text is for people.
    Ask(&'static str),
}

/// Remembers when this process first missed a key. After a restart it begins anew, which makes a
/// refund later and never twice.
#[derive(Clone)]
pub struct Resend {
    clock: Clock,
    misses: Arc<Mutex<BTreeMap<(Tenant, String), Timestamp>>>,
}

impl Resend {
    pub fn new(clock: Clock) -> Self {
        Self { clock, misses: Arc::default() }
    }

    /// The gateway has just said that it knows nothing of the task's key.
    pub fn judge(&self, tenant: &Tenant, task: &Task, capabilities: Capabilities) -> Verdict {
        let now = self.clock.now();
        let age = now.since(task.asked_at);
        if capabilities.key_window.is_some_and(|window| age > window / 2) {
            return Verdict::Ask("the gateway may have forgotten the key, so it is not sent again");
        }
        if capabilities.caches_errors || (self.missed_before(tenant, task, now) && age >= OLD) {
            Verdict::Send
        } else {
            Verdict::Ask("the gateway does not know of it yet")
        }
    }

    /// Whether the key was missed long enough before, noting that it is missed now.
    fn missed_before(&self, tenant: &Tenant, task: &Task, now: Timestamp) -> bool {
        let mut misses = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
        if misses.len() >= MISSES_MAX {
            misses.retain(|_, first| now.since(*first) < MISS_KEPT);
        }
        let key = (tenant.clone(), task.subject.key().to_owned());
        if misses.len() >= MISSES_MAX && !misses.contains_key(&key) {
            return false;
        }
        let first = *misses.entry(key).or_insert(now);
        now.since(first) >= MISSES_APART
    }
}

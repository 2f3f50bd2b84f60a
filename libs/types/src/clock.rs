//! The one source of business time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use crate::Timestamp;

/// Tells the time of business facts. Leases are not judged by it but by the database's clock,
/// because two machines never agree on the time.
#[derive(Clone, Debug)]
pub enum Clock {
    System,
    /// Stands still until it is told otherwise; clones share the same hand, in Unix microseconds.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.unix_micros())))
    }

    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => system_now(),
            Self::Manual(micros) => Timestamp::from_unix_micros(micros.load(Ordering::SeqCst))
                .expect("only manual and advance set the hand, both to valid instants"),
        }
    }

    /// Moves a manual clock forward. Panics on the system's clock, which nobody can move.
    pub fn advance(&self, duration: Duration) {
        match self {
            Self::System => panic!("the system's clock cannot be advanced"),
            Self::Manual(micros) => {
                micros
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |micros| {
                        let now = Timestamp::from_unix_micros(micros).ok()?;
                        Some(now.plus(duration).unix_micros())
                    })
                    .expect("only manual and advance set the hand, both to valid instants");
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where business time is read")]
fn system_now() -> Timestamp {
    let since_epoch = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("the system's clock is set after 1970");
    Timestamp::UNIX_EPOCH.plus(since_epoch)
}

//! [`Guesses`]: limits how often somebody may guess the contact of an order.
//!
//! Wrong pairs of order number and contact are counted per caller, once by the number and once by the contact. When many callers
//! guess at one order, or many guesses come from one address, each caller has one try. Only a caller whose own guesses were wrong is
//! refused without a look: a consumer with the right pair is never refused because others guessed. Each replica counts by itself and
//! forgets after an hour. A count holds the hash of a contact, never the contact.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kit::server::Origin;
use kit::{Failure, Principal};
use types::{Reason, Tenant};

/// Wrong guesses that a caller may make at one order, or with one contact.
const OWN_MAX: u32 = 5;
/// The same while many callers guess.
const OWN_MAX_AMONG_MANY: u32 = 1;
/// Guesses at one order, and from one address, from which on many are guessing.
const MANY_OF_ORDER: u32 = 10;
const MANY_OF_ADDRESS: u32 = 30;
const REMEMBERED: Duration = Duration::from_hours(1);
/// The most counts that are kept. Beyond that the smallest are forgotten.
const COUNTS_MAX: usize = 100_000;

#[derive(Default)]
pub struct Guesses(Mutex<HashMap<Key, Wrong>>);

/// One guess at a pair of number and contact, and who makes it.
pub struct Guess {
    own: [Key; 2],
    shared: [(Key, u32); 2],
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    OwnOfOrder(Guesser, String),
    OwnOfContact(Guesser, u64),
    Order(Tenant, String),
    Address(Origin),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Guesser {
    tenant: Tenant,
    user: String,
    origin: Origin,
}

#[derive(Debug, Clone, Copy)]
struct Wrong {
    times: u32,
    since: Instant,
}

impl Wrong {
    fn is_remembered(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) < REMEMBERED
    }
}

impl Guess {
    pub fn new(caller: &Principal, origin: Origin, number: &str, contact: &str) -> Self {
        let guesser = Guesser { tenant: caller.tenant.clone(), user: caller.user.clone(), origin };
        let mut contact_hash = DefaultHasher::new();
        contact.trim().to_lowercase().hash(&mut contact_hash);
        Self {
            own: [
                Key::OwnOfOrder(guesser.clone(), number.to_owned()),
                Key::OwnOfContact(guesser, contact_hash.finish()),
            ],
            shared: [
                (Key::Order(caller.tenant.clone(), number.to_owned()), MANY_OF_ORDER),
                (Key::Address(origin), MANY_OF_ADDRESS),
            ],
        }
    }
}

impl Guesses {
    /// Refuses a caller who has guessed wrong too often, whatever they guess now.
    pub fn may_try(&self, guess: &Guess) -> Result<(), Failure> {
        self.may_try_at(guess, Instant::now())
    }

    pub fn was_wrong(&self, guess: &Guess) {
        self.was_wrong_at(guess, Instant::now());
    }

    fn may_try_at(&self, guess: &Guess, now: Instant) -> Result<(), Failure> {
        let wrong = self.counts();
        let of = |key: &Key| wrong.get(key).filter(|wrong| wrong.is_remembered(now));
        let many = guess.shared.iter().any(|(key, many)| of(key).is_some_and(|wrong| wrong.times >= *many));
        let own_max = if many { OWN_MAX_AMONG_MANY } else { OWN_MAX };
        let spent = guess.own.iter().filter_map(of).filter(|wrong| wrong.times >= own_max);
        let Some(wait) =
            spent.map(|wrong| REMEMBERED.saturating_sub(now.saturating_duration_since(wrong.since))).max()
        else {
            return Ok(());
        };
        let message = "too many wrong pairs of order number and contact; try again later";
        Err(Failure::unavailable(Reason::RateLimited, message, wait))
    }

    fn was_wrong_at(&self, guess: &Guess, now: Instant) {
        let mut wrong = self.counts();
        if wrong.len() >= COUNTS_MAX {
            wrong.retain(|_, wrong| wrong.is_remembered(now) && wrong.times > 1);
        }
        for key in guess.own.iter().chain(guess.shared.iter().map(|(key, _)| key)) {
            let counted = wrong.entry(key.clone()).or_insert(Wrong { times: 0, since: now });
            if !counted.is_remembered(now) {
                *counted = Wrong { times: 0, since: now };
            }
            counted.times = counted.times.saturating_add(1);
        }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Key, Wrong>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

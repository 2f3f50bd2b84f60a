//! The one source of new ids.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::{Builder, Uuid};

use crate::{Clock, TypedId};

/// Mints ids that ascend within the process, even when the clock stands still or steps back, so
/// that the order of ids is the order of minting. Clones share one sequence.
#[derive(Clone)]
pub struct Ids {
    clock: Clock,
    sequence: Arc<Mutex<Sequence>>,
}

/// The state of UUIDv7 with a monotonic counter (RFC 9562, 6.2, method 2): the 74 bits beside the
/// time start at random in every millisecond and grow by a random step with every id.
struct Sequence {
    chance: StdRng,
    millis: u64,
    counter: u128,
}

const COUNTER_BITS: u32 = 74;

/// The variant bits of a UUID part the counter into 12 high and 62 low bits.
const COUNTER_LOW_BITS: u32 = 62;

impl Ids {
    /// Ids nobody can foresee.
    pub fn random(clock: Clock) -> Self {
        Self::starting_from(clock, StdRng::from_seed(rand::random()))
    }

    /// The same ids in every run, given the same clock: for tests and simulations only.
    pub fn seeded(clock: Clock, seed: u64) -> Self {
        Self::starting_from(clock, StdRng::seed_from_u64(seed))
    }

    pub fn mint<Id: TypedId>(&self) -> Id {
        let now = u64::try_from(self.clock.now().unix_micros() / 1_000).expect("a timestamp is after 1970");
        // A panic cannot leave the sequence half-written: it is updated in place, field by field.
        let mut sequence = self.sequence.lock().unwrap_or_else(PoisonError::into_inner);
        Id::from_uuid(sequence.next(now))
    }

    fn starting_from(clock: Clock, chance: StdRng) -> Self {
        let sequence = Sequence { chance, millis: 0, counter: 0 };
        Self { clock, sequence: Arc::new(Mutex::new(sequence)) }
    }
}

impl Sequence {
    fn next(&mut self, now: u64) -> Uuid {
        let step = u128::from(self.chance.random::<u32>()) + 1;
        let exhausted = self.counter + step >= 1 << COUNTER_BITS;
        if now > self.millis || exhausted {
            self.millis = now.max(self.millis + 1);
            // The top bit starts clear, which leaves room for 2^41 steps in the same millisecond.
            self.counter = self.chance.random::<u128>() >> (128 - COUNTER_BITS + 1);
        } else {
            self.counter += step;
        }

        let low = self.counter & ((1 << COUNTER_LOW_BITS) - 1);
        let spread = ((self.counter >> COUNTER_LOW_BITS) << 64) | low;
        let bytes = spread.to_be_bytes();
        let ten_bytes = bytes.last_chunk().expect("sixteen bytes end in ten");
        Builder::from_unix_timestamp_millis(self.millis, ten_bytes).into_uuid()
    }
}

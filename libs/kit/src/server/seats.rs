//! [`Seats`]: so many places and no more, of which one key has its share at most.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

pub(super) struct Seats<K> {
    taken: Mutex<Taken<K>>,
    total_max: usize,
    each_max: usize,
}

struct Taken<K> {
    total: usize,
    of: HashMap<K, usize>,
}

/// A place that is given back when it is dropped.
pub(super) struct Seat<K: Eq + Hash> {
    seats: Arc<Seats<K>>,
    key: Option<K>,
}

impl<K: Eq + Hash + Clone> Seats<K> {
    pub(super) fn new(total_max: usize, each_max: usize) -> Arc<Self> {
        let taken = Mutex::new(Taken { total: 0, of: HashMap::new() });
        Arc::new(Self { taken, total_max, each_max })
    }

    /// A place, if there is one left. Without a key it counts in the total alone.
    pub(super) fn take(self: &Arc<Self>, key: Option<K>) -> Option<Seat<K>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.total >= self.total_max {
            return None;
        }
        if let Some(key) = &key {
            let of_key = taken.of.entry(key.clone()).or_default();
            if *of_key >= self.each_max {
                return None;
            }
            *of_key += 1;
        }
        taken.total += 1;
        Some(Seat { seats: Arc::clone(self), key })
    }
}

impl<K: Eq + Hash> Drop for Seat<K> {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.total -= 1;
        let Some(key) = &self.key else { return };
        // What nobody holds any more is forgotten, or every address that ever called would be kept.
        if let Some(of_key) = taken.of.get_mut(key) {
            *of_key -= 1;
            if *of_key == 0 {
                taken.of.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_share_and_gives_it_back() {
        let seats = Seats::new(3, 2);

        let first = seats.take(Some("a")).unwrap();
        let _second = seats.take(Some("a")).unwrap();
        assert!(seats.take(Some("a")).is_none());
        let _third = seats.take(Some("b")).unwrap();
        assert!(seats.take(None).is_none());

        drop(first);
        assert!(seats.take(Some("a")).is_some());
    }
}

//! The leases this worker holds, each with the moment its last confirmed renewal began.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::books::SagaImage;
use crate::row::SagaKey;

#[derive(Default)]
pub(super) struct Held {
    leases: Mutex<BTreeMap<SagaKey, Lease>>,
}

struct Lease {
    epoch: i64,
    began: Instant,
    lost: CancellationToken,
}

/// One saga in this worker's hands. Dropping it forgets the lease: nobody renews it any more.
pub(super) struct Hold {
    held: Arc<Held>,
    key: SagaKey,
    epoch: i64,
    lost: CancellationToken,
    kept: bool,
}

impl Held {
    /// Takes a saga; `None` if this worker already has it under this epoch or a newer one, as when a
    /// saga is handed over twice.
    pub(super) fn take(self: &Arc<Self>, image: &SagaImage) -> Option<Hold> {
        let (key, epoch) = (image.row.key.clone(), image.row.epoch);
        let mut leases = self.lock();
        if leases.get(&key).is_some_and(|lease| lease.epoch >= epoch) {
            return None;
        }
        let lost = CancellationToken::new();
        let lease = Lease { epoch, began: image.began, lost: lost.clone() };
        if let Some(older) = leases.insert(key.clone(), lease) {
            older.lost.cancel();
        }
        Some(Hold { held: Arc::clone(self), key, epoch, lost, kept: false })
    }

    /// The leases whose renewal began longer ago than `age`.
    pub(super) fn older_than(&self, age: Duration) -> Vec<(SagaKey, i64)> {
        let leases = self.lock();
        let old = leases.iter().filter(|(_, lease)| lease.began.elapsed() >= age);
        old.map(|(key, lease)| (key.clone(), lease.epoch)).collect()
    }

    pub(super) fn renewed(&self, key: &SagaKey, epoch: i64, began: Instant) {
        if let Some(lease) = self.lock().get_mut(key).filter(|lease| lease.epoch == epoch) {
            lease.began = lease.began.max(began);
        }
    }

    /// The database did not renew this lease: its turn stops at once.
    pub(super) fn lost(&self, key: &SagaKey, epoch: i64) {
        if let Some(lease) = self.lock().get(key).filter(|lease| lease.epoch == epoch) {
            lease.lost.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SagaKey, Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// How long ago the last confirmed renewal began; `None` once the lease is lost.
    pub(super) fn age(&self) -> Option<Duration> {
        let leases = self.held.lock();
        let lease = leases.get(&self.key).filter(|lease| lease.epoch == self.epoch)?;
        (!self.lost.is_cancelled()).then(|| lease.began.elapsed())
    }

    pub(super) async fn is_lost(&self) {
        self.lost.cancelled().await;
    }

    pub(super) fn renewed(&self, began: Instant) {
        self.held.renewed(&self.key, self.epoch, began);
    }

    /// Leaves the lease among those that the shutdown gives up.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let mut leases = self.held.lock();
        if leases.get(&self.key).is_some_and(|lease| lease.epoch == self.epoch) {
            leases.remove(&self.key);
        }
    }
}

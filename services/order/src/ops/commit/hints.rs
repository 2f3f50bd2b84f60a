//! Hints that an order has changed, for callers who wait in this process. A hint may be lost, and a commit of another replica gives none,
//! so a waiting caller also reads again once a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::domain::change::ChangeView;
use crate::domain::order::Order;
use crate::store::keys::OrderKey;

/// An order as a commit left it, with the changes that this commit touched.
#[derive(Debug)]
pub struct Seen {
    pub order: Order,
    pub changes: Vec<ChangeView>,
}

impl Seen {
    /// Adds the changes that only the previous picture had: a watcher may see only the later of two commits.
    fn following(self: Arc<Self>, before: Option<&Self>) -> Arc<Self> {
        let is_new = |old: &&ChangeView| {
            self.changes.iter().all(|new| new.change.change_order_id != old.change.change_order_id)
        };
        let older: Vec<ChangeView> =
            before.into_iter().flat_map(|before| &before.changes).filter(is_new).cloned().collect();
        if older.is_empty() {
            return self;
        }
        let changes = self.changes.iter().cloned().chain(older).collect();
        Arc::new(Self { order: self.order.clone(), changes })
    }
}

/// How often an order has changed, and its last picture if there is one.
#[derive(Debug, Clone, Default)]
pub struct Hint {
    pub count: u64,
    pub seen: Option<Arc<Seen>>,
}

#[derive(Clone, Default)]
pub struct Hints {
    watched: Arc<Mutex<HashMap<OrderKey, watch::Sender<Hint>>>>,
}

/// A watch on one order. It sees only what is told after it began.
pub struct Watch {
    hints: Hints,
    key: OrderKey,
    receiver: Option<watch::Receiver<Hint>>,
}

impl Hints {
    pub fn watch(&self, key: OrderKey) -> Watch {
        let receiver = self.lock().entry(key.clone()).or_default().subscribe();
        Watch { hints: self.clone(), key, receiver: Some(receiver) }
    }

    pub fn is_watched(&self, key: &OrderKey) -> bool {
        self.lock().contains_key(key)
    }

    pub fn tell(&self, key: &OrderKey, seen: Option<Arc<Seen>>) {
        if let Some(sender) = self.lock().get(key) {
            sender.send_modify(|hint| {
                let seen = seen.map(|seen| seen.following(hint.seen.as_deref()));
                *hint = Hint { count: hint.count + 1, seen };
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OrderKey, watch::Sender<Hint>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Waits for the next hint.
    pub async fn changed(&mut self) -> Hint {
        let receiver = self.receiver.as_mut().expect("only drop takes it");
        // The sender lives as long as there is a watch, so there is always a next hint to wait for.
        match receiver.changed().await {
            Ok(()) => receiver.borrow_and_update().clone(),
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.receiver.take());
        let mut watched = self.hints.lock();
        if watched.get(&self.key).is_some_and(|sender| sender.receiver_count() == 0) {
            watched.remove(&self.key);
        }
    }
}

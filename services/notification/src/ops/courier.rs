//! Delivers what is enqueued: claims a batch, hands each row to the channel, and marks the batch sent in the commit
//! that claims the next one.
//!
//! A crash between the handing over and the mark repeats at most that one batch when its claim has run out, so a
//! reader of the channel tells repeats by the notification id. Any number of couriers may run on one database.

use std::sync::Arc;
use std::time::Duration;

use storage::{Database, DbError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use types::{Clock, Ids, NotificationId};

use crate::store::notifications::{self, Owned};

/// The poll that finds what no wake-up told of: what a crashed replica left behind.
const POLL: Duration = Duration::from_secs(1);

pub struct Courier {
    database: Database,
    clock: Clock,
    /// Names this courier's claims. It is fresh with every process, so a restarted one waits for its old claims to
    /// run out instead of taking them for its own.
    token: String,
    delivered: Vec<Owned>,
}

/// What one turn found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Delivered(usize),
    Idle,
}

impl Courier {
    pub fn new(database: Database, clock: Clock, ids: &Ids) -> Self {
        let token = ids.mint::<NotificationId>().to_string();
        Self { database, clock, token, delivered: Vec::new() }
    }

    /// Runs until `shutdown`, then notes what it delivered last.
    pub async fn run(mut self, enqueued: Arc<Notify>, shutdown: CancellationToken, deliver: fn(&Owned)) {
        while !shutdown.is_cancelled() {
            match self.turn(&deliver).await {
                Ok(Turn::Delivered(_)) => continue,
                Ok(Turn::Idle) => {}
                Err(problem) => tracing::warn!(%problem, "the courier could not use its database"),
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = enqueued.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
        if let Err(problem) = self.settle().await {
            tracing::warn!(%problem, "the last batch was delivered but not marked; it will be delivered once more");
        }
    }

    /// Marks the batch before, claims the next and delivers it.
    pub async fn turn(&mut self, deliver: &impl Fn(&Owned)) -> Result<Turn, DbError> {
        let (token, now, delivered) = (&self.token, self.clock.now(), &self.delivered);
        let exchange = self.database.write("notification.turn", |mut tx| async move {
            let marked = notifications::mark_sent(&mut tx, token, now, delivered).await?;
            let claimed = notifications::claim(&mut tx, token).await?;
            Ok((tx, (marked, claimed)))
        });
        let (marked, claimed) = exchange.await?;
        self.note(marked);
        claimed.iter().for_each(deliver);
        let count = claimed.len();
        self.delivered = claimed;
        Ok(if count == 0 { Turn::Idle } else { Turn::Delivered(count) })
    }

    /// Marks the last batch.
    async fn settle(&mut self) -> Result<(), DbError> {
        if self.delivered.is_empty() {
            return Ok(());
        }
        let (token, now, delivered) = (&self.token, self.clock.now(), &self.delivered);
        let mark = self.database.write("notification.settle", |mut tx| async move {
            let marked = notifications::mark_sent(&mut tx, token, now, delivered).await?;
            Ok((tx, marked))
        });
        let marked = mark.await?;
        self.note(marked);
        self.delivered.clear();
        Ok(())
    }

    fn note(&self, marked: u64) {
        let delivered = self.delivered.len() as u64;
        if marked != delivered {
            tracing::warn!(delivered, marked, "some claims had run out; another courier repeats those");
        }
    }
}

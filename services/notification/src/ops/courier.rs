//! Writes what the log channel is told: the rows come in memory from the intake that committed them under our claim,
//! so that a line costs one mark and no claim.
//!
//! A crash before the mark leaves the claim to run out; a poll then claims the rows and writes them once more, so a
//! reader of the channel tells repeats by the notification id. Any number of couriers may run on one database.

use std::sync::Arc;
use std::time::Duration;

use storage::{Database, DbError};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use types::{Clock, Ids, NotificationId};

use crate::store::notifications::{self, Owned};

/// The poll that finds what nobody handed over: what a crashed replica left behind.
const POLL: Duration = Duration::from_secs(1);
/// Commits that may wait to be written; what does not fit is found by a poll when its claim has run out.
const HANDED_MAX: usize = 1_024;
/// Commits marked by one statement.
const AT_ONCE: usize = 32;

/// What one commit told, on its way to the courier.
pub type Told = Arc<Vec<Owned>>;

/// The intake's end of the way to the courier.
#[derive(Debug, Clone)]
pub struct Handing {
    /// Names the claims under which rows are written. It is fresh with every process, so a restarted one waits for its
    /// old claims to run out instead of taking them for its own.
    pub token: Arc<str>,
    told: mpsc::Sender<Told>,
}

/// The courier's end.
pub type Handed = mpsc::Receiver<Told>;

pub struct Courier {
    database: Database,
    clock: Clock,
    token: Arc<str>,
    /// Written, and not marked yet.
    written: Vec<Owned>,
}

/// What one turn found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Delivered(usize),
    Idle,
}

impl Handing {
    pub fn new(ids: &Ids) -> (Self, Handed) {
        let (told, handed) = mpsc::channel(HANDED_MAX);
        (Self { token: ids.mint::<NotificationId>().as_str().into(), told }, handed)
    }

    /// Hands over what was committed.
    pub fn hand(&self, told: &Told) {
        if !told.is_empty() && self.told.try_send(Arc::clone(told)).is_err() {
            tracing::debug!(rows = told.len(), "the courier is busy; a poll will find these rows");
        }
    }
}

impl Courier {
    pub fn new(database: Database, clock: Clock, handing: &Handing) -> Self {
        Self { database, clock, token: Arc::clone(&handing.token), written: Vec::new() }
    }

    /// Runs until `shutdown`, and writes what was handed over until then.
    pub async fn run(mut self, mut handed: Handed, shutdown: CancellationToken, write: fn(&Owned)) {
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut commits: Vec<Told> = Vec::with_capacity(AT_ONCE);
        loop {
            let turn = tokio::select! {
                _ = poll.tick() => self.turn(&write).await,
                count = handed.recv_many(&mut commits, AT_ONCE), if !handed.is_closed() || !handed.is_empty() => {
                    if count > 0 { self.write_handed(&mut commits, &write).await } else { Ok(Turn::Idle) }
                }
                () = shutdown.cancelled() => break,
            };
            if let Err(problem) = turn {
                tracing::warn!(%problem, "the courier could not use its database");
            }
        }
        while let Ok(told) = handed.try_recv() {
            commits.push(told);
        }
        if let Err(problem) = self.write_handed(&mut commits, &write).await {
            tracing::warn!(%problem, "the last lines were written but not marked; they will be written once more");
        }
    }

    /// Writes what came from the intake, and marks it.
    pub async fn write_handed(
        &mut self,
        commits: &mut Vec<Told>,
        write: &impl Fn(&Owned),
    ) -> Result<Turn, DbError> {
        let before = self.written.len();
        for told in commits.drain(..) {
            told.iter().for_each(write);
            self.written.extend(told.iter().cloned());
        }
        let count = self.written.len() - before;
        self.settle().await?;
        Ok(if count == 0 { Turn::Idle } else { Turn::Delivered(count) })
    }

    /// Claims what a process that died has left, writes and marks it.
    pub async fn turn(&mut self, write: &impl Fn(&Owned)) -> Result<Turn, DbError> {
        self.settle().await?;
        let token = &self.token;
        let claim = self.database.write("notification.claim", |mut tx| async move {
            let claimed = notifications::claim(&mut tx, token).await?;
            Ok((tx, claimed))
        });
        let claimed = claim.await?;
        claimed.iter().for_each(write);
        let count = claimed.len();
        self.written = claimed;
        self.settle().await?;
        Ok(if count == 0 { Turn::Idle } else { Turn::Delivered(count) })
    }

    /// Marks what was written.
    async fn settle(&mut self) -> Result<(), DbError> {
        if self.written.is_empty() {
            return Ok(());
        }
        let (token, now, written) = (&self.token, self.clock.now(), &self.written);
        let mark = self.database.write("notification.settle", |mut tx| async move {
            let marked = notifications::mark_sent(&mut tx, token, now, written).await?;
            Ok((tx, marked))
        });
        let (marked, written) = (mark.await?, self.written.len() as u64);
        if marked != written {
            tracing::warn!(written, marked, "some claims had run out; another courier repeats those");
        }
        self.written.clear();
        Ok(())
    }
}

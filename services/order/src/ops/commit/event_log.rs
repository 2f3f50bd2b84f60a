//! Reading a tenant's events in their one order, and waiting for more.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use kit::Failure;
use storage::{Database, DbError, Envelope, Tx};
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;
use types::{OrderId, Tenant};

use crate::domain::history::Told;
use crate::store::event_log::{self, Span};

/// Events that are read at once. A reader holds no more than these in memory.
const READ_AT_ONCE: i64 = 200;
/// Positions that one statement looks through when it filters.
const LOOKED_THROUGH_AT_ONCE: i64 = 2_000;
/// A commit of another replica gives no hint here, and a hint may be lost: look again after this time.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Wakes readers when a commit of this process left events, and lets one reader at a time number them.
#[derive(Clone)]
pub struct EventLog {
    database: Database,
    committed: Arc<watch::Sender<()>>,
    numbering: Arc<Mutex<()>>,
}

/// A reader and its position.
pub struct EventReader {
    log: EventLog,
    committed: watch::Receiver<()>,
    tenant: Tenant,
    filter: EventFilter,
    after: i64,
}

/// Which events to read. Empty means all.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    pub order_id: Option<OrderId>,
    /// Full names of protobuf messages.
    pub kinds: Vec<String>,
}

/// Where a reader begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    After(i64),
    /// After everything that is stored.
    Now,
}

/// What was read.
#[derive(Debug)]
pub enum Found {
    Events(Vec<Told>),
    /// Nothing passed the filter yet; there is more to look through.
    NothingHere,
    /// The reader has seen everything.
    End,
}

/// Numbers the events that a relay has claimed: an event has its position before it is sent.
pub fn number_claimed<'a>(tx: &'a mut Tx, claimed: Vec<&'a Envelope>) -> BoxFuture<'a, Result<(), DbError>> {
    Box::pin(event_log::number_claimed(tx, claimed))
}

impl EventLog {
    pub fn new(database: Database) -> Self {
        Self { database, committed: Arc::new(watch::Sender::new(())), numbering: Arc::default() }
    }

    /// Hints that a commit of this process left events.
    pub fn committed(&self) -> watch::Receiver<()> {
        self.committed.subscribe()
    }

    /// A reader of everything behind a position, for this process itself.
    pub fn reader(&self, tenant: Tenant, after: i64) -> EventReader {
        let committed = self.committed.subscribe();
        EventReader { log: self.clone(), committed, tenant, filter: EventFilter::default(), after }
    }

    /// A commit left events.
    pub fn wake(&self) {
        self.committed.send_replace(());
    }

    /// Gives a position to every event that has none yet. Readers that ask at the same time share the work of the first.
    pub async fn catch_up(&self, tenant: &Tenant) -> Result<(), DbError> {
        loop {
            let _turn = self.numbering.lock().await;
            let mut tx = self.database.read().await?;
            let waiting = event_log::is_anything_waiting(&mut tx, tenant).await;
            tx.rollback().await;
            if !waiting? {
                return Ok(());
            }
            let number = self.database.write("number_events", |mut tx| async move {
                let any = event_log::number_waiting(&mut tx, tenant).await?;
                Ok((tx, any))
            });
            number.await?;
        }
    }
}

impl EventReader {
    /// The same reader, for other events and from another position.
    #[must_use]
    pub fn with(self, filter: EventFilter, after: i64) -> Self {
        Self { filter, after, ..self }
    }

    /// The next events, without waiting.
    pub async fn next(&mut self) -> Result<Found, Failure> {
        self.log.catch_up(&self.tenant).await?;
        let mut tx = self.log.database.read().await?;
        let found = self.look(&mut tx).await;
        tx.rollback().await;
        Ok(found?)
    }

    /// The position that it has read up to.
    pub fn position(&self) -> i64 {
        self.after
    }

    /// Waits until there may be more.
    pub async fn something_new(&mut self) {
        // A hint and the end of the wait mean the same: read again.
        let _hint_or_not = timeout(LOOK_AGAIN, self.committed.changed()).await;
    }

    async fn look(&mut self, tx: &mut Tx) -> Result<Found, DbError> {
        let last = event_log::last_position(tx, &self.tenant).await?;
        if self.after >= last {
            return Ok(Found::End);
        }
        let EventFilter { order_id, kinds } = &self.filter;
        // One order's events are found by the order; all others are looked through piece by piece.
        let piece = if order_id.is_some() { last } else { self.after + LOOKED_THROUGH_AT_ONCE };
        let span = Span { after: self.after, up_to: piece.min(last), limit: READ_AT_ONCE };
        let events = event_log::between(tx, &self.tenant, span, order_id.as_ref(), kinds).await?;
        let is_whole = events.len() < usize::try_from(READ_AT_ONCE).expect("two hundred fit");
        self.after = match events.last() {
            Some(told) if !is_whole => told.position,
            Some(_) | None => span.up_to,
        };
        Ok(if events.is_empty() { Found::NothingHere } else { Found::Events(events) })
    }
}

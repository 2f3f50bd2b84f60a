//! Publishes the tenants' events to a broker, each once and in the order of the event log.
//!
//! ```text
//!   cursor ─▶ read ≤ 200 behind it ─▶ publish behind the stream's end ─▶ acknowledged ─▶ cursor
//! ```
//!
//! The cursor moves only over what the broker has acknowledged. If the process dies in between, the stream knows more than
//! the cursor; whoever connects next reads the stream's last message and moves the cursor up to it, so nothing is published
//! twice however long that takes. Any number of replicas may run: the stream refuses whatever does not continue it, and who
//! is refused steps back, so that one of them does the work.

use std::time::Duration;

use kit::Failure;
use storage::DbError;
use tokio_util::sync::CancellationToken;
use types::Tenant;

use super::broker::{Broker, Connection, Message, NatsError, Published};
use super::store as publications;
use crate::domain::history::Told;
use crate::ops::{Found, Orders};
use crate::wire::cloud_event;

/// Tenants of one turn; each gets one batch.
const TENANTS_AT_ONCE: i64 = 20;
/// Finds what no hint told of.
const POLL: Duration = Duration::from_secs(1);
/// A commit's events get their positions when the relay claims them, a moment after the hint.
const MOMENT: Duration = Duration::from_millis(20);
/// Another replica is at it: if it dies, this one takes over after this.
const STEP_BACK: Duration = Duration::from_secs(5);
/// The longest pause when the broker does not answer; the first is a second.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// The publisher of one process.
pub struct Publisher {
    orders: Orders,
    broker: Broker,
    link: Option<Link>,
    troubles: u32,
}

/// A connection, and the number of the stream's last message as far as this process knows.
struct Link {
    connection: Connection,
    after: u64,
}

/// What one turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The stream has everything.
    Idle,
    /// This many events were acknowledged.
    Published(usize),
    /// Another replica publishes.
    Elsewhere,
}

#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error(transparent)]
    Broker(#[from] NatsError),
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Log(#[from] Failure),
}

impl Publisher {
    pub fn new(orders: Orders, broker: Broker) -> Self {
        Self { orders, broker, link: None, troubles: 0 }
    }

    /// Runs until `shutdown`; a turn that has begun is ended.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut committed = self.orders.event_log.committed();
        while !shutdown.is_cancelled() {
            let (pause, hints) = match self.turn().await {
                Ok(Turn::Published(_)) => {
                    self.recovered();
                    continue;
                }
                Ok(Turn::Idle) => {
                    self.recovered();
                    (POLL, true)
                }
                Ok(Turn::Elsewhere) => (STEP_BACK, false),
                Err(problem) => (self.trouble(&problem), false),
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
                Ok(()) = committed.changed(), if hints => tokio::time::sleep(MOMENT).await,
            }
        }
    }

    /// Gives the broker the next batch of each tenant that is behind.
    pub async fn turn(&mut self) -> Result<Turn, PublishError> {
        // It is put back when the turn has ended well.
        let mut link = match self.link.take() {
            Some(link) if link.connection.is_up() => link,
            Some(_) | None => self.connect().await?,
        };
        let stream = self.broker.stream();
        let behind =
            self.orders.reading(async |tx| publications::behind(tx, stream, TENANTS_AT_ONCE).await).await?;
        let mut count = 0;
        for (tenant, position) in behind {
            match self.publish(&mut link, &tenant, position).await {
                Ok(published) => count += published,
                Err(PublishError::Broker(NatsError::Moved)) => return Ok(Turn::Elsewhere),
                Err(problem) => return Err(problem),
            }
        }
        self.link = Some(link);
        Ok(if count == 0 { Turn::Idle } else { Turn::Published(count) })
    }

    /// Connects, and moves the cursor over what the stream has and a dead process did not note.
    async fn connect(&self) -> Result<Link, PublishError> {
        let connection = self.broker.connect().await?;
        let end = connection.end().await?;
        if let Some(mark) = end.mark {
            let tenant = &mark.tenant;
            let ours = self
                .orders
                .reading(async |tx| publications::event_at(tx, tenant, mark.position).await)
                .await?;
            if ours.as_ref() == Some(&mark.event_id) {
                self.advance(tenant, mark.position).await?;
            } else {
                tracing::warn!(
                    stream = self.broker.stream(),
                    event_id = mark.event_id,
                    "the stream ends with an event that is not in this log; readers drop by id what comes twice"
                );
            }
        }
        Ok(Link { connection, after: end.sequence })
    }

    /// One batch of one tenant: how many events were acknowledged.
    async fn publish(&self, link: &mut Link, tenant: &Tenant, after: i64) -> Result<usize, PublishError> {
        let mut reader = self.orders.event_log.reader(tenant.clone(), after);
        let events = match reader.next().await? {
            Found::Events(events) => events,
            Found::NothingHere | Found::End => return Ok(0),
        };
        let positions: Vec<i64> = events.iter().map(|told| told.position).collect();
        let messages = events.into_iter().map(|told| message(tenant, told)).collect();
        let published = link.connection.publish(link.after, messages).await;
        let Published { acknowledged, sequence, had_some, problem } = published;
        link.after = sequence;
        let is_new = match acknowledged.checked_sub(1) {
            Some(last) => self.advance(tenant, positions[last]).await?,
            None => true,
        };
        match problem {
            Some(problem) => Err(problem.into()),
            None if had_some || !is_new => Err(NatsError::Moved.into()),
            None => Ok(acknowledged),
        }
    }

    async fn advance(&self, tenant: &Tenant, position: i64) -> Result<bool, DbError> {
        let stream = self.broker.stream();
        self.orders
            .database
            .write("advance_publication", |mut tx| async move {
                let is_new = publications::advance(&mut tx, stream, tenant, position).await?;
                Ok((tx, is_new))
            })
            .await
    }

    fn recovered(&mut self) {
        if std::mem::take(&mut self.troubles) > 0 {
            tracing::info!(stream = self.broker.stream(), "events are published again");
        }
    }

    /// Said once; the pauses grow from a second.
    fn trouble(&mut self, problem: &PublishError) -> Duration {
        if self.troubles == 0 {
            tracing::warn!(stream = self.broker.stream(), %problem, "events wait for the broker");
        } else {
            tracing::debug!(stream = self.broker.stream(), %problem, "events still wait for the broker");
        }
        self.troubles = (self.troubles + 1).min(16);
        Duration::from_secs(1 << (self.troubles - 1)).min(PAUSE_MAX)
    }
}

fn message(tenant: &Tenant, told: Told) -> Message {
    Message { tenant: tenant.clone(), position: told.position, event: cloud_event(told) }
}

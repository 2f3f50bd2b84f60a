//! Brings the outbox's events to their receivers: at least once, in order per aggregate, for as long as it takes.
//!
//! ```text
//!   wake or 1 s ─▶ one commit: note what came of the last delivery, claim the next ≤ 200
//!                  └▶ one call to the receiver ─▶ accepted | duplicate ─▶ sent
//!                                              ─▶ later ─▶ asked again after a growing pause
//!                                              ─▶ no answer ─▶ given back, and the relay itself pauses
//! ```
//!
//! Any number of relays may run on one outbox. An event whose aggregate has an earlier one claimed or delayed is left
//! alone; should two relays still race, the receiver sees a gap and answers *later*.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use types::{EventId, Tenant};

use crate::database::Database;
use crate::error::DbError;
use crate::outbox::Envelope;
use crate::record;
use crate::row::Row;
use crate::statement::Statement;
use crate::tx::Tx;
use crate::values;

/// Events of one call.
pub const BATCH: usize = 200;
/// The poll that finds what no wake-up told of: events of a crashed replica, and those whose pause has ended.
const POLL: Duration = Duration::from_secs(1);
/// A claim that is not settled by then is free for others; longer than any delivery call.
const CLAIM_MICROS: i64 = 30_000_000;
/// One event's pause: full jitter over a span that doubles from 1 s to 5 min.
const PAUSE_MICROS_MIN: i64 = 1_000_000;
const PAUSE_MICROS_MAX: i64 = 300_000_000;
/// The relay's own pause when the receiver does not answer at all. Shorter, for it delays everything.
const SILENCE_PAUSE_MAX: Duration = Duration::from_secs(30);

/// The inner query is a materialised table, because one that is run again could claim more than its limit.
static CLAIM: Statement = Statement::new(
    "storage.claim_events",
    "WITH due AS MATERIALIZED (
        SELECT o.tenant_id, o.event_id FROM outbox AS o
         WHERE o.state = 'queued' AND o.next_at <= $1 AND o.claimed_until <= $1
           AND NOT EXISTS (
               SELECT 1 FROM outbox AS e
                WHERE e.tenant_id = o.tenant_id AND e.aggregate_type = o.aggregate_type
                  AND e.aggregate_id = o.aggregate_id AND e.aggregate_seq < o.aggregate_seq AND e.state = 'queued'
                  AND (e.next_at > $1 OR e.claimed_until > $1 OR e.queued_at > o.queued_at))
         ORDER BY o.queued_at, o.aggregate_seq
         LIMIT 200 FOR UPDATE OF o SKIP LOCKED)
     UPDATE outbox SET claim_token = $2, claimed_until = $3, tries = outbox.tries + 1
       FROM due WHERE outbox.tenant_id = due.tenant_id AND outbox.event_id = due.event_id
     RETURNING outbox.tenant_id AS tenant_id, outbox.event_id AS event_id, outbox.aggregate_type AS aggregate_type,
               outbox.aggregate_id AS aggregate_id, outbox.aggregate_seq AS aggregate_seq, outbox.type AS type,
               outbox.payload AS payload, outbox.traceparent AS traceparent, outbox.created_at AS created_at,
               outbox.queued_at AS queued_at, outbox.tries AS tries",
);

static FREE: Statement = Statement::new(
    "storage.free_claimed_events",
    "UPDATE outbox SET claimed_until = 0 WHERE state = 'queued' AND claimed_until > 0",
);

/// Ends all claims. Only for a process that knows to be alone with its database, at its start: then every claim is one of
/// its own former life.
pub(crate) async fn free_claims(database: &Database) -> Result<u64, DbError> {
    database
        .write("storage.free_claimed_events", |mut tx| async move {
            let count = tx.execute(&FREE, values![]).await?;
            Ok((tx, count))
        })
        .await
}

static SENT: Statement = Statement::new(
    "storage.note_sent_events",
    "UPDATE outbox SET rows($3: tenant_id text, event_id text | state = 'sent', sent_at = $2,
       claimed_until = 0)
      AND outbox.claim_token = $1 AND outbox.state = 'queued'",
);

static GIVE_BACK: Statement = Statement::new(
    "storage.give_back_events",
    "UPDATE outbox SET rows($2: tenant_id text, event_id text | next_at bigint, claimed_until = 0)
      AND outbox.claim_token = $1 AND outbox.state = 'queued'",
);

/// What a service does with the events that a relay claims, in the commit of the claim: whatever it does is done before
/// any of them is sent. A function pointer, because a closure over a borrowed transaction can't be shown to be `Send`.
pub type OnClaim = for<'a> fn(&'a mut Tx, Vec<&'a Envelope>) -> BoxFuture<'a, Result<(), DbError>>;

/// The receiver's answer for one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delivery {
    Accepted,
    Duplicate,
    /// Not now: an earlier event is missing, or something must end first.
    Later,
}

/// Wakes a relay that runs. Cloning shares it; the relay ends with its shutdown token.
#[derive(Debug, Clone)]
pub struct Relay {
    wake: Arc<Notify>,
    task: Arc<JoinHandle<()>>,
}

impl Relay {
    /// Runs until `shutdown`. `target` makes one call for all events it is given and answers for each, in order;
    /// an error means that nobody knows what arrived, and all are sent again.
    pub fn start<T, F>(
        database: Database,
        target: T,
        source: &'static str,
        shutdown: CancellationToken,
    ) -> Self
    where
        T: Fn(Vec<Envelope>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Vec<Delivery>, String>> + Send,
    {
        Self::run(Courier::new(database, source), target, shutdown)
    }

    /// The same with a courier that was set up apart.
    pub fn run<T, F>(mut courier: Courier, target: T, shutdown: CancellationToken) -> Self
    where
        T: Fn(Vec<Envelope>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Vec<Delivery>, String>> + Send,
    {
        let source = courier.source;
        let wake = Arc::new(Notify::new());
        let woken = Arc::clone(&wake);
        let task = tokio::spawn(async move {
            while !shutdown.is_cancelled() {
                let pause = match courier.turn(&target).await {
                    Ok(Turn::Delivered(_)) => continue,
                    Ok(Turn::Idle) => POLL,
                    Ok(Turn::Silent(pause)) => pause,
                    Err(problem) => {
                        tracing::warn!(source, %problem, "the relay could not use its outbox");
                        POLL
                    }
                };
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = woken.notified() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
            if let Err(problem) = courier.note_outcomes().await {
                tracing::debug!(source, %problem, "the last deliveries will be repeated");
            }
        });
        Self { wake, task: Arc::new(task) }
    }

    /// There is something to send. Never waits, and is only a hint: the poll finds it too.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    pub fn is_running(&self) -> bool {
        !self.task.is_finished()
    }
}

/// What one turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing is due.
    Idle,
    /// This many events were given to the receiver, and it answered.
    Delivered(usize),
    /// The receiver did not answer; try again after this pause.
    Silent(Duration),
}

/// The relay without its loop: each turn is one commit and one call.
#[derive(Debug)]
pub struct Courier {
    database: Database,
    source: &'static str,
    token: String,
    outcomes: Vec<Verdict>,
    silences: u32,
    on_claim: Option<OnClaim>,
}

#[derive(Debug, Clone)]
struct Verdict {
    tenant: Tenant,
    event_id: EventId,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Sent,
    Later { tries: i64 },
    Unanswered,
}

struct Claimed {
    envelope: Envelope,
    queued_at: i64,
    tries: i64,
}

impl Courier {
    pub fn new(database: Database, source: &'static str) -> Self {
        let token = format!("{:016x}", rand::random::<u64>());
        Self { database, source, token, outcomes: Vec::new(), silences: 0, on_claim: None }
    }

    /// Has something done with the events of every claim.
    #[must_use]
    pub fn on_claim(mut self, on_claim: OnClaim) -> Self {
        self.on_claim = Some(on_claim);
        self
    }

    /// Notes what came of the last turn, claims what is due and delivers it.
    pub async fn turn<T, F>(&mut self, target: &T) -> Result<Turn, DbError>
    where
        T: Fn(Vec<Envelope>) -> F,
        F: Future<Output = Result<Vec<Delivery>, String>>,
    {
        let claimed = self.exchange().await?;
        if claimed.is_empty() {
            return Ok(Turn::Idle);
        }
        let count = claimed.len();
        let (names, envelopes): (Vec<_>, Vec<_>) = claimed
            .into_iter()
            .map(|claimed| {
                let envelope = claimed.envelope;
                ((envelope.tenant.clone(), envelope.event_id.clone(), claimed.tries), envelope)
            })
            .unzip();
        // A target that panics must not end the relay: nobody knows what arrived.
        let answer = match AssertUnwindSafe(async { target(envelopes).await }).catch_unwind().await {
            Err(_) => Err("the delivery panicked".to_owned()),
            Ok(answer) => answer,
        };
        let answer = match answer {
            Ok(deliveries) if deliveries.len() != count => {
                Err(format!("{} answers for {count} events", deliveries.len()))
            }
            other => other,
        };
        match answer {
            Ok(deliveries) => {
                self.silences = 0;
                self.outcomes = names
                    .into_iter()
                    .zip(deliveries)
                    .map(|((tenant, event_id, tries), delivery)| {
                        let outcome = match delivery {
                            Delivery::Accepted | Delivery::Duplicate => Outcome::Sent,
                            Delivery::Later => Outcome::Later { tries },
                        };
                        Verdict { tenant, event_id, outcome }
                    })
                    .collect();
                Ok(Turn::Delivered(count))
            }
            Err(problem) => {
                tracing::debug!(source = self.source, problem, count, "events were not delivered");
                self.outcomes = names
                    .into_iter()
                    .map(|(tenant, event_id, _)| Verdict { tenant, event_id, outcome: Outcome::Unanswered })
                    .collect();
                self.note_outcomes().await?;
                self.silences = (self.silences + 1).min(16);
                Ok(Turn::Silent(silence_pause(self.silences)))
            }
        }
    }

    /// Writes down what came of the last delivery. A turn does it too; this is for the end.
    pub async fn note_outcomes(&mut self) -> Result<(), DbError> {
        if self.outcomes.is_empty() {
            return Ok(());
        }
        let (token, outcomes) = (&self.token, &self.outcomes);
        self.database
            .write("relay", |mut tx| async move {
                note(&mut tx, token, outcomes).await?;
                Ok((tx, ()))
            })
            .await?;
        self.outcomes.clear();
        Ok(())
    }

    async fn exchange(&mut self) -> Result<Vec<Claimed>, DbError> {
        let (token, outcomes, source) = (&self.token, &self.outcomes, self.source);
        let on_claim = self.on_claim;
        let claimed = self
            .database
            .write("relay", |mut tx| async move {
                note(&mut tx, token, outcomes).await?;
                let claimed = claim(&mut tx, token, source).await?;
                if let Some(on_claim) = on_claim
                    && !claimed.is_empty()
                {
                    on_claim(&mut tx, claimed.iter().map(|claimed| &claimed.envelope).collect()).await?;
                }
                Ok((tx, claimed))
            })
            .await?;
        self.outcomes.clear();
        Ok(claimed)
    }
}

async fn claim(tx: &mut Tx, token: &str, source: &str) -> Result<Vec<Claimed>, DbError> {
    let now = tx.db_now().await?;
    let rows = tx.fetch_all(&CLAIM, values![now, token, now + CLAIM_MICROS]).await?;
    let mut claimed: Vec<Claimed> = rows.iter().map(|row| read(row, source)).collect::<Result<_, _>>()?;
    // RETURNING promises no order.
    claimed.sort_by_key(|claimed| (claimed.queued_at, claimed.envelope.aggregate_seq));
    Ok(claimed)
}

fn read(row: &Row, source: &str) -> Result<Claimed, DbError> {
    let envelope = Envelope {
        source: source.to_owned(),
        tenant: row.tenant()?,
        event_id: row.parsed("event_id", EventId::parse)?,
        aggregate_type: row.text("aggregate_type")?,
        aggregate_id: row.text("aggregate_id")?,
        aggregate_seq: row.int("aggregate_seq")?,
        kind: row.text("type")?,
        payload: row.bytes("payload")?,
        traceparent: row.opt_text("traceparent")?,
        occurred_at: row.timestamp("created_at")?,
    };
    Ok(Claimed { envelope, queued_at: row.int("queued_at")?, tries: row.int("tries")? })
}

async fn note(tx: &mut Tx, token: &str, outcomes: &[Verdict]) -> Result<(), DbError> {
    if outcomes.is_empty() {
        return Ok(());
    }
    let now = tx.db_now().await?;
    let (mut sent, mut given_back) = (Vec::new(), Vec::new());
    for Verdict { tenant, event_id, outcome } in outcomes {
        match outcome {
            Outcome::Sent => sent.push(record! { tenant_id: tenant, event_id: event_id.as_str() }),
            Outcome::Later { tries } => {
                given_back.push(record! {
                    tenant_id: tenant,
                    event_id: event_id.as_str(),
                    next_at: now + pause(*tries),
                });
            }
            Outcome::Unanswered => given_back.push(record! {
                tenant_id: tenant,
                event_id: event_id.as_str(),
                next_at: 0,
            }),
        }
    }
    let mut touched = 0;
    if !sent.is_empty() {
        touched += tx.execute(&SENT, values![token, now, sent]).await?;
    }
    if !given_back.is_empty() {
        touched += tx.execute(&GIVE_BACK, values![token, given_back]).await?;
    }
    if touched != outcomes.len() as u64 {
        // No error: a claim that ran out belongs to another relay, and the receiver drops what comes twice.
        tracing::warn!(touched, claimed = outcomes.len(), "some claims had run out");
    }
    Ok(())
}

fn pause(tries: i64) -> i64 {
    let doublings = u32::try_from(tries.clamp(0, 16)).unwrap_or(16);
    rand::random_range(1..=(PAUSE_MICROS_MIN << doublings).min(PAUSE_MICROS_MAX))
}

fn silence_pause(silences: u32) -> Duration {
    let span = Duration::from_secs(1 << silences.min(16)).min(SILENCE_PAUSE_MAX);
    span.mul_f64(rand::random_range(0.0..=1.0))
}

//! Webhooks of gateways: written down before the gateway is answered, worked on afterwards.
//!
//! ```text
//!   believed body ─▶ commit of the event ─▶ 200 ─▶ … ─▶ claim ─▶ fetch the payment ─▶ Command::Observed
//! ```
//!
//! An event says where to look and never what has happened, so that one that is repeated, late or out
//! of order does no harm: what is fetched is what is true now.

use std::sync::Arc;
use std::time::Duration;

use storage::{Database, DbError, Engine};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use types::{Clock, Ids, OrderId, PaymentId, Tenant, Timestamp};

use super::observer::{Look, LookError, Observer};
use crate::domain::gateway::{EventKind, GatewayEvent};
use crate::ports::gateway::Gateways;
use crate::ports::webhook::WebhookRefusal;
use crate::store::event::{self, Stamp};
use crate::store::gateway_event::{self, Progress, Received, State};

/// Waits before an event is worked on again, in microseconds: the payment it is about may not be
/// written down yet, its own call may be in flight, or the gateway may be out of reach.
const WAITS: [i64; 9] = [
    200_000,
    1_000_000,
    5_000_000,
    30_000_000,
    120_000_000,
    600_000_000,
    3_600_000_000,
    21_600_000_000,
    86_400_000_000,
];

/// An event that matches no payment after so many looks is about none of ours.
const UNMATCHED_AFTER: i64 = 4;

/// How the intake spends its time.
#[derive(Debug, Clone, Copy)]
pub struct IntakePatience {
    pub poll: Duration,
    pub claim_micros: i64,
}

#[derive(Clone)]
pub struct Intake {
    pub database: Database,
    pub gateway: Gateways,
    pub observer: Observer,
    pub clock: Clock,
    pub ids: Ids,
    pub patience: IntakePatience,
    /// Rung when an event was committed.
    pub bell: Arc<Notify>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    New,
    /// It is there already: the gateway sends until it is answered.
    Again,
}

impl Intake {
    /// Proves and reads a delivery; nothing of one that is refused is kept.
    pub fn prove(
        &self,
        tenant: &Tenant,
        gateway: &str,
        signature: &str,
        body: &[u8],
    ) -> Result<GatewayEvent, WebhookRefusal> {
        self.gateway.webhook(gateway, tenant, signature, body, self.clock.now())
    }

    /// Commits a proven event, once.
    pub async fn take(&self, tenant: &Tenant, event: GatewayEvent) -> Result<Taken, DbError> {
        let now: Timestamp = self.clock.now();
        let new = self
            .database
            .write("payment.receive_gateway_event", |mut tx| {
                let (tenant, event) = (tenant.clone(), event.clone());
                async move {
                    let new = gateway_event::receive(&mut tx, &tenant, &event, now).await?;
                    Ok((tx, new))
                }
            })
            .await?;
        self.bell.notify_one();
        Ok(if new { Taken::New } else { Taken::Again })
    }

    /// Works on what was received until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        if self.database.engine() == Engine::Sqlite
            && let Err(problem) = self.free_claims().await
        {
            tracing::warn!(%problem, "claims of the last run will time out instead");
        }
        let mut poll = tokio::time::interval(self.patience.poll);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.bell.notified() => {}
                _ = poll.tick() => {}
            }
            if let Err(problem) = self.work().await {
                tracing::warn!(%problem, "webhooks that were received wait for the database");
            }
        }
    }

    /// One look for events that are due.
    pub async fn work(&self) -> Result<usize, DbError> {
        let mut tx = self.database.read().await?;
        let due = gateway_event::anything_due(&mut tx).await?;
        tx.rollback().await;
        if !due {
            return Ok(0);
        }
        let claim_micros = self.patience.claim_micros;
        let claimed = self
            .database
            .write("payment.claim_gateway_events", |mut tx| async move {
                let claimed = gateway_event::claim(&mut tx, claim_micros).await?;
                Ok((tx, claimed))
            })
            .await?;
        futures::future::try_join_all(claimed.iter().map(|received| self.work_on(received))).await?;
        Ok(claimed.len())
    }

    async fn work_on(&self, received: &Received) -> Result<(), DbError> {
        let verdict = self.verdict(received).await?;
        let now = self.clock.now();
        self.database
            .write("payment.progress_gateway_event", |mut tx| {
                let (received, verdict, ids) = (received.clone(), verdict.clone(), self.ids.clone());
                async move {
                    let progress = verdict.progress(&received, tx.db_now().await?);
                    let written = gateway_event::progress(&mut tx, &received, &progress).await?;
                    if written == 1 && progress.state == State::Unmatched {
                        event::append_unmatched(&mut tx, &received, &Stamp { ids: &ids, now }).await?;
                    }
                    Ok((tx, ()))
                }
            })
            .await
    }

    async fn verdict(&self, received: &Received) -> Result<Verdict, DbError> {
        if received.event.kind == EventKind::Other {
            return Ok(Verdict::Ended(State::Done, "it concerns no money of ours".to_owned()));
        }
        let mut tx = self.database.read().await?;
        let found = gateway_event::payment_of(&mut tx, &received.tenant, &received.event).await;
        tx.rollback().await;
        let Some((order_id, payment_id)) = found? else {
            let detail = "it is about no payment of ours".to_owned();
            return Ok(if received.tries + 1 < UNMATCHED_AFTER {
                Verdict::Again(detail)
            } else {
                Verdict::Ended(State::Unmatched, detail)
            });
        };
        match self.observer.look(&received.tenant, &order_id, &payment_id).await {
            Ok(Look::Done { .. }) => Ok(Verdict::Ended(State::Done, String::new())),
            Ok(Look::Nothing) => {
                Ok(Verdict::Ended(State::Unmatched, "no gateway moves this payment's money".to_owned()))
            }
            Ok(Look::Later) => Ok(Verdict::Again("a call of ours is in flight".to_owned())),
            Err(LookError::Unanswered(problem)) => {
                self.unanswered(received, (&order_id, &payment_id), &problem.to_string()).await
            }
            Err(LookError::Write(problem)) => Ok(Verdict::Again(problem.to_string())),
            Err(LookError::Database(problem)) => Err(problem),
        }
    }

    /// A person is told when the last look has failed: the books may be behind the gateway's.
    async fn unanswered(
        &self,
        received: &Received,
        (order_id, payment_id): (&OrderId, &PaymentId),
        problem: &str,
    ) -> Result<Verdict, DbError> {
        if usize::try_from(received.tries + 1).is_ok_and(|tries| tries < WAITS.len()) {
            return Ok(Verdict::Again(problem.to_owned()));
        }
        match self.observer.give_up(&received.tenant, order_id, payment_id, problem).await {
            Ok(()) => Ok(Verdict::Ended(State::Failed, problem.to_owned())),
            Err(failed) => Ok(Verdict::Again(failed.to_string())),
        }
    }

    async fn free_claims(&self) -> Result<u64, DbError> {
        self.database
            .write("payment.free_gateway_events", |mut tx| async move {
                let freed = gateway_event::free_all(&mut tx).await?;
                Ok((tx, freed))
            })
            .await
    }
}

#[derive(Debug, Clone)]
enum Verdict {
    Ended(State, String),
    Again(String),
}

impl Verdict {
    /// Retries are bounded: after the last wait the event has failed, whatever held it up.
    fn progress(&self, received: &Received, db_now: i64) -> Progress {
        let tries = received.tries + 1;
        match self {
            Self::Ended(state, detail) => {
                Progress { state: *state, detail: detail.clone(), tries, next_at: 0 }
            }
            Self::Again(detail) => {
                let wait = usize::try_from(received.tries).ok().and_then(|tries| WAITS.get(tries));
                let (state, next_at) = match wait {
                    Some(wait) => (State::Received, db_now + wait),
                    None => (State::Failed, 0),
                };
                Progress { state, detail: detail.clone(), tries, next_at }
            }
        }
    }
}

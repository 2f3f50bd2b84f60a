//! Carries out what was committed at the gateway, outside of every transaction, and brings the
//! answers back as commands of their own.
//!
//! ```text
//!   committed task ─▶ call ≤ limit ─▶ answer ─▶ Command::Answered
//!   due row (a crash, a lost answer, a pending refund) ─▶ query; only what never arrived is sent again,
//!                                     and only to a gateway that would know it if it had (see resend)
//!   notice of a late change ─▶ Command::Answered ─▶ heard
//! ```
//!
//! The same key goes with every attempt of every replica, so nothing here can make a second effect;
//! a claim only spares the gateway double questions.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use storage::{Database, DbError, Engine, WriteError, Writer};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use types::Tenant;

use super::batch::PaymentBatch;
use super::command::{Answered, Command, Observed, Report};
use super::resend::{Resend, Verdict};
use crate::domain::gateway::{Answer, Effect, Reading, Subject, Task};
use crate::ports::gateway::{Gateways, Notice};
use crate::store::{account, claim, read};

/// Claims of one look; what is left is found by the next.
const CLAIMS_MAX: usize = 16;

/// How the worker spends its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For one call of the gateway.
    pub call: Duration,
    /// Between looks for what no committed task told of.
    pub poll: Duration,
    /// How long claimed work stays this process's.
    pub claim_micros: i64,
    /// Calls in flight at once.
    pub concurrency: usize,
}

#[derive(Clone)]
pub struct Worker {
    pub database: Database,
    pub gateway: Gateways,
    pub writer: Writer<PaymentBatch>,
    pub patience: Patience,
    pub resend: Resend,
}

impl Worker {
    /// Runs until `shutdown`; then the calls in flight are finished, which takes at most one limit.
    pub async fn run(self, mut tasks: mpsc::Receiver<(Tenant, Task)>, shutdown: CancellationToken) {
        let worker = Arc::new(self);
        worker.take_over().await;
        let mut calls = JoinSet::new();
        let mut poll = tokio::time::interval(worker.patience.poll);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let room = calls.len() < worker.patience.concurrency;
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(ended) = calls.join_next(), if !calls.is_empty() => report(ended),
                Some((tenant, task)) = tasks.recv(), if room => {
                    let worker = Arc::clone(&worker);
                    calls.spawn(async move { worker.carry_out(&tenant, &task).await });
                }
                _ = poll.tick(), if room => {
                    let worker = Arc::clone(&worker);
                    // Looks may overlap when a gateway hangs: claims keep them apart.
                    calls.spawn(async move { worker.look().await });
                }
            }
        }
        while let Some(ended) = calls.join_next().await {
            report(ended);
        }
    }

    /// An embedded database has one process, so every claim in it is one of our own former life:
    /// what was under way then is taken up at once.
    async fn take_over(&self) {
        if self.database.engine() != Engine::Sqlite {
            return;
        }
        let freed = self
            .database
            .write("payment.free_claims", |mut tx| async move {
                let freed = claim::free_all(&mut tx).await?;
                Ok((tx, freed))
            })
            .await;
        match freed {
            Ok(0) => {}
            Ok(freed) => tracing::info!(freed, "taking up gateway calls that were under way"),
            Err(problem) => tracing::warn!(%problem, "claims of the last run will time out instead"),
        }
    }

    /// A task that was committed a moment ago and has never been sent.
    pub async fn carry_out(&self, tenant: &Tenant, task: &Task) {
        if task.effect == Effect::Read {
            return self.read(tenant, task).await;
        }
        let key = task.subject.key();
        let span = tracing::info_span!("gateway", effect = task.effect.as_str(), key, %tenant);
        let answer = self.limited(self.gateway.call(tenant, task)).instrument(span).await;
        self.bring(tenant, task, answer).await;
    }

    /// A task that may have been sent before: asked about first.
    async fn resolve(&self, tenant: &Tenant, task: &Task) {
        if task.effect == Effect::Read {
            return self.read(tenant, task).await;
        }
        let known = tokio::time::timeout(self.patience.call, self.gateway.query(tenant, task)).await;
        match known {
            Ok(Some(answer)) => self.bring(tenant, task, answer).await,
            Ok(None) => self.send_again(tenant, task).await,
            Err(_) => self.bring(tenant, task, no_answer()).await,
        }
    }

    /// Reading changes nothing there, so it is done as often as it takes.
    async fn read(&self, tenant: &Tenant, task: &Task) {
        let key = task.subject.key();
        let span = tracing::info_span!("gateway", effect = task.effect.as_str(), key, %tenant);
        let read = self.gateway.read(tenant, &task.gateway, &task.token);
        let read = tokio::time::timeout(self.patience.call, read);
        let silence = |_| Reading::Silent { detail: "the gateway did not answer in time".to_owned() };
        let reading = read.instrument(span).await.unwrap_or_else(silence);
        if let Err(problem) = self.bring_reading(tenant, task, reading).await {
            // The row stays claimed; when the claim ends, it is read again.
            tracing::warn!(%problem, key, "what a gateway showed was not recorded");
        }
    }

    async fn bring_reading(&self, tenant: &Tenant, task: &Task, reading: Reading) -> Result<(), WriteError> {
        let order = (tenant.clone(), task.order_id.clone());
        let mut tx = self.database.read().await?;
        let accounts = account::read(&mut tx, &[order].into()).await;
        tx.rollback().await;
        let waiting = accounts?.into_values().map(|account| account.waiting_for(&task.payment_id));
        let observed = Observed {
            tenant: tenant.clone(),
            order_id: task.order_id.clone(),
            payment_id: task.payment_id.clone(),
            saga_ids: waiting.flatten().collect(),
            report: Report::Read { gateway: task.gateway.clone(), reading },
        };
        self.writer.submit(Command::Observed(observed)).await.map(drop)
    }

    /// The gateway knows nothing of the key. The same key goes for the first time, as far as anybody
    /// can tell, unless the gateway's memory is not good enough to rely on that.
    async fn send_again(&self, tenant: &Tenant, task: &Task) {
        let capabilities = self.gateway.capabilities(&task.gateway);
        match capabilities.map(|capabilities| self.resend.judge(tenant, task, capabilities)) {
            Some(Verdict::Send) | None => self.carry_out(tenant, task).await,
            Some(Verdict::Ask(why)) => {
                self.bring(tenant, task, Answer::Unknown { detail: why.to_owned() }).await;
            }
        }
    }

    async fn limited(&self, call: impl Future<Output = Answer>) -> Answer {
        tokio::time::timeout(self.patience.call, call).await.unwrap_or_else(|_| no_answer())
    }

    async fn bring(&self, tenant: &Tenant, task: &Task, answer: Answer) {
        let answered = Answered {
            tenant: tenant.clone(),
            order_id: task.order_id.clone(),
            subject: task.subject.clone(),
            saga_id: task.saga_id.clone(),
            answer,
        };
        if let Err(problem) = self.writer.submit(Command::Answered(answered)).await {
            // The row stays claimed; when the claim ends, it is asked about again.
            tracing::warn!(%problem, key = task.subject.key(), "a gateway's answer was not recorded");
        }
    }

    /// One look for due rows and notices.
    pub async fn look(&self) {
        let outcome = futures::future::join(self.resolve_backlog(), self.take_notices()).await;
        for problem in [outcome.0.err(), outcome.1.err()].into_iter().flatten() {
            tracing::warn!(%problem, "the worker could not look for work");
        }
    }

    /// After an outage more is due than one claim takes.
    async fn resolve_backlog(&self) -> Result<(), DbError> {
        for _ in 0..CLAIMS_MAX {
            if self.resolve_due().await? < claim::LIMIT {
                break;
            }
        }
        Ok(())
    }

    /// Resolves what one claim takes, and tells how much that was.
    async fn resolve_due(&self) -> Result<usize, DbError> {
        let mut tx = self.database.read().await?;
        let due = claim::anything_due(&mut tx).await?;
        tx.rollback().await;
        if !due {
            return Ok(0);
        }
        let claim_micros = self.patience.claim_micros;
        let work = self
            .database
            .write("payment.claim", |mut tx| async move {
                let claimed = claim::claim(&mut tx, claim_micros).await?;
                let orders: BTreeSet<_> = claimed.iter().map(|(key, _)| key.clone()).collect();
                let accounts = account::read(&mut tx, &orders).await?;
                let work: Vec<_> = claimed
                    .into_iter()
                    .filter_map(|(key, subject)| {
                        let task = accounts.get(&key)?.task_for(&subject)?;
                        Some((key.0, task))
                    })
                    .collect();
                Ok((tx, work))
            })
            .await?;
        let calls = work.iter().map(|(tenant, task)| self.resolve(tenant, task));
        futures::future::join_all(calls).await;
        Ok(work.len())
    }

    async fn take_notices(&self) -> Result<(), DbError> {
        let notices = self.gateway.notices().await?;
        let taken = notices.iter().map(|notice| self.take_notice(notice));
        futures::future::try_join_all(taken).await?;
        Ok(())
    }

    async fn take_notice(&self, notice: &Notice) -> Result<(), DbError> {
        let mut tx = self.database.read().await?;
        let found = read::find_refund(&mut tx, &notice.tenant, &notice.refund_id).await?;
        tx.rollback().await;
        let Some(found) = found else {
            tracing::warn!(refund_id = %notice.refund_id, "the gateway tells of a refund that is not ours");
            return self.gateway.heard(notice).await;
        };
        let answered = Answered {
            tenant: notice.tenant.clone(),
            order_id: found.order_id,
            subject: Subject::Refund(notice.refund_id.clone()),
            saga_id: Some(found.refund.saga_id),
            answer: notice.answer.clone(),
        };
        match self.writer.submit(Command::Answered(answered)).await {
            Ok(_) => self.gateway.heard(notice).await,
            Err(problem) => {
                tracing::warn!(%problem, refund_id = %notice.refund_id, "a notice will be taken later");
                Ok(())
            }
        }
    }
}

fn no_answer() -> Answer {
    Answer::Unknown { detail: "the gateway did not answer in time".to_owned() }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(problem) = ended {
        tracing::error!(%problem, "a gateway call ended badly; its row will be asked about again");
    }
}

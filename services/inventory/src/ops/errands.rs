//! Asks carriers and partners what was committed, outside of every transaction, and brings their answers back as
//! commands of their own.
//!
//! ```text
//!   commit rings ─▶ claim what is due ─▶ call ≤ limit ─▶ Command::Errand ─▶ decided with the end of the waiting step
//!   poll (a crash, a lost answer, a deadline) ─┘
//! ```
//!
//! The same key goes with every attempt of every replica, so nothing here can make a second effect; a claim only
//! spares others double questions.

use std::sync::Arc;
use std::time::Duration;

use storage::{Database, DbError};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use types::{Clock, OrderId, PartnerTaskId, Tenant};

use super::command::{Errand, Said};
use super::inventory::Inventory;
use crate::domain::{CarrierAnswer, Goods, Integrations, PartnerAnswer};
use crate::ports::carrier::Carrier;
use crate::ports::connector::Partners;
use crate::store::errands::{self, Due};
use crate::store::{goods, integrations};

/// Claims of one look; what is left is found by the next.
const CLAIMS_MAX: usize = 16;

/// How the worker spends its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For one call of a carrier; a partner's profile has its own.
    pub call: Duration,
    /// Between looks for what no commit told of.
    pub poll: Duration,
    /// How long claimed work stays this process's: longer than any call.
    pub claim: Duration,
}

#[derive(Clone)]
pub struct Worker {
    pub database: Database,
    pub inventory: Inventory,
    pub carrier: Carrier,
    pub partners: Partners,
    pub clock: Clock,
    pub patience: Patience,
}

/// One thing to ask, with what it takes to ask it.
struct Work {
    tenant: Tenant,
    order_id: OrderId,
    due: Due,
    goods: Goods,
    integrations: Integrations,
}

impl Worker {
    /// Runs until `shutdown`. What is under way then is taken up after the next start, when its claim has ended.
    pub async fn run(self, bell: Arc<Notify>, shutdown: CancellationToken) {
        let mut poll = tokio::time::interval(self.patience.poll);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = bell.notified() => {}
                _ = poll.tick() => {}
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                looked = self.look() => {
                    if let Err(problem) = looked {
                        tracing::warn!(%problem, "the worker could not look for errands");
                    }
                }
            }
        }
    }

    /// One look for what is due. After an outage more is due than one claim takes.
    pub async fn look(&self) -> Result<(), DbError> {
        for _ in 0..CLAIMS_MAX {
            if self.run_due().await? < errands::LIMIT {
                break;
            }
        }
        Ok(())
    }

    async fn run_due(&self) -> Result<usize, DbError> {
        let now = self.clock.now();
        let mut tx = self.database.read().await?;
        let due = errands::anything_due(&mut tx, now.unix_micros()).await?;
        tx.rollback().await;
        if !due {
            return Ok(0);
        }
        let until = now.plus(self.patience.claim).unix_micros();
        let claimed = self
            .database
            .write("inventory.claim_errands", |mut tx| async move {
                let claimed = errands::claim(&mut tx, now.unix_micros(), until).await?;
                Ok((tx, claimed))
            })
            .await?;
        let count = claimed.len();
        let mut work = Vec::with_capacity(count);
        for ((tenant, order_id), due) in claimed {
            let mut tx = self.database.read().await?;
            let goods = goods::read(&mut tx, &tenant, &order_id).await?;
            let integrations =
                integrations::read_all(&mut tx, &[tenant.clone()].into()).await?.remove(&tenant);
            tx.rollback().await;
            if let (Some(goods), Some(integrations)) = (goods, integrations) {
                work.push(Work { tenant, order_id, due, goods, integrations });
            }
        }
        futures::future::join_all(work.into_iter().map(|work| self.run_errand(work))).await;
        Ok(count)
    }

    async fn run_errand(&self, work: Work) {
        let (saga_id, said) = match &work.due {
            Due::Label(id) => {
                let Some(label) = work.goods.labels.get(id) else { return };
                let asked = self.carrier.void(&work.tenant, id, label);
                let answer = tokio::time::timeout(self.patience.call, asked).await;
                let answer = answer.unwrap_or(CarrierAnswer::Later);
                let voider = label.voider.as_ref().filter(|voider| voider.step == "void_labels");
                (voider.map(|voider| voider.by.clone()), Said::Carrier { label_id: id.clone(), answer })
            }
            Due::Task(id) => {
                let Some(task) = work.goods.tasks.get(id) else { return };
                let answer = self.ask_partner(&work, id).await;
                (task.waiting_saga().map(str::to_owned), Said::Partner { task_id: id.clone(), answer })
            }
        };
        let errand = Errand { tenant: work.tenant, order_id: work.order_id, saga_id, said };
        if let Err(problem) = self.inventory.errand(errand).await {
            // The row stays claimed; when the claim ends, it is asked about again.
            tracing::warn!(%problem, "an answer was not recorded");
        }
    }

    /// The window is judged here, where the request is sent.
    async fn ask_partner(&self, work: &Work, id: &PartnerTaskId) -> PartnerAnswer {
        let task = &work.goods.tasks[id];
        let connector = work.integrations.of(&task.integration).connector.as_ref();
        match connector.filter(|_| work.goods.may_send(id, &work.integrations, self.clock.now())) {
            Some(connector) => self.partners.stop(&work.tenant, connector, &work.order_id, id, task).await,
            None => PartnerAnswer::NotSent,
        }
    }
}

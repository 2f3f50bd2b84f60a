//! The worker's loops: claim what is due, take what is handed over, renew what is held.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::held::Held;
use super::{Doorbell, Owner, RunnerConfig, turn};
use crate::registry::Registry;
use crate::store;

pub(super) struct Worker<O: Owner> {
    pub(super) owner: Arc<O>,
    pub(super) ports: Arc<O::Ports>,
    pub(super) registry: Arc<Registry<O::Ports, O::Books>>,
    pub(super) config: RunnerConfig,
    pub(super) bell: Doorbell,
    pub(super) shutdown: CancellationToken,
    pub(super) held: Arc<Held>,
    room: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl<O: Owner> Worker<O> {
    pub(super) fn new(
        owner: Arc<O>,
        ports: Arc<O::Ports>,
        registry: Arc<Registry<O::Ports, O::Books>>,
        config: RunnerConfig,
        bell: Doorbell,
        shutdown: CancellationToken,
    ) -> Self {
        let room = Arc::new(Semaphore::new(config.concurrency));
        let (held, tasks) = (Arc::default(), TaskTracker::new());
        Self { owner, ports, registry, config, bell, shutdown, held, room, tasks }
    }
}

pub(super) fn start<O: Owner>(worker: &Arc<Worker<O>>) {
    worker.tasks.spawn(claim_loop(Arc::clone(worker)));
    worker.tasks.spawn(hand_over_loop(Arc::clone(worker)));
    worker.tasks.spawn(renew_loop(Arc::clone(worker)));
}

pub(super) async fn stopped<O: Owner>(worker: &Worker<O>) {
    worker.shutdown.cancelled().await;
    worker.tasks.close();
    worker.tasks.wait().await;
    let held = worker.held.older_than(std::time::Duration::ZERO);
    if held.is_empty() {
        return;
    }
    match store::let_go(worker.owner.database(), &held).await {
        Ok(count) => tracing::info!(count, "gave the leases up"),
        Err(problem) => tracing::warn!(%problem, "could not give the leases up; they run out by themselves"),
    }
}

async fn claim_loop<O: Owner>(worker: Arc<Worker<O>>) {
    while !worker.shutdown.is_cancelled() {
        let Some(permits) = free_permits(&worker).await else { return };
        let wanted = permits.len();
        if claim_once(&worker, permits).await == wanted {
            continue;
        }
        let pause = worker.config.poll.mul_f64(rand::random_range(0.9..=1.1));
        tokio::select! {
            () = worker.shutdown.cancelled() => return,
            () = worker.bell.ring.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Room for at least one saga and at most a batch; `None` on shutdown.
async fn free_permits<O: Owner>(worker: &Worker<O>) -> Option<Vec<OwnedSemaphorePermit>> {
    let first = room(worker).await?;
    let more =
        (1..worker.config.claim_batch).map_while(|_| Arc::clone(&worker.room).try_acquire_owned().ok());
    Some(std::iter::once(first).chain(more).collect())
}

async fn room<O: Owner>(worker: &Worker<O>) -> Option<OwnedSemaphorePermit> {
    tokio::select! {
        permit = Arc::clone(&worker.room).acquire_owned() => permit.ok(),
        () = worker.shutdown.cancelled() => None,
    }
}

/// Claims as many sagas as there are permits and starts them. Returns how many were due.
async fn claim_once<O: Owner>(worker: &Arc<Worker<O>>, permits: Vec<OwnedSemaphorePermit>) -> usize {
    let claimed = store::claim(worker.owner.database(), &worker.config.grant(), permits.len()).await;
    let claimed = match claimed {
        Ok(claimed) => claimed,
        Err(problem) => {
            tracing::warn!(%problem, "could not claim sagas");
            return 0;
        }
    };
    let (now, began) = (claimed.now, claimed.began);
    for (record, permit) in claimed.records.into_iter().zip(permits) {
        let worker_of_task = Arc::clone(worker);
        worker.tasks.spawn(async move {
            turn::begin(&worker_of_task, record, now, began).await;
            drop(permit);
        });
    }
    claimed.count
}

async fn hand_over_loop<O: Owner>(worker: Arc<Worker<O>>) {
    let mut queue = tokio::select! {
        queue = worker.bell.queue.lock() => queue,
        () = worker.shutdown.cancelled() => return,
    };
    loop {
        let Some(permit) = room(&worker).await else { return };
        let image = tokio::select! {
            image = queue.recv() => image,
            () = worker.shutdown.cancelled() => return,
        };
        let Some(image) = image else { return };
        let worker_of_task = Arc::clone(&worker);
        worker.tasks.spawn(async move {
            turn::run(&worker_of_task, image).await;
            drop(permit);
        });
    }
}

async fn renew_loop<O: Owner>(worker: Arc<Worker<O>>) {
    let mut ticks = tokio::time::interval(worker.config.margin());
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = worker.shutdown.cancelled() => return,
            _ = ticks.tick() => renew_once(&worker).await,
        }
    }
}

async fn renew_once<O: Owner>(worker: &Worker<O>) {
    let due = worker.held.older_than(worker.config.renew_after());
    if due.is_empty() {
        return;
    }
    let began = Instant::now();
    match store::renew(worker.owner.database(), &worker.config.grant(), &due).await {
        Ok(ours) => {
            for (key, epoch) in &due {
                if ours.contains(key) {
                    worker.held.renewed(key, *epoch, began);
                } else {
                    worker.held.lost(key, *epoch);
                }
            }
        }
        Err(problem) => tracing::warn!(%problem, "could not renew leases"),
    }
}

//! Runs sagas: claims the due ones, asks participants, and has the owner commit what it heard.
//!
//! ```text
//!   accepted here ── hand_over ──┐
//!   due in the database ─ claim ─┴─▶ turn: ask · commit ──▶ turn ──▶ … ──▶ over, parked or lost
//!                                        ▲
//!                            renewals keep the lease while a call is out
//! ```
//!
//! The database's clock alone judges a lease. This process only measures how long ago it began the
//! renewal that was last confirmed, and stops by itself well before the end.

mod ask;
mod held;
mod turn;
mod work;

use std::sync::Arc;
use std::time::Duration;

use storage::Database;
use tokio::sync::{Mutex, Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::Span;

use crate::advance::Advance;
use crate::books::{Books, LeaseLost, SagaImage};
use crate::registry::Registry;
use crate::row::Lease;
use work::Worker;

/// Who owns the database in which the sagas live: it writes every round, with its own rows, in one
/// commit (see [`Registry::apply`]).
pub trait Owner: Send + Sync + 'static {
    type Ports: Send + Sync + 'static;
    type Books: Books + 'static;

    fn database(&self) -> &Database;

    fn commit(&self, advance: Advance) -> impl Future<Output = Result<SagaImage, CommitError>> + Send;
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    #[error(transparent)]
    LeaseLost(#[from] LeaseLost),
    /// It may have been written or not: the same round may be committed again.
    #[error("the round could not be committed: {0}")]
    Unknown(String),
}

#[derive(Clone, Debug)]
pub struct RunnerConfig {
    /// The name of this process in the lease; the epoch, not the name, is the fence.
    pub worker: String,
    pub lease: Duration,
    pub poll: Duration,
    /// Sagas run at once.
    pub concurrency: usize,
    pub claim_batch: usize,
    /// Sagas handed over and not yet begun; more than that are left to the claim after their lease.
    pub waiting_max: usize,
    /// The longest pause between two askings in one go.
    pub inline_pause_max: Duration,
    /// Makes a span the child of the trace that started the saga.
    pub continue_trace: fn(&Span, &str),
}

impl RunnerConfig {
    pub fn new(worker: impl Into<String>) -> Self {
        Self {
            worker: worker.into(),
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            concurrency: 256,
            claim_batch: 32,
            waiting_max: 4096,
            inline_pause_max: Duration::from_secs(1),
            continue_trace: |_, _| {},
        }
    }

    /// The lease that a saga gets when it is accepted here and handed over.
    pub fn grant(&self) -> Lease {
        Lease { owner: self.worker.clone(), length: self.lease }
    }

    /// A renewal is due after a third of the lease.
    fn renew_after(&self) -> Duration {
        self.lease / 3
    }

    /// No call begins later than this after the last confirmed renewal began.
    fn stop_after(&self) -> Duration {
        self.lease * 2 / 3
    }

    /// Every call is over this long before the lease ends.
    fn margin(&self) -> Duration {
        self.lease / 6
    }
}

/// How the owner's commits reach the runner. It is made first, because the owner is made before the
/// runner that needs it.
#[derive(Clone)]
pub struct Doorbell {
    accepted: mpsc::Sender<SagaImage>,
    queue: Arc<Mutex<mpsc::Receiver<SagaImage>>>,
    ring: Arc<Notify>,
}

impl Doorbell {
    pub fn new(config: &RunnerConfig) -> Self {
        let (accepted, queue) = mpsc::channel(config.waiting_max);
        Self { accepted, queue: Arc::new(Mutex::new(queue)), ring: Arc::new(Notify::new()) }
    }

    /// Gives a saga that was just accepted here, with our lease, to the runner. When too many wait it
    /// is left to the claim, after its lease has ended.
    pub fn hand_over(&self, image: SagaImage) {
        if let Err(refused) = self.accepted.try_send(image) {
            let (mpsc::error::TrySendError::Full(image) | mpsc::error::TrySendError::Closed(image)) = refused;
            tracing::warn!(saga_id = %image.row.key.id, "the runner is full; the saga waits for a claim");
        }
    }

    /// Says that a saga may be due before the next poll.
    pub fn wake(&self) {
        self.ring.notify_one();
    }
}

/// A running worker. Dropping it stops nothing; the shutdown token does.
pub struct Runner<O: Owner> {
    worker: Arc<Worker<O>>,
    bell: Doorbell,
}

impl<O: Owner> Runner<O> {
    pub fn start(
        owner: Arc<O>,
        ports: Arc<O::Ports>,
        registry: Arc<Registry<O::Ports, O::Books>>,
        config: RunnerConfig,
        bell: Doorbell,
        shutdown: CancellationToken,
    ) -> Self {
        let worker = Arc::new(Worker::new(owner, ports, registry, config, bell.clone(), shutdown));
        work::start(&worker);
        Self { worker, bell }
    }

    pub fn hand_over(&self, image: SagaImage) {
        self.bell.hand_over(image);
    }

    pub fn wake(&self) {
        self.bell.wake();
    }

    /// Waits until every turn has ended after the shutdown, and gives the leases up so that another
    /// worker goes on at once.
    pub async fn stopped(&self) {
        work::stopped(&self.worker).await;
    }
}

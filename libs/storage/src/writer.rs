//! Group commit: commands that arrive together are decided one by one and written by one transaction.
//!
//! ```text
//!   submit ─▶ queue ≤ 4,096 ─▶ batch ≤ 256, one command a key ─▶ begin · decide · commit ─▶ replies
//!                                  ▲                                   │
//!                                  └── the same key again: next batch  ├─ lost a race: again, ≤ 3 times
//!                                                                      ├─ commit in doubt: OutcomeUnknown to all
//!                                                                      ├─ database unwell: the same error to all
//!                                                                      └─ anything else: each command alone
//! ```
//!
//! A lone command never waits: it is a batch of one. Only after a batch that had company does the next one gather, for half
//! as long as that one took, because what it costs to run a statement is shared by its rows. The loop is a task of its
//! own, so a caller that goes away leaves nothing half done.

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tracing::{Instrument, Span};

use crate::database::Database;
use crate::error::DbError;
use crate::tx::Tx;

mod attempt;

/// Commands of one transaction.
pub const BATCH: usize = 256;
/// Commands that wait; the next one is refused at once, which is kinder than an answer nobody waits for any more.
pub const QUEUE: usize = 4_096;
/// A slow database makes nobody wait longer than this for company.
const GATHERING_MAX: Duration = Duration::from_millis(8);

/// What a service decides in one transaction.
pub trait Batch: Send + Sync + 'static {
    type Command: Send + Sync + 'static;
    type Reply: Send + 'static;

    /// Commands with the same key meet the same rows, such as one order's. They never share a batch, so each is decided
    /// on what the one before it has committed.
    fn key(command: &Self::Command) -> String;

    /// Reads, decides and writes; begin and commit are done by the writer. Gives one reply per command, in order. It is
    /// run again after a lost race, so it must not keep anything outside of the transaction.
    fn decide(
        &self,
        tx: &mut Tx,
        commands: &[Self::Command],
    ) -> impl Future<Output = Result<Vec<Self::Reply>, DbError>> + Send;

    /// After the commit and before the replies: wake relays and watchers.
    fn committed(&self, _commands: &[Self::Command], _replies: &[Self::Reply]) {}
}

/// Why a command has no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The connection was lost during the commit. Only a repeat with the same key can tell.
    #[error("the outcome of the commit is unknown")]
    OutcomeUnknown,
    #[error("too many commands are waiting")]
    Overloaded,
    #[error(transparent)]
    Failed(#[from] DbError),
    #[error("the writer has stopped")]
    Stopped,
}

/// The one writer of a service's process. Cloning shares it.
pub struct Writer<B: Batch> {
    queue: Arc<Mutex<Option<mpsc::UnboundedSender<Job<B>>>>>,
    room: Arc<Semaphore>,
    ended: watch::Receiver<()>,
}

struct Job<B: Batch> {
    key: String,
    command: B::Command,
    reply: oneshot::Sender<Result<B::Reply, WriteError>>,
    /// Of the caller: the batch's span links to those of all its commands.
    span: Span,
    /// Given back when the command is answered.
    room: OwnedSemaphorePermit,
}

impl<B: Batch> Clone for Writer<B> {
    fn clone(&self) -> Self {
        Self { queue: Arc::clone(&self.queue), room: Arc::clone(&self.room), ended: self.ended.clone() }
    }
}

impl<B: Batch> Writer<B> {
    pub fn start(database: Database, batch: Arc<B>) -> Self {
        let (queue, jobs) = mpsc::unbounded_channel();
        let (running, ended) = watch::channel(());
        tokio::spawn(async move {
            work(&database, &*batch, jobs).await;
            drop(running);
        });
        Self { queue: Arc::new(Mutex::new(Some(queue))), room: Arc::new(Semaphore::new(QUEUE)), ended }
    }

    /// Queues a command and waits for its reply. Dropping the wait does not take the command back.
    pub async fn submit(&self, command: B::Command) -> Result<B::Reply, WriteError> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| WriteError::Overloaded)?;
        let (reply, answer) = oneshot::channel();
        let job = Job { key: B::key(&command), command, reply, span: Span::current(), room };
        self.enqueue(job)?;
        answer.await.map_err(|_| WriteError::Stopped)?
    }

    fn enqueue(&self, job: Job<B>) -> Result<(), WriteError> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queue.as_ref().ok_or(WriteError::Stopped)?;
        queue.send(job).map_err(|_| WriteError::Stopped)
    }

    /// Takes no more commands, and waits until those that are queued are answered.
    pub async fn drain(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Nothing is ever sent; the wait ends when the loop drops its end.
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }
}

async fn work<B: Batch>(database: &Database, batch: &B, mut jobs: mpsc::UnboundedReceiver<Job<B>>) {
    let mut waiting = VecDeque::new();
    let mut gathering = Duration::ZERO;
    loop {
        if waiting.is_empty() {
            match jobs.recv().await {
                Some(job) => waiting.push_back(job),
                None => return,
            }
        }
        if !gathering.is_zero() {
            tokio::time::sleep(gathering).await;
        }
        while let Ok(job) = jobs.try_recv() {
            waiting.push_back(job);
        }
        let taken = take(&mut waiting);
        let size = taken.len();
        let span = tracing::debug_span!("group_commit", size);
        for job in &taken {
            span.follows_from(&job.span);
        }
        let began = std::time::Instant::now();
        let (commands, replies): (Vec<_>, Vec<_>) =
            taken.into_iter().map(|job| (job.command, (job.reply, job.room))).unzip();
        let results = attempt::commit(database, batch, &commands).instrument(span).await;
        for ((reply, room), result) in replies.into_iter().zip(results) {
            drop(room);
            // A caller that has gone away does not want its reply.
            drop(reply.send(result));
        }
        gathering = if size > 1 { (began.elapsed() / 2).min(GATHERING_MAX) } else { Duration::ZERO };
        tracing::debug!(size, waiting = waiting.len(), micros = began.elapsed().as_micros(), "group commit");
    }
}

/// The next batch: in order of arrival, at most one command a key. What is left keeps its order.
fn take<B: Batch>(waiting: &mut VecDeque<Job<B>>) -> Vec<Job<B>> {
    let mut keys = HashSet::new();
    let mut taken = Vec::new();
    let mut left = VecDeque::new();
    while let Some(job) = waiting.pop_front() {
        if taken.len() < BATCH && keys.insert(job.key.clone()) {
            taken.push(job);
        } else {
            left.push_back(job);
        }
    }
    *waiting = left;
    taken
}

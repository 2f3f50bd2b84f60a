//! The builder of a saga's table. Its stages are types, so that a step without an undo before the
//! pivot and a reversible step after it do not compile:
//!
//! ```
//! use std::sync::Arc;
//! use saga::{Answer, Call, Definition, LocalError, Log, Retry, SagaRow, Version, alone, undo};
//!
//! struct Ports;
//! struct Books;
//! async fn take(_: Arc<Ports>, _: Call) -> Answer { Answer::NothingToDo }
//! async fn put_back(_: Arc<Ports>, _: Call) -> Answer { Answer::NothingToDo }
//! fn local(_: &mut Books, _: &SagaRow, _: &Log) -> Result<Vec<u8>, LocalError> { Ok(vec![]) }
//!
//! let definition: Definition<Ports, Books> = Definition::new("borrow", Version(1))
//!     .reversible("take", take, undo(put_back), Retry::quick())
//!     .pivot("decide", local)
//!     .forward("keep", take, alone())
//!     .finish(local)
//!     .unwound(local);
//! assert_eq!(definition.shape().pivot, "decide");
//! ```
//!
//! Without its undo the step is refused by the compiler:
//!
//! ```compile_fail,E0061
//! # use std::sync::Arc;
//! # use saga::{Answer, Call, Definition, LocalError, Log, Retry, SagaRow, Version};
//! # struct Ports;
//! # struct Books;
//! # async fn take(_: Arc<Ports>, _: Call) -> Answer { Answer::NothingToDo }
//! # fn local(_: &mut Books, _: &SagaRow, _: &Log) -> Result<Vec<u8>, LocalError> { Ok(vec![]) }
//! let definition: Definition<Ports, Books> = Definition::new("borrow", Version(1))
//!     .reversible("take", take, Retry::quick())
//!     .pivot("decide", local)
//!     .finish(local)
//!     .unwound(local);
//! ```
//!
//! and so is a reversible step after the pivot:
//!
//! ```compile_fail,E0599
//! # use std::sync::Arc;
//! # use saga::{Answer, Call, Definition, LocalError, Log, Retry, SagaRow, Version, undo};
//! # struct Ports;
//! # struct Books;
//! # async fn take(_: Arc<Ports>, _: Call) -> Answer { Answer::NothingToDo }
//! # async fn put_back(_: Arc<Ports>, _: Call) -> Answer { Answer::NothingToDo }
//! # fn local(_: &mut Books, _: &SagaRow, _: &Log) -> Result<Vec<u8>, LocalError> { Ok(vec![]) }
//! let definition: Definition<Ports, Books> = Definition::new("borrow", Version(1))
//!     .pivot("decide", local)
//!     .reversible("take", take, undo(put_back), Retry::quick())
//!     .finish(local)
//!     .unwound(local);
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use storage::{Direction, StepContext};
use types::Refusal;

use crate::log::Log;
use crate::row::SagaRow;
use crate::shape::{FINISH, Forward, Gate, Retry, Reversible, Shape, StepName, UNWOUND, Version};

/// What a remote step is given: its key and fence, and everything the saga knows.
#[derive(Clone, Debug)]
pub struct Call {
    pub context: StepContext,
    pub subject_id: String,
    pub params: Arc<[u8]>,
    /// The earlier replies, by step.
    pub log: Log,
    pub traceparent: Option<String>,
    /// The call must be over by then: the lease does not cover more.
    pub deadline: Instant,
}

/// What a participant said, or that it said nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Applied(Vec<u8>),
    /// Applied, and nothing had to change. A step function may say so without asking anyone, as long
    /// as it says the same for the same saga every time, the undo included.
    NothingToDo,
    /// Nothing had to change, and the reply tells how things stand.
    NothingMoved(Vec<u8>),
    /// The end will be signalled; `poll_after` is when to ask again without a signal.
    Pending {
        poll_after: Option<Duration>,
    },
    /// A recorded no: it stays no for this key.
    Refused(Refusal),
    /// No answer. It may have happened: the same key is asked again.
    Unknown(String),
    /// The participant has seen a newer epoch: this worker's lease is over.
    Stale,
}

/// A local step could not be written. It is a defect, not a business no, and asks for attention.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LocalError(pub String);

pub(crate) type Remote<P> = Box<dyn Fn(Arc<P>, Call) -> BoxFuture<'static, Answer> + Send + Sync>;
pub(crate) type Local<B> = Box<dyn Fn(&mut B, &SagaRow, &Log) -> Result<Vec<u8>, LocalError> + Send + Sync>;

/// The undo of a reversible step.
pub struct Undo<P>(Remote<P>);

/// What a forward step completes.
#[derive(Clone, Copy)]
pub struct Completion(Option<StepName>);

/// A saga's table; `P` are the ports its steps call, `B` the owner's books its local steps write.
/// `S` is the stage of the builder, and the default one is a table that can run.
pub struct Definition<P, B, S = Ready<B>> {
    shape: Shape,
    remote: BTreeMap<(StepName, Direction), Remote<P>>,
    spared: BTreeMap<StepName, fn(&Log) -> bool>,
    /// Local steps before the pivot.
    noted: BTreeMap<StepName, Local<B>>,
    stage: S,
}

/// Steps may still be taken back.
pub struct BeforePivot(());
/// The gate is set: only the pivot may follow.
pub struct AtPivot(());
/// Decided: only forward.
pub struct AfterPivot<B> {
    pivot: Local<B>,
}
/// Only the end of the way back is missing.
pub struct Finishing<B> {
    pivot: Local<B>,
    finish: Local<B>,
}
/// The table is whole.
pub struct Ready<B> {
    pivot: Local<B>,
    finish: Local<B>,
    unwound: Local<B>,
}

pub fn undo<P, F, Fut>(step: F) -> Undo<P>
where
    F: Fn(Arc<P>, Call) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Answer> + Send + 'static,
{
    Undo(boxed(step))
}

pub fn completes(step: StepName) -> Completion {
    Completion(Some(step))
}

pub fn alone() -> Completion {
    Completion(None)
}

impl<P, B> Definition<P, B, BeforePivot> {
    pub fn new(name: StepName, version: Version) -> Self {
        let shape = Shape { name, version, reversible: vec![], gate: None, pivot: "", forward: vec![] };
        Self {
            shape,
            remote: BTreeMap::new(),
            spared: BTreeMap::new(),
            noted: BTreeMap::new(),
            stage: BeforePivot(()),
        }
    }

    #[must_use]
    pub fn reversible<F, Fut>(mut self, step: StepName, ask: F, undo: Undo<P>, retry: Retry) -> Self
    where
        F: Fn(Arc<P>, Call) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        self.shape.reversible.push(Reversible { step, retry });
        self.keep(step, Direction::Do, boxed(ask));
        self.keep(step, Direction::Undo, undo.0);
        self
    }

    /// The reversible step just named, and its undo, is not asked while `spared` says so of the log: it
    /// is recorded as nothing to do in the commit of the answer before it, without a round of its own.
    /// What `spared` says of a log it must say of every longer one.
    ///
    /// # Panics
    ///
    /// If there is no step before it.
    #[must_use]
    pub fn unless(mut self, spared: fn(&Log) -> bool) -> Self {
        let step = self.shape.reversible.last().expect("a table names a step before it spares one").step;
        self.spared.insert(step, spared);
        self
    }

    /// The owner's own step between two reversible ones, written in the commit of the answer before it. The steps after it
    /// find its reply in the log. It needs no undo: what it wrote is put back with everything else, by `unwound`.
    #[must_use]
    pub fn noting<F>(mut self, step: StepName, write: F) -> Self
    where
        F: Fn(&mut B, &SagaRow, &Log) -> Result<Vec<u8>, LocalError> + Send + Sync + 'static,
    {
        self.shape.reversible.push(Reversible { step, retry: Retry::quick() });
        self.noted.insert(step, Box::new(write));
        self
    }

    /// A last remote step that cannot be taken back: its yes is the decision, and the pivot is
    /// written in the same commit. While it is unknown the saga waits, and asks for attention.
    pub fn gate<F, Fut>(mut self, step: StepName, ask: F, retry: Retry) -> Definition<P, B, AtPivot>
    where
        F: Fn(Arc<P>, Call) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        self.shape.gate = Some(Gate { step, retry });
        self.keep(step, Direction::Do, boxed(ask));
        self.enter(|_| AtPivot(()))
    }

    pub fn pivot<F>(self, step: StepName, write: F) -> Definition<P, B, AfterPivot<B>>
    where
        F: Fn(&mut B, &SagaRow, &Log) -> Result<Vec<u8>, LocalError> + Send + Sync + 'static,
    {
        self.enter(|_| AtPivot(())).pivot(step, write)
    }
}

impl<P, B> Definition<P, B, AtPivot> {
    pub fn pivot<F>(mut self, step: StepName, write: F) -> Definition<P, B, AfterPivot<B>>
    where
        F: Fn(&mut B, &SagaRow, &Log) -> Result<Vec<u8>, LocalError> + Send + Sync + 'static,
    {
        self.shape.pivot = step;
        self.enter(|_| AfterPivot { pivot: Box::new(write) })
    }
}

impl<P, B> Definition<P, B, AfterPivot<B>> {
    #[must_use]
    pub fn forward<F, Fut>(mut self, step: StepName, ask: F, completion: Completion) -> Self
    where
        F: Fn(Arc<P>, Call) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        self.shape.forward.push(Forward { step, completes: completion.0 });
        self.keep(step, Direction::Do, boxed(ask));
        self
    }

    /// Written when every forward step is done.
    pub fn finish<F>(self, write: F) -> Definition<P, B, Finishing<B>>
    where
        F: Fn(&mut B, &SagaRow, &Log) -> Result<Vec<u8>, LocalError> + Send + Sync + 'static,
    {
        self.enter(|stage| Finishing { pivot: stage.pivot, finish: Box::new(write) })
    }
}

impl<P, B> Definition<P, B, Finishing<B>> {
    /// Written when everything is put back.
    ///
    /// # Panics
    ///
    /// If the table names a step twice, or completes a step it does not have: a table is a constant
    /// of the program, so this shows at start-up and in every test that touches it.
    pub fn unwound<F>(self, write: F) -> Definition<P, B>
    where
        F: Fn(&mut B, &SagaRow, &Log) -> Result<Vec<u8>, LocalError> + Send + Sync + 'static,
    {
        if let Some(defect) = self.shape.defect() {
            panic!("a saga's table is wrong: {defect}");
        }
        self.enter(|stage| Ready { pivot: stage.pivot, finish: stage.finish, unwound: Box::new(write) })
    }
}

impl<P, B> Definition<P, B> {
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// A table for the proofs, whose driver asks its own world: only the local steps are real.
    pub(crate) fn without_functions(shape: Shape, write: fn(&mut B, StepName)) -> Self
    where
        B: 'static,
    {
        let local = |step: StepName| -> Local<B> {
            Box::new(move |books, _, _| {
                write(books, step);
                Ok(vec![])
            })
        };
        let stage = Ready { pivot: local(shape.pivot), finish: local(FINISH), unwound: local(UNWOUND) };
        Self { shape, remote: BTreeMap::new(), spared: BTreeMap::new(), noted: BTreeMap::new(), stage }
    }

    /// Whether the log says that a step has nothing to do.
    pub(crate) fn spares(&self, step: StepName, log: &Log) -> bool {
        self.spared.get(step).is_some_and(|spared| spared(log))
    }

    /// What writes a local step that stands before the pivot.
    pub(crate) fn noted(&self, step: StepName) -> Option<&Local<B>> {
        self.noted.get(step)
    }

    /// Starts one call of a step. `None` for a name that is not in the table.
    pub(crate) fn ask(
        &self,
        ports: &Arc<P>,
        step: StepName,
        call: Call,
    ) -> Option<BoxFuture<'static, Answer>> {
        self.remote.get(&(step, call.context.direction)).map(|remote| remote(Arc::clone(ports), call))
    }

    pub(crate) fn pivot(&self) -> &Local<B> {
        &self.stage.pivot
    }

    pub(crate) fn finish(&self) -> &Local<B> {
        &self.stage.finish
    }

    pub(crate) fn unwound(&self) -> &Local<B> {
        &self.stage.unwound
    }
}

impl<P, B, S> Definition<P, B, S> {
    fn enter<T>(self, stage: impl FnOnce(S) -> T) -> Definition<P, B, T> {
        Definition {
            shape: self.shape,
            remote: self.remote,
            spared: self.spared,
            noted: self.noted,
            stage: stage(self.stage),
        }
    }

    fn keep(&mut self, step: StepName, direction: Direction, remote: Remote<P>) {
        // A name taken twice is found by `unwound`, which sees the whole table.
        self.remote.insert((step, direction), remote);
    }
}

fn boxed<P, F, Fut>(step: F) -> Remote<P>
where
    F: Fn(Arc<P>, Call) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Answer> + Send + 'static,
{
    Box::new(move |ports, call| step(ports, call).boxed())
}

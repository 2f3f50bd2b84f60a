//! The definitions a program knows, and the one function that writes a worker's round into the books.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use storage::Direction;
use types::{Reason, Refusal};

use crate::advance::{self, Advance, Advanced, AttentionChange, Event, StepAnswer};
use crate::books::{Books, LeaseLost, SagaBooks};
use crate::definition::{Answer, Definition, LocalError};
use crate::log::Log;
use crate::progress::{self, Next};
use crate::row::{Cause, CauseKind, SagaKey, SagaRow};
use crate::shape::{FINISH, Shape, StepName, UNWOUND, Version};

/// The durations and counts of all sagas of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The first poll of a pending step and the first ceiling of a retry; both double.
    pub first_delay: Duration,
    pub poll_max_before: Duration,
    pub poll_max_after: Duration,
    pub backoff_max: Duration,
    /// Silence after the pivot that asks for attention. The saga goes on asking for ever.
    pub silence_after: Duration,
    /// Rounds in which an undo got no answer, before it asks for attention: about seven minutes.
    pub undo_rounds: i64,
    /// Panics without progress that stop a saga.
    pub panics_max: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_delay: Duration::from_secs(1),
            poll_max_before: Duration::from_mins(5),
            poll_max_after: Duration::from_hours(1),
            backoff_max: Duration::from_mins(5),
            silence_after: Duration::from_hours(1),
            undo_rounds: 10,
            panics_max: 3,
        }
    }
}

/// What the books need to judge a saga: the shapes, the limits and the reducer.
pub(crate) struct Rules {
    shapes: BTreeMap<(StepName, Version), Shape>,
    pub(crate) limits: Limits,
    /// Always [`progress::next`], but where a test shows that the proofs catch a wrong one.
    reducer: fn(&Shape, &Log) -> Next,
}

impl Rules {
    pub(crate) fn next(&self, shape: &Shape, log: &Log) -> Next {
        (self.reducer)(shape, log)
    }

    pub(crate) fn shape(&self, row: &SagaRow) -> Option<&Shape> {
        let known = self.shapes.iter();
        known
            .map(|(_, shape)| shape)
            .find(|shape| shape.name == row.definition && shape.version == row.version)
    }
}

/// All definitions of a program, this version's and those of sagas that still run.
pub struct Registry<P, B> {
    definitions: Vec<Definition<P, B>>,
    rules: Arc<Rules>,
}

enum LocalFailure {
    Refused { step: StepName, message: String },
    Panicked { step: StepName, message: String },
}

impl<P, B: Books> Registry<P, B> {
    /// # Panics
    ///
    /// If two definitions have the same name and version.
    pub fn new(definitions: Vec<Definition<P, B>>, limits: Limits) -> Self {
        Self::with_reducer(definitions, limits, progress::next)
    }

    pub(crate) fn with_reducer(
        definitions: Vec<Definition<P, B>>,
        limits: Limits,
        reducer: fn(&Shape, &Log) -> Next,
    ) -> Self {
        let mut shapes = BTreeMap::new();
        for definition in &definitions {
            let shape = definition.shape();
            let earlier = shapes.insert((shape.name, shape.version), shape.clone());
            assert!(earlier.is_none(), "{} {:?} is defined twice", shape.name, shape.version);
        }
        Self { definitions, rules: Arc::new(Rules { shapes, limits, reducer }) }
    }

    /// Empty books that know these definitions; the owner loads them in each commit.
    pub fn books(&self) -> SagaBooks {
        SagaBooks::new(Arc::clone(&self.rules))
    }

    /// Every table that is known here.
    pub fn shapes(&self) -> impl Iterator<Item = &Shape> {
        self.definitions.iter().map(Definition::shape)
    }

    pub fn shape(&self, name: &str, version: Version) -> Option<&Shape> {
        self.definitions
            .iter()
            .map(Definition::shape)
            .find(|shape| shape.name == name && shape.version == version)
    }

    pub(crate) fn definition(&self, row: &SagaRow) -> Option<&Definition<P, B>> {
        let mut known = self.definitions.iter();
        known.find(|known| known.shape().name == row.definition && known.shape().version == row.version)
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Writes one round of a worker: the answers, then every local step that is due because of them,
    /// then the schedule. It marks the books first; a failing local step is rolled back to there, the
    /// answers are written alone and the saga asks for attention.
    pub fn apply(&self, books: &mut B, advance: &Advance) -> Result<Advanced, LeaseLost> {
        books.mark();
        let (before, cause) = books.sagas().fenced(&advance.key, advance.epoch)?;
        match (&advance.event, books.sagas().unrunnable(&advance.key)) {
            (Event::SetAside(cause), _) => books.sagas().set_aside(&advance.key, cause.clone()),
            (Event::Answered { .. }, Some(cause)) => books.sagas().set_aside(&advance.key, cause),
            (Event::Answered { answers, .. }, None) => {
                books.sagas().hear(&advance.key, answers);
                match self.local_steps(books, &advance.key) {
                    Ok(()) => books.sagas().schedule(advance),
                    Err(failure) => {
                        books.rollback();
                        books.mark();
                        books.sagas().hear(&advance.key, answers);
                        record_failure(books.sagas(), advance, failure);
                    }
                }
            }
        }
        Ok(advanced(books.sagas(), &advance.key, before, cause.as_ref()))
    }

    /// Records a step as done on an operator's word: a forward step or an undo that can't be had from
    /// its participant. It raises the epoch, so that a worker in the middle of a call changes nothing
    /// any more. A refusal leaves nothing behind in the books.
    pub fn resolve(
        &self,
        books: &mut B,
        key: &SagaKey,
        step: &str,
        reply: Vec<u8>,
    ) -> Result<Advanced, Refusal> {
        books.mark();
        let resolved = self.try_resolve(books, key, step, reply);
        if resolved.is_err() {
            books.rollback();
        }
        resolved
    }

    fn try_resolve(
        &self,
        books: &mut B,
        key: &SagaKey,
        step: &str,
        reply: Vec<u8>,
    ) -> Result<Advanced, Refusal> {
        let refused = |message| Refusal::new(Reason::StateConflict, message);
        let (before, cause) = books.sagas().take_over(key)?;
        let mut open = books.sagas().open_steps(key).into_iter();
        let (step, direction) = open
            .find(|(name, direction)| *name == step && Self::may_resolve(books.sagas(), key, *direction))
            .ok_or_else(|| refused(format!("{step} is not a step that can be resolved now")))?;

        let answer = StepAnswer { step, direction, answer: Answer::Applied(reply), attempts: 0 };
        books.sagas().hear(key, &[answer]);
        self.local_steps(books, key).map_err(|failure| {
            let (LocalFailure::Refused { step, message } | LocalFailure::Panicked { step, message }) =
                failure;
            refused(format!("{step} could not be written: {message}"))
        })?;
        books.sagas().release(key);
        Ok(advanced(books.sagas(), key, before, cause.as_ref()))
    }

    /// A step before the pivot is never resolved by hand: there the saga can turn back instead.
    fn may_resolve(sagas: &SagaBooks, key: &SagaKey, direction: Direction) -> bool {
        direction == Direction::Undo || sagas.get(key).is_some_and(|row| row.decided_at.is_some())
    }

    /// Runs the local steps while one of them is next, and passes the steps that are spared.
    /// Each is recorded, so it runs once.
    fn local_steps(&self, books: &mut B, key: &SagaKey) -> Result<(), LocalFailure> {
        loop {
            let image = books.sagas().image(key).expect("the saga was found before its answers were heard");
            let Some(definition) = self.definition(&image.row) else { return Ok(()) };
            let shape = definition.shape();
            let (step, write) = match self.rules.next(shape, &image.log) {
                Next::Pivot => (shape.pivot, definition.pivot()),
                Next::Finish => (FINISH, definition.finish()),
                Next::Unwound => (UNWOUND, definition.unwound()),
                Next::Do(step) if let Some(write) = definition.noted(step) => (step, write),
                Next::Undo(step) if definition.noted(step).is_some() => {
                    books.sagas().hear(key, &[spared(step, Direction::Undo)]);
                    continue;
                }
                Next::Do(step) if definition.spares(step, &image.log) => {
                    books.sagas().hear(key, &[spared(step, Direction::Do)]);
                    continue;
                }
                Next::Undo(step) if definition.spares(step, &image.log) => {
                    books.sagas().hear(key, &[spared(step, Direction::Undo)]);
                    continue;
                }
                Next::Do(_) | Next::Undo(_) | Next::Forward(_) | Next::Done => return Ok(()),
            };
            let written = catch_unwind(AssertUnwindSafe(|| write(books, &image.row, &image.log)));
            match written {
                Ok(Ok(reply)) => books.sagas().record_local(key, step, step == shape.pivot, reply),
                Ok(Err(LocalError(message))) => return Err(LocalFailure::Refused { step, message }),
                Err(panic) => {
                    return Err(LocalFailure::Panicked { step, message: panic_text(&*panic) });
                }
            }
        }
    }
}

/// What a step that is not asked is known to answer.
fn spared(step: StepName, direction: Direction) -> StepAnswer {
    StepAnswer { step, direction, answer: Answer::NothingToDo, attempts: 0 }
}

pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without text".to_owned())
}

fn advanced(sagas: &SagaBooks, key: &SagaKey, before: usize, cause: Option<&Cause>) -> Advanced {
    let image = sagas.image(key).expect("the saga was found before it was written");
    let entries = image.log.since(before).to_vec();
    let attention = AttentionChange::between(cause, image.row.attention.as_ref());
    let actions = advance::actions(sagas.shape_of(&image.row), &image.row, &image.log);
    Advanced { image, entries, attention, actions }
}

fn record_failure(sagas: &mut SagaBooks, advance: &Advance, failure: LocalFailure) {
    match failure {
        LocalFailure::Refused { step, message } => {
            let step = Some(step.to_owned());
            sagas.set_aside(&advance.key, Cause { kind: CauseKind::LocalStepFailed, step, message });
        }
        LocalFailure::Panicked { step, message } => {
            let step = Some(step.to_owned());
            let cause = Cause { kind: CauseKind::Panicking, step, message };
            sagas.local_panicked(&advance.key, cause, advance.jitter);
        }
    }
}

#[cfg(test)]
mod spared_tests;
#[cfg(test)]
mod tests;

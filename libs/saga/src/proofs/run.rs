//! One scenario in memory: the real books and rules, driven as a worker drives them, with one thing
//! going wrong where the plan says so.

use std::time::Duration;

use storage::{Direction, Overlay, Table};
use types::{Clock, Ids, Reason, Refusal, Tenant, Timestamp};

use super::world::{Effect, World};
use crate::advance::{Advance, Event, StepAnswer, open_steps};
use crate::books::{Books, NewSaga, SagaBooks};
use crate::definition::{Answer, Definition};
use crate::log::Log;
use crate::progress::{self, Next};
use crate::registry::{Limits, Registry};
use crate::row::{Lease, SagaKey, SagaRow, State};
use crate::shape::{FINISH, Shape, StepName, UNWOUND};

/// No scenario needs more turns than this; a saga that goes on longer is going in a circle.
const TURNS_MAX: usize = 400;
/// The clock between turns: silence must be able to last.
const BETWEEN_TURNS: Duration = Duration::from_mins(1);

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plan {
    pub(super) refuse: Option<StepName>,
    pub(super) pend: Option<StepName>,
    pub(super) repeat: Option<(StepName, Direction)>,
    pub(super) lose_one: Option<StepName>,
    pub(super) lose_all: Option<StepName>,
    pub(super) crash: Option<Crash>,
    pub(super) unwind_before: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crash {
    pub(super) turn: usize,
    pub(super) when: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    BeforeCommit,
    AfterCommit,
}

/// What is broken in the world or in the engine, to see the proofs fail. A proof nobody has seen fail
/// proves nothing.
#[derive(Clone, Copy, Debug)]
pub enum Flaw {
    UndoDoesNothing,
    /// A participant does a repeated call again.
    EffectsRepeat,
    /// Another step than the intended one refuses.
    RefusesAnother,
    /// The engine loses the commit that a crash follows.
    LosesEvents,
    /// The engine asks this instead of [`progress::next`].
    Reducer(fn(&Shape, &Log) -> Next),
}

/// The owner's books of a proof: the sagas, and how often each local step was written.
struct ProofBooks {
    sagas: SagaBooks,
    written: Table<StepName, u32>,
}

impl Books for ProofBooks {
    fn sagas(&mut self) -> &mut SagaBooks {
        &mut self.sagas
    }
}

impl Overlay for ProofBooks {
    fn parts(&mut self) -> Vec<&mut dyn Overlay> {
        let Self { sagas, written } = self;
        vec![sagas, written]
    }
}

pub(super) struct Run {
    shape: Shape,
    registry: Registry<(), ProofBooks>,
    books: ProofBooks,
    world: World,
    key: SagaKey,
    plan: Plan,
    flaw: Option<Flaw>,
    turns: usize,
    repeated: bool,
    parked: bool,
    unwind_accepted: Option<bool>,
}

impl Run {
    pub(super) fn new(shape: Shape, flaw: Option<Flaw>, plan: Plan) -> Self {
        let reducer = match flaw {
            Some(Flaw::Reducer(broken)) => broken,
            Some(Flaw::UndoDoesNothing | Flaw::EffectsRepeat | Flaw::RefusesAnother | Flaw::LosesEvents)
            | None => progress::next,
        };
        let definition = Definition::without_functions(shape.clone(), write);
        let registry = Registry::with_reducer(vec![definition], Limits::default(), reducer);
        let mut books = ProofBooks { sagas: registry.books(), written: Table::new() };
        // Fresh parameters for every scenario, so that none sees another's traces.
        let id = Ids::random(Clock::manual(Timestamp::UNIX_EPOCH)).mint();
        let image = books.sagas.start(NewSaga {
            tenant: Tenant::DEFAULT,
            id,
            definition: shape.name,
            version: shape.version,
            subject_type: "proof",
            subject_id: "proof".to_owned(),
            params: vec![],
            traceparent: None,
            lease: Some(lease()),
        });
        let key = image.row.key;
        let world = World::new(&shape, key.clone(), &plan, flaw);
        let (turns, repeated, parked, unwind_accepted) = (0, false, false, None);
        Self { shape, registry, books, world, key, plan, flaw, turns, repeated, parked, unwind_accepted }
    }

    pub(super) fn drive(&mut self) -> Result<(), String> {
        while !self.state().is_terminal() {
            if self.turns == TURNS_MAX {
                return Err(format!("it did not end: {:?}", story(self.log())));
            }
            self.turn()?;
            self.turns += 1;
        }
        if self.plan.unwind_before == Some(self.turns) {
            self.request_unwind();
        }
        Ok(())
    }

    pub(super) fn turns(&self) -> usize {
        self.turns
    }

    pub(super) fn state(&self) -> State {
        self.row().state
    }

    pub(super) fn log(&self) -> &Log {
        self.books.sagas.log(&self.key).expect("a log in memory is readable")
    }

    pub(super) fn repeated(&self) -> bool {
        self.repeated
    }

    pub(super) fn parked(&self) -> bool {
        self.parked
    }

    pub(super) fn unwind_accepted(&self) -> Option<bool> {
        self.unwind_accepted
    }

    /// What must hold at every end, whatever went wrong: all of it, or nothing of it.
    pub(super) fn check_end(&self) -> Result<(), String> {
        let completed = self.state() == State::Completed;
        let expect = |what: &str, found: u32, wanted: bool| {
            if found == u32::from(wanted) { Ok(()) } else { Err(format!("{what} was written {found} times")) }
        };
        expect(self.shape.pivot, self.written(self.shape.pivot), completed)?;
        expect(FINISH, self.written(FINISH), completed)?;
        expect(UNWOUND, self.written(UNWOUND), !completed)?;

        let once = Effect { done: 1, undone: 0 };
        for step in self.shape.steps() {
            let effect = self.world.effect(step);
            if completed && effect != once {
                return Err(format!("{step} did not take effect exactly once: {effect:?}"));
            }
            if !completed && (effect.done != effect.undone || effect.done > 1) {
                return Err(format!("{step} left something behind: {effect:?}"));
            }
        }
        self.check_log(completed)
    }

    /// The row is a cache: the log alone gives the same end.
    fn check_log(&self, completed: bool) -> Result<(), String> {
        let log = self.log();
        let read = Log::read(log.entries().to_vec())?;
        let told = (progress::next(&self.shape, &read), read.applied(self.shape.pivot));
        if told == (Next::Done, completed) {
            Ok(())
        } else {
            Err(format!("the log does not tell the end: {:?}", story(log)))
        }
    }

    fn turn(&mut self) -> Result<(), String> {
        if self.plan.unwind_before == Some(self.turns) {
            self.request_unwind();
        }
        let rules = self.registry.rules();
        let next = rules.next(&self.shape, self.log());
        let epoch = self.row().epoch;
        let crash = self.plan.crash.filter(|crash| crash.turn == self.turns).map(|crash| crash.when);

        let mut answers = vec![];
        for (step, direction) in open_steps(&next) {
            let answer = self.ask(step, direction, epoch)?;
            answers.push(StepAnswer { step, direction, answer, attempts: 1 });
        }
        if crash == Some(When::BeforeCommit) {
            return self.take_over(&answers, epoch);
        }
        let before = self.books.sagas.table.clone();
        self.commit(answers.clone(), epoch)?;
        if crash == Some(When::AfterCommit) && !self.state().is_terminal() {
            if matches!(self.flaw, Some(Flaw::LosesEvents)) {
                self.books.sagas.table = before;
            }
            return self.take_over(&answers, epoch);
        }
        if self.state() == State::Parked {
            self.parked = true;
            self.world.settle_pending();
        }
        self.books.sagas.now += i64::try_from(BETWEEN_TURNS.as_micros()).expect("a minute fits");
        Ok(())
    }

    fn ask(&mut self, step: StepName, direction: Direction, epoch: i64) -> Result<Answer, String> {
        let answer = self.world.receive(step, direction, epoch);
        if self.plan.repeat == Some((step, direction)) {
            self.repeated = true;
            let again = self.world.receive(step, direction, epoch);
            if again != answer {
                return Err(format!("{step} was answered {answer:?}, then {again:?}"));
            }
            if direction == Direction::Undo {
                // A do that was delayed on the way arrives after its undo.
                self.world.receive(step, Direction::Do, epoch);
            }
        }
        let lost = direction == Direction::Do
            && (self.plan.lose_all == Some(step)
                || self.plan.lose_one.take_if(|lost| *lost == step).is_some());
        Ok(if lost { Answer::Unknown("the answer was lost".to_owned()) } else { answer })
    }

    fn commit(&mut self, answers: Vec<StepAnswer>, epoch: i64) -> Result<(), String> {
        let advance = Advance {
            key: self.key.clone(),
            epoch,
            lease: lease(),
            jitter: 0.5,
            event: Event::Answered { answers, panicked: None },
        };
        let applied = self.registry.apply(&mut self.books, &advance);
        applied.map(|_| ()).map_err(|lost| format!("the owner of the saga was fenced: {lost}"))
    }

    /// Another worker claims the saga; then the dead one wakes up and sends and commits what it had.
    fn take_over(&mut self, answers: &[StepAnswer], old: i64) -> Result<(), String> {
        let new = old + 1;
        self.books
            .sagas
            .table
            .update(&self.key, |record| record.row.epoch = new)
            .expect("the saga was started");
        for (step, direction) in open_steps(&self.registry.rules().next(&self.shape, self.log())) {
            self.ask(step, direction, new)?;
            if self.world.receive(step, direction, old) != Answer::Stale {
                return Err(format!("{step} took a call from a worker that had lost its lease"));
            }
        }
        match self.commit(answers.to_vec(), old) {
            Ok(()) => Err("a worker that had lost its lease could commit".to_owned()),
            Err(_fenced) => Ok(()),
        }
    }

    fn request_unwind(&mut self) {
        let cause = Refusal::new(Reason::Withdrawn, "asked by the proof");
        self.books.mark();
        let accepted = self.books.sagas.request_unwind(&self.key, cause).is_ok();
        self.unwind_accepted = Some(accepted);
    }

    fn row(&self) -> &SagaRow {
        self.books.sagas.get(&self.key).expect("the saga was started")
    }

    fn written(&self, step: StepName) -> u32 {
        self.books.written.get(&step).copied().unwrap_or(0)
    }
}

fn write(books: &mut ProofBooks, step: StepName) {
    if books.written.update(&step, |count| *count += 1).is_none() {
        books.written.insert(step, 1);
    }
}

fn lease() -> Lease {
    Lease { owner: "proof".to_owned(), length: Duration::from_secs(30) }
}

fn story(log: &Log) -> Vec<String> {
    let entries = log.entries().iter();
    entries.map(|entry| format!("{} {} {:?}", entry.step, entry.direction.as_str(), entry.outcome)).collect()
}

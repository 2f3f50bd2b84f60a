use std::time::Duration;

use storage::Direction::{Do, Undo};
use storage::{Overlay, Table};
use types::{Clock, Ids, Tenant, Timestamp};

use super::*;
use crate::advance::moving;
use crate::books::{NewSaga, Wake};
use crate::definition::{Call, alone, completes, undo};
use crate::row::{Action, Lease, State};
use crate::shape::Retry;

/// Books whose local steps write one fact each, and fail as they are told.
struct TestBooks {
    sagas: SagaBooks,
    facts: Table<&'static str, ()>,
    trouble: Option<Trouble>,
}

#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    Refuses,
    Panics,
}

impl Books for TestBooks {
    fn sagas(&mut self) -> &mut SagaBooks {
        &mut self.sagas
    }
}

impl Overlay for TestBooks {
    fn parts(&mut self) -> Vec<&mut dyn Overlay> {
        vec![&mut self.sagas, &mut self.facts]
    }
}

struct Desk {
    registry: Registry<(), TestBooks>,
    books: TestBooks,
    key: SagaKey,
}

fn ask(_: Arc<()>, _: Call) -> std::future::Ready<Answer> {
    std::future::ready(Answer::NothingToDo)
}

fn decide(books: &mut TestBooks, _: &SagaRow, _: &Log) -> Result<Vec<u8>, LocalError> {
    books.facts.insert("decided", ());
    match books.trouble {
        None => Ok(vec![]),
        Some(Trouble::Refuses) => Err(LocalError("the books do not balance".to_owned())),
        Some(Trouble::Panics) => panic!("out of range"),
    }
}

fn registry(gated: bool) -> Registry<(), TestBooks> {
    let start = Definition::new("move", Version(1)).reversible("hold", ask, undo(ask), Retry::quick());
    let decided = if gated {
        start.gate("submit", ask, Retry::quick()).pivot("decide", decide)
    } else {
        start.pivot("decide", decide)
    };
    let definition = decided
        .forward("release", ask, completes("hold"))
        .forward("tell", ask, alone())
        .finish(|_, _, _| Ok(vec![]))
        .unwound(|_, _, _| Ok(vec![]));
    Registry::new(vec![definition], Limits::default())
}

impl Desk {
    fn new(gated: bool) -> Self {
        let registry = registry(gated);
        let mut books = TestBooks { sagas: registry.books(), facts: Table::new(), trouble: None };
        books.sagas.now = 1_000_000_000;
        let image = books.sagas.start(NewSaga {
            tenant: Tenant::DEFAULT,
            id: Ids::seeded(Clock::manual(Timestamp::UNIX_EPOCH), 1).mint(),
            definition: "move",
            version: Version(1),
            subject_type: "parcel",
            subject_id: "p".to_owned(),
            params: vec![],
            traceparent: None,
            lease: Some(lease()),
        });
        Self { registry, books, key: image.row.key }
    }

    fn hear(&mut self, heard: &[(StepName, Direction, Answer)]) -> Advanced {
        self.round(heard, None)
    }

    fn round(&mut self, heard: &[(StepName, Direction, Answer)], panicked: Option<&str>) -> Advanced {
        let answers = heard
            .iter()
            .map(|(step, direction, answer)| StepAnswer {
                step,
                direction: *direction,
                answer: answer.clone(),
                attempts: 1,
            })
            .collect();
        let event = Event::Answered { answers, panicked: panicked.map(str::to_owned) };
        let advance =
            Advance { key: self.key.clone(), epoch: self.row().epoch, lease: lease(), jitter: 1.0, event };
        self.registry.apply(&mut self.books, &advance).expect("the epoch is the saga's own")
    }

    fn decided(gated: bool) -> Self {
        let mut desk = Self::new(gated);
        desk.hear(&[("hold", Do, applied())]);
        desk
    }

    fn later(&mut self, by: Duration) {
        self.books.sagas.now += i64::try_from(by.as_micros()).expect("a test's time is short");
    }

    fn row(&self) -> &SagaRow {
        self.books.sagas.get(&self.key).expect("the saga was started")
    }

    fn due_in(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.row().next_at - self.books.sagas.now).expect("not overdue"))
    }
}

fn lease() -> Lease {
    Lease { owner: "worker".to_owned(), length: Duration::from_secs(30) }
}

fn applied() -> Answer {
    Answer::Applied(vec![1])
}

fn silence() -> Answer {
    Answer::Unknown("nobody there".to_owned())
}

fn pending() -> Answer {
    Answer::Pending { poll_after: None }
}

fn refused() -> Answer {
    Answer::Refused(Refusal::new(Reason::ShippedFirst, "gone"))
}

fn kind(row: &SagaRow) -> Option<CauseKind> {
    row.attention.as_ref().map(|cause| cause.kind)
}

#[test]
fn fifteen_minutes_of_silence_before_the_pivot_turn_a_saga_back() {
    let mut desk = Desk::new(false);

    desk.hear(&[("hold", Do, silence())]);
    desk.later(Duration::from_secs(14 * 60 + 59));
    desk.hear(&[("hold", Do, silence())]);
    assert_eq!(desk.row().state, State::Running);
    desk.later(Duration::from_secs(1));
    desk.hear(&[("hold", Do, silence())]);

    assert_eq!(desk.row().state, State::Unwinding);
    assert_eq!(desk.row().unwind_cause.as_ref().map(|cause| cause.reason), Some(Reason::NoAnswerInTime));
    assert!(desk.row().held_by("worker"), "it goes on at once, to the undo of the step in doubt");
    assert_eq!(desk.books.sagas.open_steps(&desk.key), [("hold", Undo)]);
}

#[test]
fn waiting_for_a_pending_step_is_no_silence() {
    let mut desk = Desk::new(false);

    for _ in 0..40 {
        desk.hear(&[("hold", Do, pending())]);
        desk.later(Duration::from_mins(14));
        desk.hear(&[("hold", Do, silence())]);
    }

    assert_eq!(desk.row().unwind_cause, None);
    assert_eq!(
        desk.books.sagas.log(&desk.key).unwrap().entries().len(),
        1,
        "one pending entry, however often"
    );
}

#[test]
fn silence_at_the_gate_asks_for_attention_and_never_turns_back() {
    let mut desk = Desk::new(true);
    desk.hear(&[("hold", Do, applied())]);

    desk.hear(&[("submit", Do, silence())]);
    desk.later(Duration::from_mins(15));
    let advanced = desk.hear(&[("submit", Do, silence())]);

    assert_eq!(kind(desk.row()), Some(CauseKind::NotAnswering));
    assert_eq!(desk.row().unwind_cause, None);
    assert_eq!(advanced.actions, [Action::RetryStep], "its yes could not be taken back");
    desk.hear(&[("submit", Do, applied())]);
    assert!(desk.row().decided_at.is_some(), "the pivot rides in the commit of the gate's yes");
}

#[test]
fn an_hour_of_silence_after_the_pivot_asks_for_attention_until_the_answer_comes() {
    let mut desk = Desk::decided(false);

    let quiet = [("release", Do, silence()), ("tell", Do, applied())];
    assert_eq!(desk.hear(&quiet).attention, AttentionChange::None);
    desk.later(Duration::from_hours(1));
    let opened = desk.hear(&quiet[..1]);
    assert!(matches!(opened.attention, AttentionChange::Opened(_)));
    assert_eq!(opened.actions, [Action::RetryStep, Action::ResolveStep]);
    assert_eq!(desk.hear(&quiet[..1]).attention, AttentionChange::None, "one item, however often it asks");

    let cleared = desk.hear(&[("release", Do, applied())]);

    assert_eq!(cleared.attention, AttentionChange::Cleared);
    assert_eq!(cleared.image.row.state, State::Completed);
}

#[test]
fn an_undo_without_an_answer_asks_for_attention_after_ten_rounds_and_goes_on() {
    let mut desk = Desk::new(false);
    desk.books.sagas.request_unwind(&desk.key, Refusal::new(Reason::Withdrawn, "asked")).unwrap();

    for _ in 0..10 {
        desk.hear(&[("hold", Undo, silence())]);
        assert_eq!(kind(desk.row()), None);
    }
    desk.hear(&[("hold", Undo, silence())]);

    assert_eq!(kind(desk.row()), Some(CauseKind::UndoFailing));
    assert_eq!(desk.row().state, State::Unwinding);
    assert!(desk.due_in() <= Duration::from_mins(5));
}

#[test]
fn polls_and_retries_double_to_their_ceilings() {
    let mut before = Desk::new(false);
    let mut after = Desk::decided(false);
    let mut polls = vec![];

    for _ in 0..13 {
        before.hear(&[("hold", Do, pending())]);
        after.hear(&[("release", Do, pending()), ("tell", Do, pending())]);
        polls.push((before.due_in().as_secs(), after.due_in().as_secs()));
    }

    assert_eq!(polls[..4], [(1, 1), (2, 2), (4, 4), (8, 8)]);
    assert_eq!(polls[12], (300, 3_600));
    assert_eq!(before.row().state, State::Parked);
    assert_eq!(Limits::default().backoff(3, 0.5), 4_000_000, "half of the eight seconds");
    assert_eq!(Limits::default().backoff(60, 1.0), 300_000_000);
}

#[test]
fn a_signal_while_a_worker_holds_the_saga_keeps_it_from_parking() {
    let mut desk = Desk::new(false);

    assert_eq!(desk.books.sagas.wake(&desk.key), Wake::Remembered);
    desk.hear(&[("hold", Do, pending())]);

    assert_eq!(desk.due_in(), Duration::ZERO);
    assert!(!desk.row().woken, "a signal counts once");
}

#[test]
fn a_round_committed_twice_changes_nothing_the_second_time() {
    let mut desk = Desk::new(false);

    let first = desk.hear(&[("hold", Do, applied())]);
    let second = desk.hear(&[("hold", Do, applied())]);

    assert_eq!(first.entries.len(), 2, "the answer and the pivot");
    assert!(second.entries.is_empty());
    assert_eq!(desk.books.facts.len(), 1);
}

#[test]
fn a_local_step_that_fails_leaves_the_answer_and_nothing_else() {
    let mut desk = Desk::new(false);
    desk.books.trouble = Some(Trouble::Refuses);

    let failed = desk.hear(&[("hold", Do, applied())]);

    assert_eq!(failed.entries.len(), 1);
    assert_eq!(failed.image.row.state, State::NeedsAttention);
    assert_eq!(kind(desk.row()), Some(CauseKind::LocalStepFailed));
    assert_eq!(failed.actions, [Action::RetryStep, Action::AbortBeforePivot]);
    assert!(desk.books.facts.is_empty(), "what the step had written is rolled back");

    desk.books.trouble = None;
    desk.books.sagas.retry(&desk.key).unwrap();
    let retried = desk.hear(&[]);
    assert_eq!(desk.books.facts.len(), 1);
    assert!(retried.image.row.decided_at.is_some());
}

#[test]
fn a_local_step_that_panics_three_times_stops_its_saga_alone() {
    let mut desk = Desk::new(false);
    desk.books.trouble = Some(Trouble::Panics);

    desk.hear(&[("hold", Do, applied())]);
    desk.hear(&[]);
    assert_eq!(desk.row().state, State::Running);
    desk.hear(&[]);

    assert_eq!((desk.row().state, kind(desk.row())), (State::NeedsAttention, Some(CauseKind::Panicking)));
    assert!(desk.books.facts.is_empty());
}

#[test]
fn three_panics_of_a_step_stop_a_saga_but_not_if_it_moved_between() {
    let mut desk = Desk::decided(false);

    desk.round(&[("release", Do, silence()), ("tell", Do, silence())], Some("boom"));
    desk.round(&[("release", Do, silence()), ("tell", Do, silence())], Some("boom"));
    desk.round(&[("release", Do, silence()), ("tell", Do, applied())], Some("boom"));
    assert_eq!(desk.row().state, State::Running);
    desk.round(&[("release", Do, silence())], Some("boom"));
    desk.round(&[("release", Do, silence())], Some("boom"));

    assert_eq!((desk.row().state, kind(desk.row())), (State::NeedsAttention, Some(CauseKind::Panicking)));
}

#[test]
fn a_refused_step_after_the_pivot_never_undecides() {
    let mut desk = Desk::decided(false);

    let advanced = desk.hear(&[("release", Do, refused()), ("tell", Do, pending())]);

    assert_eq!((desk.row().state, kind(desk.row())), (State::Running, Some(CauseKind::Refused)));
    assert_eq!(desk.row().unwind_cause, None);
    assert_eq!(advanced.actions, [Action::RetryStep, Action::ResolveStep]);
}

#[test]
fn only_what_cannot_turn_back_is_resolved_by_hand() {
    let mut desk = Desk::new(false);

    let before = desk.registry.resolve(&mut desk.books, &desk.key, "hold", vec![]).unwrap_err();
    assert_eq!((before.reason, desk.row().epoch), (Reason::StateConflict, 1));

    desk.hear(&[("hold", Do, applied())]);
    desk.hear(&[("release", Do, refused()), ("tell", Do, applied())]);
    let resolved = desk.registry.resolve(&mut desk.books, &desk.key, "release", b"by hand".to_vec()).unwrap();

    assert_eq!(resolved.attention, AttentionChange::Cleared);
    assert_eq!((resolved.image.row.state, resolved.image.row.epoch), (State::Completed, 2));
}

#[test]
fn an_operator_cannot_move_a_saga_that_is_over() {
    let mut desk = Desk::new(false);
    desk.hear(&[("hold", Do, refused())]);
    assert_eq!(desk.row().state, State::Unwound);

    let retry = desk.books.sagas.retry(&desk.key).unwrap_err();
    let unwind =
        desk.books.sagas.request_unwind(&desk.key, Refusal::new(Reason::Withdrawn, "late")).unwrap_err();

    assert_eq!((retry.reason, unwind.reason), (Reason::NotRetryable, Reason::AlreadyDecided));
    assert_eq!(desk.books.sagas.wake(&desk.key), Wake::NotWaiting);
}

#[test]
fn the_row_is_a_cache_of_the_log() {
    let mut desk = Desk::new(false);
    let rounds: [&[(StepName, Direction, Answer)]; 4] = [
        &[("hold", Do, silence())],
        &[("hold", Do, pending())],
        &[("hold", Do, applied())],
        &[("release", Do, applied()), ("tell", Do, refused())],
    ];

    for round in rounds {
        let image = desk.hear(round).image;

        let shape = desk.registry.shape("move", Version(1)).unwrap();
        let read = Log::read(image.log.entries().to_vec()).unwrap();
        assert_eq!(read.applied(shape.pivot), image.row.decided_at.is_some());
        let parked = image.row.state == State::Parked;
        assert!(parked || image.row.state == moving(shape, &read), "{:?}", image.row.state);
    }
}

//! Steps that nobody is asked: those that the log spares and the owner's own are passed in the commit of the answer
//! before them, both ways.

use std::time::Duration;

use storage::Direction::{Do, Undo};
use storage::Overlay;
use types::{Clock, Ids, Tenant, Timestamp};

use super::*;
use crate::books::NewSaga;
use crate::definition::{Call, undo};
use crate::row::{Lease, State};
use crate::shape::Retry;

struct Plain(SagaBooks);

impl Books for Plain {
    fn sagas(&mut self) -> &mut SagaBooks {
        &mut self.0
    }
}

impl Overlay for Plain {
    fn parts(&mut self) -> Vec<&mut dyn Overlay> {
        vec![&mut self.0]
    }
}

fn ask(_: Arc<()>, _: Call) -> std::future::Ready<Answer> {
    std::future::ready(Answer::NothingToDo)
}

#[expect(clippy::unnecessary_wraps, reason = "every local step of a table has this form")]
fn nothing(_: &mut Plain, _: &SagaRow, _: &Log) -> Result<Vec<u8>, LocalError> {
    Ok(vec![])
}

/// Repeats what `hold` has answered.
#[expect(clippy::unnecessary_wraps, reason = "every local step of a table has this form")]
fn note(_: &mut Plain, _: &SagaRow, log: &Log) -> Result<Vec<u8>, LocalError> {
    Ok(log.reply("hold").unwrap_or_default().to_vec())
}

/// `stop` is spared when `hold` answered with a zero, as `note` says again.
fn registry() -> Registry<(), Plain> {
    let definition = Definition::new("move", Version(1))
        .reversible("hold", ask, undo(ask), Retry::quick())
        .noting("note", note)
        .reversible("stop", ask, undo(ask), Retry::quick())
        .unless(|log| log.reply("note") == Some(&[0]))
        .reversible("reserve", ask, undo(ask), Retry::quick())
        .pivot("decide", nothing)
        .finish(nothing)
        .unwound(nothing);
    Registry::new(vec![definition], Limits::default())
}

/// The steps of each commit, and the state at the end.
fn commits(rounds: &[(StepName, Direction, Answer)]) -> (Vec<Vec<String>>, State) {
    let (registry, lease) =
        (registry(), Lease { owner: "worker".to_owned(), length: Duration::from_secs(30) });
    let mut books = Plain(registry.books());
    let new = NewSaga {
        tenant: Tenant::DEFAULT,
        id: Ids::seeded(Clock::manual(Timestamp::UNIX_EPOCH), 1).mint(),
        definition: "move",
        version: Version(1),
        subject_type: "parcel",
        subject_id: "p".to_owned(),
        params: vec![],
        traceparent: None,
        lease: Some(lease.clone()),
    };
    let key = books.0.start(new).row.key;
    let mut commits = Vec::new();
    for (step, direction, answer) in rounds {
        let answers = vec![StepAnswer { step, direction: *direction, answer: answer.clone(), attempts: 1 }];
        let event = Event::Answered { answers, panicked: None };
        let advance = Advance { key: key.clone(), epoch: 1, lease: lease.clone(), jitter: 1.0, event };
        let advanced = registry.apply(&mut books, &advance).expect("the epoch is the saga's own");
        commits.push(advanced.entries.into_iter().map(|entry| entry.step).collect());
    }
    (commits, books.0.get(&key).expect("the saga was started").state)
}

#[test]
fn a_spared_step_is_passed_in_the_commit_before_it() {
    let (commits, state) =
        commits(&[("hold", Do, Answer::Applied(vec![0])), ("reserve", Do, Answer::Applied(vec![]))]);

    assert_eq!(commits, [vec!["hold", "note", "stop"], vec!["reserve", "decide", "finish"]]);
    assert_eq!(state, State::Completed);
}

#[test]
fn a_step_that_is_not_spared_is_asked() {
    let (commits, state) = commits(&[("hold", Do, Answer::Applied(vec![1]))]);

    assert_eq!(commits, [vec!["hold", "note"]]);
    assert_eq!(state, State::Running);
}

#[test]
fn the_undo_of_a_step_that_nobody_was_asked_is_passed_too() {
    let refusal = Refusal::new(Reason::ExceedsRefundable, "not so much");

    let (commits, state) = commits(&[
        ("hold", Do, Answer::Applied(vec![0])),
        ("reserve", Do, Answer::Refused(refusal)),
        ("hold", Undo, Answer::Applied(vec![])),
    ]);

    assert_eq!(
        commits,
        [vec!["hold", "note", "stop"], vec!["reserve", "stop", "note"], vec!["hold", "unwound"]]
    );
    assert_eq!(state, State::Unwound);
}

//! What one round of asking changes: pure rules from answers to log entries, schedule and attention.
//!
//! A round is written in three moves, all in the owner's one commit: [`hear`] puts the answers in the
//! log, the registry runs the local steps that are due, and [`schedule`] says what happens next.

use std::time::Duration;

use storage::Direction;
use types::{Reason, Refusal, Timestamp};

use crate::books::SagaImage;
use crate::definition::Answer;
use crate::log::{Entry, Log, Outcome};
use crate::progress::{self, Next};
use crate::registry::{Limits, Rules};
use crate::row::{Action, Cause, CauseKind, Lease, SagaKey, SagaRow, State, micros};
use crate::shape::{Shape, StepName, UNWIND};

/// One commit of a worker: what it heard, under which fence.
#[derive(Clone, Debug, PartialEq)]
pub struct Advance {
    pub key: SagaKey,
    pub epoch: i64,
    pub lease: Lease,
    /// Between 0 and 1, drawn by the worker: the rules themselves know no chance.
    pub jitter: f64,
    pub event: Event,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// One round of calls. Without answers it only runs the local steps that are due. A step that
    /// panicked stands among the answers as unknown.
    Answered { answers: Vec<StepAnswer>, panicked: Option<String> },
    /// The worker cannot run this saga at all.
    SetAside(Cause),
}

#[derive(Clone, Debug, PartialEq)]
pub struct StepAnswer {
    pub step: StepName,
    pub direction: Direction,
    pub answer: Answer,
    /// How often the step has been sent since the log last grew.
    pub attempts: i64,
}

/// What a commit did, for the owner's timeline and its attention list.
#[derive(Clone, Debug)]
pub struct Advanced {
    pub image: SagaImage,
    /// The log entries of this commit, local steps included.
    pub entries: Vec<Entry>,
    pub attention: AttentionChange,
    /// What an operator may do now; empty without attention.
    pub actions: Vec<Action>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttentionChange {
    None,
    /// Also when the cause became another one: the owner closes the old item and opens a new one.
    Opened(Cause),
    Cleared,
}

impl AttentionChange {
    pub(crate) fn between(before: Option<&Cause>, after: Option<&Cause>) -> Self {
        match (before, after) {
            (None, None) => Self::None,
            (Some(old), Some(new)) if old.kind == new.kind && old.step == new.step => Self::None,
            (_, Some(new)) => Self::Opened(new.clone()),
            (Some(_), None) => Self::Cleared,
        }
    }
}

/// The moment of a commit, by the database's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: i64,
    pub(crate) at: Timestamp,
}

/// Puts a round's answers in the log. An answer the log already holds adds nothing, so a commit whose
/// outcome was unknown may be repeated.
pub(crate) fn hear(
    rules: &Rules,
    shape: &Shape,
    row: &mut SagaRow,
    log: &mut Log,
    answers: &[StepAnswer],
    moment: Moment,
) {
    let before = log.entries().len();
    for heard in answers {
        if let Some(entry) = entry_of(heard, row, log, moment.at) {
            if let (Outcome::Rejected, Direction::Do, None) = (entry.outcome, entry.direction, row.decided_at)
            {
                row.unwind_cause.get_or_insert_with(|| cause_of(&entry));
            }
            log.push(entry);
        }
    }
    if log.entries().len() > before {
        row.attempts = 0;
        row.panics = 0;
    }

    let silent = answers.iter().any(|heard| matches!(heard.answer, Answer::Unknown(_)));
    row.silent_since = silent.then(|| row.silent_since.unwrap_or(moment.now));
    if let Next::Do(step) = rules.next(shape, log)
        && progress::may_unwind(shape, log)
        && silence(row, moment.now) >= micros(shape.retry(step).silence_max)
    {
        let refusal = Refusal::new(Reason::NoAnswerInTime, format!("{step} gave no answer in time"))
            .detail("step", step);
        turn_back(row, log, refusal, moment.at);
    }
}

/// Starts the way back of a saga that may still turn back.
pub(crate) fn turn_back(row: &mut SagaRow, log: &mut Log, refusal: Refusal, at: Timestamp) {
    let epoch = row.epoch;
    row.unwind_cause = Some(refusal.clone());
    row.attention = None;
    row.attempts = 0;
    row.panics = 0;
    row.silent_since = None;
    log.push(Entry { refusal: Some(refusal), ..local_entry(UNWIND, epoch, vec![], at) });
}

/// The entry of a step that the owner itself applied.
pub(crate) fn local_entry(step: StepName, epoch: i64, reply: Vec<u8>, at: Timestamp) -> Entry {
    Entry {
        seq: 0,
        step: step.to_owned(),
        direction: Direction::Do,
        outcome: Outcome::Applied,
        nothing_to_do: false,
        reply: reply.into(),
        refusal: None,
        attempts: 1,
        epoch,
        at,
    }
}

/// Says what happens next: go on under the lease, come back later, stop, or end.
pub(crate) fn schedule(
    rules: &Rules,
    shape: &Shape,
    row: &mut SagaRow,
    log: &Log,
    advance: &Advance,
    moment: Moment,
) {
    let Event::Answered { answers, panicked } = &advance.event else { return };
    let next = rules.next(shape, log);
    if let Some(message) = panicked {
        row.panics += 1;
        if row.panics >= rules.limits.panics_max {
            let step = answers.first().map(|heard| heard.step.to_owned());
            return stop(row, Cause { kind: CauseKind::Panicking, step, message: message.clone() }, moment);
        }
    }

    let open = open_steps(&next);
    let waiting: Vec<&StepAnswer> =
        answers.iter().filter(|heard| open.contains(&(heard.step, heard.direction))).collect();
    row.attention = judge(&rules.limits, shape, row, log, &waiting, moment.now);
    if next == Next::Done {
        end(row, log, moment);
    } else if waiting.is_empty() {
        row.state = moving(shape, log);
        row.hold(&advance.lease, moment.now);
    } else {
        wait(&rules.limits, shape, row, log, &waiting, advance.jitter, moment);
    }
}

/// After an operator's own advance the saga is over, or due for any worker.
pub(crate) fn after_resolve(rules: &Rules, shape: &Shape, row: &mut SagaRow, log: &Log, moment: Moment) {
    row.attention = None;
    row.attempts = 0;
    row.silent_since = None;
    if rules.next(shape, log) == Next::Done {
        end(row, log, moment);
    } else {
        row.state = moving(shape, log);
        row.let_go(moment.now);
    }
}

/// Takes a saga out of the running until somebody acts.
pub(crate) fn stop(row: &mut SagaRow, cause: Cause, moment: Moment) {
    row.attention = Some(cause);
    row.state = State::NeedsAttention;
    row.let_go(moment.now);
}

/// A local step panicked, but not yet too often: try again later.
pub(crate) fn retry_later(
    limits: &Limits,
    shape: &Shape,
    row: &mut SagaRow,
    log: &Log,
    jitter: f64,
    moment: Moment,
) {
    row.attempts += 1;
    row.state = moving(shape, log);
    row.let_go(moment.now + limits.backoff(row.attempts, jitter));
}

pub(crate) fn moving(shape: &Shape, log: &Log) -> State {
    if !log.applied(shape.pivot) && progress::unwinding(shape, log) {
        State::Unwinding
    } else {
        State::Running
    }
}

/// What an operator may do about a saga's attention.
pub(crate) fn actions(shape: Option<&Shape>, row: &SagaRow, log: &Log) -> Vec<Action> {
    let Some(cause) = row.attention.as_ref().filter(|_| !row.state.is_terminal()) else { return vec![] };
    let mut actions = vec![Action::RetryStep];
    if let Some(shape) = shape {
        let next = progress::next(shape, log);
        if progress::may_unwind(shape, log) {
            actions.push(Action::AbortBeforePivot);
        }
        if !cause.kind.stops() && matches!(next, Next::Forward(_) | Next::Undo(_)) {
            actions.push(Action::ResolveStep);
        }
    }
    actions
}

/// The remote steps that are asked next.
pub(crate) fn open_steps(next: &Next) -> Vec<(StepName, Direction)> {
    match next {
        Next::Do(step) => vec![(*step, Direction::Do)],
        Next::Undo(step) => vec![(*step, Direction::Undo)],
        Next::Forward(steps) => steps.iter().map(|step| (*step, Direction::Do)).collect(),
        Next::Pivot | Next::Finish | Next::Unwound | Next::Done => vec![],
    }
}

fn entry_of(heard: &StepAnswer, row: &SagaRow, log: &Log, at: Timestamp) -> Option<Entry> {
    let (outcome, nothing_to_do, reply, refusal) = match &heard.answer {
        Answer::Applied(reply) => (Outcome::Applied, false, reply.clone(), None),
        Answer::NothingToDo => (Outcome::Applied, true, vec![], None),
        Answer::NothingMoved(reply) => (Outcome::Applied, true, reply.clone(), None),
        Answer::Pending { .. } => (Outcome::Pending, false, vec![], None),
        Answer::Refused(refusal) => (Outcome::Rejected, false, vec![], Some(refusal.clone())),
        Answer::Unknown(_) | Answer::Stale => return None,
    };
    // Whatever a participant says, the log stays bounded.
    if log.outcome(heard.step, heard.direction).is_some_and(|known| known >= outcome) {
        return None;
    }
    Some(Entry {
        direction: heard.direction,
        outcome,
        nothing_to_do,
        refusal,
        attempts: heard.attempts,
        ..local_entry(heard.step, row.epoch, reply, at)
    })
}

fn cause_of(entry: &Entry) -> Refusal {
    let refusal = entry.refusal.clone();
    refusal
        .unwrap_or_else(|| Refusal::new(Reason::Internal, "a step was rejected without a reason"))
        .detail("step", &entry.step)
}

fn end(row: &mut SagaRow, log: &Log, moment: Moment) {
    row.state = if log.applied(crate::shape::FINISH) { State::Completed } else { State::Unwound };
    row.finished_at = Some(moment.at);
    row.silent_since = None;
    row.let_go(moment.now);
}

fn wait(
    limits: &Limits,
    shape: &Shape,
    row: &mut SagaRow,
    log: &Log,
    waiting: &[&StepAnswer],
    jitter: f64,
    moment: Moment,
) {
    let poll_max = if row.decided_at.is_some() { limits.poll_max_after } else { limits.poll_max_before };
    let delay = |heard: &&StepAnswer| match &heard.answer {
        Answer::Pending { poll_after: Some(hint) } => micros((*hint).min(poll_max)),
        // A refusal after the pivot stays one until an operator acts; asking again is only a check.
        Answer::Pending { poll_after: None } | Answer::Refused(_) => limits.doubling(row.attempts, poll_max),
        Answer::Unknown(_)
        | Answer::Stale
        | Answer::Applied(_)
        | Answer::NothingToDo
        | Answer::NothingMoved(_) => limits.backoff(row.attempts, jitter),
    };
    let soonest = waiting.iter().map(delay).min().unwrap_or(0);
    let parked = waiting.iter().all(|heard| matches!(heard.answer, Answer::Pending { .. }));

    row.state = if parked { State::Parked } else { moving(shape, log) };
    row.attempts += 1;
    row.let_go(if row.woken { moment.now } else { moment.now + soonest });
    row.woken = false;
}

/// Whether somebody should look, judged anew in every round, so that a later success clears it.
fn judge(
    limits: &Limits,
    shape: &Shape,
    row: &SagaRow,
    log: &Log,
    waiting: &[&StepAnswer],
    now: i64,
) -> Option<Cause> {
    let refused = waiting.iter().find_map(|heard| {
        let entry = log.last(heard.step, heard.direction)?;
        (entry.outcome == Outcome::Rejected).then_some((heard, entry))
    });
    if let Some((heard, entry)) = refused {
        let kind =
            if heard.direction == Direction::Undo { CauseKind::UndoFailing } else { CauseKind::Refused };
        let message = entry.refusal.as_ref().map_or_else(String::new, ToString::to_string);
        return Some(Cause { kind, step: Some(heard.step.to_owned()), message });
    }

    waiting.iter().find_map(|heard| {
        let Answer::Unknown(text) = &heard.answer else { return None };
        let at_gate = shape.gate.is_some_and(|gate| gate.step == heard.step);
        let kind = match heard.direction {
            Direction::Undo if row.attempts >= limits.undo_rounds => CauseKind::UndoFailing,
            Direction::Do
                if row.decided_at.is_some() && silence(row, now) >= micros(limits.silence_after) =>
            {
                CauseKind::NotAnswering
            }
            Direction::Do if at_gate && silence(row, now) >= micros(shape.retry(heard.step).silence_max) => {
                CauseKind::NotAnswering
            }
            Direction::Undo | Direction::Do => return None,
        };
        Some(Cause { kind, step: Some(heard.step.to_owned()), message: text.clone() })
    })
}

fn silence(row: &SagaRow, now: i64) -> i64 {
    row.silent_since.map_or(0, |since| now - since)
}

impl Limits {
    /// Full jitter over a doubling ceiling.
    pub(crate) fn backoff(&self, attempts: i64, jitter: f64) -> i64 {
        let ceiling = self.doubling(attempts, self.backoff_max);
        let part = Duration::from_micros(u64::try_from(ceiling).unwrap_or(0)).mul_f64(jitter.clamp(0.0, 1.0));
        micros(part)
    }

    pub(crate) fn doubling(&self, attempts: i64, most: Duration) -> i64 {
        let exponent = u32::try_from(attempts.clamp(0, 20)).unwrap_or(20);
        micros(self.first_delay.saturating_mul(1 << exponent).min(most))
    }
}

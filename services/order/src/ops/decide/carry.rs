//! Writing one round of a saga. Every new log entry appears in the order's timeline in the same commit, the change shows when the saga
//! turns back, and an attention item opens and closes with the saga's.

use saga::{
    Action, Advance, Advanced, AttentionChange, Cause, CauseKind, LeaseLost, Outcome, SagaImage, SagaKey,
};
use storage::Direction;
use types::{Reason, Refusal, Timestamp};

use crate::domain::change::{ChangeOrder, ChangeState};
use crate::domain::history::{Entry, StepDirection, StepMark};
use crate::domain::lifecycle;
use crate::ops::books::Books;
use crate::ops::books::attention::{Raised, SAGA};
use crate::ops::decide::context::Context;
use crate::ops::plans;
use crate::store::orders;

/// Writes one round of the saga runner.
pub fn advance(context: &Context, books: &mut Books, advance: &Advance) -> Result<SagaImage, LeaseLost> {
    let told_before = books.noted();
    let advanced = context.registry.apply(books, advance)?;
    record(context, books, &advanced, told_before);
    Ok(advanced.image)
}

fn record(context: &Context, books: &mut Books, advanced: &Advanced, told_before: usize) {
    let row = &advanced.image.row;
    let (order, change) = match books.subject(row) {
        Ok(subject) => subject,
        Err(problem) => {
            // The saga library sets such a saga aside as soon as one of its local steps is due.
            tracing::error!(saga_id = %row.key.id, %problem, "a saga moved that belongs to no order");
            return;
        }
    };
    let key = orders::key(&order);
    let pivot = context.registry.shape(&row.definition, row.version).map_or("", |shape| shape.pivot);
    let is_local = |step: &str| [pivot, "finish", "unwound"].contains(&step);
    // The participants' answers come before what was decided because of them.
    let now = books.now;
    let mut heard: Vec<Entry> =
        advanced.entries.iter().map(|entry| step_entry(&row.key, change.as_ref(), entry, now)).collect();
    let first_local = advanced.entries.iter().position(|entry| is_local(&entry.step));
    let decided = heard.split_off(first_local.unwrap_or(heard.len()));
    books.note_at(told_before, &key, heard);
    for entry in decided {
        books.note(&key, entry);
    }

    show_unwinding(books, &row.key);
    attend(books, advanced, change.as_ref());
}

/// Asks a saga to compensate, and shows it on the saga's change.
pub fn turn_back(books: &mut Books, key: &SagaKey, cause: Refusal) -> Result<(), Refusal> {
    let before = books.sagas.log(key).map_or(0, |log| log.entries().len());
    books.sagas.request_unwind(key, cause)?;
    let row = books.sagas.get(key).expect("a saga that turns back is there").clone();
    let (order, change) =
        books.subject(&row).map_err(|error| Refusal::new(Reason::StateConflict, error.0))?;
    let log = books.sagas.log(key).expect("a saga that turns back has a readable log").clone();
    for entry in log.since(before) {
        books.note(&orders::key(&order), step_entry(key, change.as_ref(), entry, books.now));
    }
    show_unwinding(books, key);
    Ok(())
}

/// Shows on a change that its saga turns back. A change that waits for the placing to be undone does not show it: it gets what it asked
/// for.
fn show_unwinding(books: &mut Books, key: &SagaKey) {
    let Some(row) = books.sagas.get(key).cloned() else { return };
    let (Some(cause), plans::SUBJECT_CHANGE) = (row.unwind_cause.clone(), row.subject_type.as_str()) else {
        return;
    };
    let Ok((mut order, Some(mut change))) = books.subject(&row) else { return };
    if change.state != ChangeState::Executing {
        return;
    }
    let happened = lifecycle::begin_unwinding(&mut change, cause, books.now)
        .expect("a change that is executing can begin to be put back");
    order.version += 1;
    books.put(order, Some(change), happened, row.traceparent.as_deref());
}

/// The saga's log has the database's clock. The timeline has the commit's instant, so that it never steps back.
fn step_entry(key: &SagaKey, change: Option<&ChangeOrder>, entry: &saga::Entry, now: Timestamp) -> Entry {
    let direction = match entry.direction {
        Direction::Do => StepDirection::Do,
        Direction::Undo => StepDirection::Undo,
    };
    let outcome = entry.outcome.as_str();
    let summary = match (&entry.refusal, entry.outcome) {
        (Some(refusal), _) => format!("{}: {}", entry.step, refusal.message),
        (None, Outcome::Applied) if entry.nothing_to_do => format!("{} had nothing to do", entry.step),
        (None, Outcome::Applied) => match direction {
            StepDirection::Do => format!("{} is done", entry.step),
            StepDirection::Undo => format!("{} is undone", entry.step),
        },
        (None, Outcome::Pending | Outcome::Rejected) => format!("{} is {outcome}", entry.step),
    };
    let mark = StepMark { step: entry.step.clone(), direction };
    let mut told = Entry::of_step(now, key.id.clone(), mark, outcome, summary);
    told.change_order_id = change.map(|change| change.change_order_id.clone());
    told.reason_code =
        entry.refusal.as_ref().map_or_else(String::new, |refusal| refusal.reason.as_str().to_owned());
    told
}

fn attend(books: &mut Books, advanced: &Advanced, change: Option<&ChangeOrder>) {
    let row = &advanced.image.row;
    match &advanced.attention {
        AttentionChange::None => {}
        AttentionChange::Cleared => books.close(&row.key.tenant, SAGA, row.key.id.as_str()),
        AttentionChange::Opened(cause) => {
            books.close(&row.key.tenant, SAGA, row.key.id.as_str());
            books.raise(Raised {
                tenant: row.key.tenant.clone(),
                order_id: plans::order_of(&row.params),
                change_order_id: change.map(|change| change.change_order_id.clone()),
                subject_type: SAGA.to_owned(),
                subject_id: row.key.id.to_string(),
                cause: refusal_of(cause, &advanced.image),
                allowed_actions: actions(&advanced.actions),
            });
        }
    }
}

/// The cause as a published reason: the participant's own where it gave one.
fn refusal_of(cause: &Cause, image: &SagaImage) -> Refusal {
    let step = cause.step.as_deref().unwrap_or_default();
    let refused =
        image.log.entries().iter().rev().find(|entry| entry.step == step && entry.refusal.is_some());
    let reason = match cause.kind {
        CauseKind::NotAnswering => Reason::NoAnswerInTime,
        CauseKind::Refused | CauseKind::UndoFailing => {
            let said = refused.and_then(|entry| entry.refusal.as_ref());
            said.map_or(Reason::NoAnswerInTime, |refusal| refusal.reason)
        }
        CauseKind::LocalStepFailed
        | CauseKind::Panicking
        | CauseKind::Unreadable
        | CauseKind::UnknownDefinition => Reason::Internal,
    };
    Refusal::new(reason, cause.message.clone()).detail("kind", cause.kind.as_str()).detail("step", step)
}

/// The RPCs that an operator may call. Trying again is always among them.
fn actions(allowed: &[Action]) -> Vec<String> {
    let mut rpcs = vec!["RetryStep".to_owned()];
    for action in allowed {
        match action {
            Action::AbortBeforePivot => rpcs.push("AbortBeforePivot".to_owned()),
            // Resolving a step by hand has no RPC; trying again is offered already.
            Action::RetryStep | Action::ResolveStep => {}
        }
    }
    rpcs
}

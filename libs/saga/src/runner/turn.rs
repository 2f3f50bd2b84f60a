//! One turn of one saga: ask what is next, commit what was heard. The loop around it only repeats.

use std::time::Duration;

use futures::future::join_all;

use super::ask::{Heard, ask};
use super::held::Hold;
use super::work::Worker;
use super::{CommitError, Owner};
use crate::advance::{Advance, Event, open_steps};
use crate::books::{Record, SagaImage};
use crate::definition::Answer;
use crate::progress::Next;
use crate::row::{Cause, CauseKind, State};
use crate::store;

/// A commit whose outcome is unknown is repeated this often; after that the lease runs out, and the
/// log tells the next worker what was written.
const COMMIT_TRIES: u32 = 3;
const COMMIT_PAUSE_MAX: Duration = Duration::from_millis(500);

enum Turn {
    Next(SagaImage),
    /// Ended, parked, rescheduled or stopped; the owner has written it.
    GivenUp(SagaImage),
    /// Somebody else has it, or nobody knows: change nothing more.
    Lost,
    ShuttingDown,
}

/// Runs a saga for as long as it moves and the lease is ours.
pub(super) async fn run<O: Owner>(worker: &Worker<O>, mut image: SagaImage) {
    let Some(hold) = worker.held.take(&image) else { return };
    loop {
        match turn(worker, &hold, &image).await {
            Turn::Next(next) => image = next,
            Turn::GivenUp(last) => {
                let (id, state) = (&last.row.key.id, last.row.state.as_str());
                tracing::debug!(saga_id = %id, state, next_at = last.row.next_at, "gave a saga up");
                if last.row.next_at <= last.now && !last.row.state.is_terminal() {
                    worker.bell.wake();
                }
                return;
            }
            Turn::Lost => return,
            Turn::ShuttingDown => return hold.keep(),
        }
    }
}

/// Judges a claimed saga: one that this program cannot run is set aside, and the others go on.
pub(super) async fn begin<O: Owner>(worker: &Worker<O>, record: Record, now: i64, began: std::time::Instant) {
    let shape = worker.registry.shape(&record.row.definition, record.row.version);
    let unrunnable = record.unrunnable(shape);
    let image = SagaImage { row: record.row, log: record.log.unwrap_or_default(), now, began };
    match unrunnable {
        None => run(worker, image).await,
        Some(cause) => set_aside(worker, &image, cause).await,
    }
}

async fn turn<O: Owner>(worker: &Worker<O>, hold: &Hold, image: &SagaImage) -> Turn {
    if worker.shutdown.is_cancelled() {
        return Turn::ShuttingDown;
    }
    let Some(definition) = worker.registry.definition(&image.row) else {
        let message = format!("no definition {} version {}", image.row.definition, image.row.version.0);
        set_aside(worker, image, Cause { kind: CauseKind::UnknownDefinition, step: None, message }).await;
        return Turn::Lost;
    };
    let next = worker.registry.rules().next(definition.shape(), &image.log);
    if next == Next::Done {
        return Turn::Lost;
    }
    if hold.age().is_none_or(|age| age >= worker.config.stop_after()) {
        tracing::warn!(saga_id = %image.row.key.id, "the lease was not renewed in time; leaving the saga");
        return Turn::Lost;
    }

    let calls = open_steps(&next).into_iter().map(|step| ask(worker, definition, image, hold, step));
    let heard = tokio::select! {
        heard = join_all(calls) => heard,
        () = hold.is_lost() => return Turn::Lost,
        () = worker.shutdown.cancelled() => return Turn::ShuttingDown,
    };
    if heard.iter().any(|heard| heard.answer.answer == Answer::Stale) {
        tracing::info!(saga_id = %image.row.key.id, epoch = image.row.epoch, "a participant knows a newer owner");
        return Turn::Lost;
    }
    commit(worker, hold, image, round(heard)).await
}

fn round(heard: Vec<Heard>) -> Event {
    let panicked = heard.iter().find_map(|heard| heard.panic.clone());
    Event::Answered { answers: heard.into_iter().map(|heard| heard.answer).collect(), panicked }
}

async fn commit<O: Owner>(worker: &Worker<O>, hold: &Hold, image: &SagaImage, event: Event) -> Turn {
    let advance = advance(worker, image, event);
    for attempt in 1..=COMMIT_TRIES {
        match worker.owner.commit(advance.clone()).await {
            Ok(image) if image.row.held_by(&worker.config.worker) => {
                hold.renewed(image.began);
                return Turn::Next(image);
            }
            Ok(image) => return Turn::GivenUp(image),
            Err(CommitError::LeaseLost(_)) => return Turn::Lost,
            Err(CommitError::Unknown(problem)) => {
                tracing::warn!(saga_id = %advance.key.id, attempt, problem, "could not commit a round");
                tokio::time::sleep(rand::random_range(Duration::ZERO..COMMIT_PAUSE_MAX)).await;
            }
        }
    }
    Turn::Lost
}

/// Tells the owner, so that it opens its attention item. An owner that cannot even load what belongs
/// to the saga must not keep the worker at it for ever, so then the row alone is written.
async fn set_aside<O: Owner>(worker: &Worker<O>, image: &SagaImage, cause: Cause) {
    let key = &image.row.key;
    tracing::error!(saga_id = %key.id, kind = cause.kind.as_str(), cause.message, "setting a saga aside");
    let told = worker.owner.commit(advance(worker, image, Event::SetAside(cause.clone()))).await;
    let problem = match told {
        Ok(image) if image.row.state == State::NeedsAttention => return,
        Ok(_) => String::from("the owner did not write it"),
        Err(CommitError::LeaseLost(_)) => return,
        Err(CommitError::Unknown(problem)) => problem,
    };
    tracing::error!(saga_id = %key.id, problem, "the owner could not set a saga aside");
    if let Err(problem) = store::set_aside(worker.owner.database(), key, image.row.epoch, &cause).await {
        tracing::error!(saga_id = %key.id, %problem, "could not set a saga aside; it will be claimed again");
    }
}

fn advance<O: Owner>(worker: &Worker<O>, image: &SagaImage, event: Event) -> Advance {
    Advance {
        key: image.row.key.clone(),
        epoch: image.row.epoch,
        lease: worker.config.grant(),
        jitter: rand::random(),
        event,
    }
}

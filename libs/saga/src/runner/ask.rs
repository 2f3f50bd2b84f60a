//! Asks one step: a few times in one go, each under a deadline that the lease covers.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use storage::{Direction, StepContext};
use tracing::{Instrument as _, info_span};

use super::held::Hold;
use super::work::Worker;
use super::{Owner, RunnerConfig};
use crate::advance::StepAnswer;
use crate::books::SagaImage;
use crate::definition::{Answer, Call, Definition};
use crate::registry::panic_text;
use crate::shape::StepName;

const INLINE_PAUSE_MIN: Duration = Duration::from_millis(50);

/// What one step's asking brought; a panic counts as no answer.
pub(super) struct Heard {
    pub(super) answer: StepAnswer,
    pub(super) panic: Option<String>,
}

pub(super) async fn ask<O: Owner>(
    worker: &Worker<O>,
    definition: &Definition<O::Ports, O::Books>,
    image: &SagaImage,
    hold: &Hold,
    (step, direction): (StepName, Direction),
) -> Heard {
    let retry = definition.shape().retry(step);
    let sent_before = image.row.attempts * i64::from(retry.tries_inline);
    let heard = |answer, tries: u32, panic| {
        let attempts = sent_before + i64::from(tries);
        Heard { answer: StepAnswer { step, direction, answer, attempts }, panic }
    };

    let mut silence = String::from("the lease was too short for a call");
    for attempt in 1..=retry.tries_inline {
        if attempt > 1 {
            pause(&worker.config).await;
        }
        let Some(time) = time_for_a_call(&worker.config, hold, retry.per_try) else {
            return heard(Answer::Unknown(silence), attempt - 1, None);
        };
        let call = call_of(image, step, direction, sent_before + i64::from(attempt), time);
        match once(worker, definition, step, call, time).await {
            Ok(Answer::Unknown(text)) => silence = text,
            Ok(answer) => return heard(answer, attempt, None),
            Err(panic) => {
                let text = format!("the step panicked: {panic}");
                return heard(Answer::Unknown(text), attempt, Some(panic));
            }
        }
    }
    heard(Answer::Unknown(silence), retry.tries_inline, None)
}

async fn once<O: Owner>(
    worker: &Worker<O>,
    definition: &Definition<O::Ports, O::Books>,
    step: StepName,
    call: Call,
    time: Duration,
) -> Result<Answer, String> {
    let span = info_span!(
        "saga.step",
        saga.definition = definition.shape().name,
        saga.id = call.context.saga_id,
        saga.step = step,
        saga.direction = call.context.direction.as_str(),
        saga.epoch = call.context.epoch,
        saga.attempt = call.context.attempt,
        tenant = call.context.tenant.as_str(),
    );
    if let Some(traceparent) = &call.traceparent {
        (worker.config.continue_trace)(&span, traceparent);
    }
    let asked = async {
        match definition.ask(&worker.ports, step, call) {
            Some(answer) => answer.await,
            None => Answer::Unknown(format!("the table has no function for {step}")),
        }
    };
    match tokio::time::timeout(time, AssertUnwindSafe(asked).catch_unwind()).instrument(span).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(panic)) => Err(panic_text(&*panic)),
        Err(_elapsed) => Ok(Answer::Unknown(format!("{step} gave no answer within {time:?}"))),
    }
}

fn call_of(image: &SagaImage, step: StepName, direction: Direction, attempt: i64, time: Duration) -> Call {
    let row = &image.row;
    let context = StepContext {
        tenant: row.key.tenant.clone(),
        saga_id: row.key.id.to_string(),
        step: step.to_owned(),
        direction,
        epoch: row.epoch,
        attempt,
    };
    Call {
        context,
        subject_id: row.subject_id.clone(),
        params: row.params.clone(),
        log: image.log.clone(),
        traceparent: row.traceparent.clone(),
        deadline: Instant::now() + time,
    }
}

/// The time a call may take so that it ends well inside the lease; `None` when none may begin.
fn time_for_a_call(config: &RunnerConfig, hold: &Hold, per_try: Duration) -> Option<Duration> {
    let age = hold.age().filter(|age| *age < config.stop_after())?;
    Some(config.lease.checked_sub(age + config.margin())?.min(per_try))
}

async fn pause(config: &RunnerConfig) {
    let most = config.inline_pause_max.max(INLINE_PAUSE_MIN);
    tokio::time::sleep(rand::random_range(INLINE_PAUSE_MIN..=most)).await;
}

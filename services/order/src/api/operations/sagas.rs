//! GetSaga and ListSagas: how far the work has come, step by step.

use kit::page::{Listing, Page};
use kit::{Failure, Principal};
use proto::order::v1 as wire;
use saga::{Entry, Log, Outcome, SagaImage, SagaRow, State};
use storage::Direction;
use tonic::Request;
use types::Refusal;

use crate::api::convert::{each_state, page_of, saga_id, token_of};
use crate::ops::Orders;
use crate::wire::timestamp;

pub async fn get(
    orders: &Orders,
    request: Request<wire::GetSagaRequest>,
) -> Result<wire::GetSagaResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let saga_id = saga_id(&request.get_ref().saga_id)?;

    let image = orders.saga(&caller, saga_id).await?;
    Ok(wire::GetSagaResponse { saga: Some(shown(&image)) })
}

pub async fn list(
    orders: &Orders,
    request: Request<wire::ListSagasRequest>,
) -> Result<wire::ListSagasResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let states = states(&request.states)?;
    let listing = Listing::new("ListSagas", &caller.tenant, &states);
    let page = Page::parse(orders.seal(), listing, request.page_size, &request.page_token)?;
    let found = orders.sagas(&caller, &states, &page_of(&page)?).await?;
    Ok(wire::ListSagasResponse {
        sagas: found.items.iter().map(|image| saga(&image.row, Vec::new())).collect(),
        next_page_token: token_of(&page, found.next),
    })
}

/// A saga with its steps.
pub fn shown(image: &SagaImage) -> wire::Saga {
    saga(&image.row, steps(&image.log))
}

fn saga(row: &SagaRow, steps: Vec<wire::SagaStep>) -> wire::Saga {
    wire::Saga {
        saga_id: row.key.id.to_string(),
        definition: row.definition.clone(),
        version: i32::try_from(row.version.0).expect("a definition has a handful of versions"),
        subject_type: row.subject_type.clone(),
        subject_id: row.subject_id.clone(),
        state: state(row.state).into(),
        epoch: row.epoch,
        attempts: row.attempts,
        unwind_cause: row.unwind_cause.as_ref().map_or_else(String::new, ToString::to_string),
        attention_cause: row.attention.as_ref().map_or_else(String::new, |cause| cause.message.clone()),
        started_at: row.started_at.to_string(),
        decided_at: timestamp(row.decided_at),
        finished_at: timestamp(row.finished_at),
        steps,
    }
}

fn steps(log: &Log) -> Vec<wire::SagaStep> {
    log.entries().iter().map(step).collect()
}

fn step(entry: &Entry) -> wire::SagaStep {
    wire::SagaStep {
        sequence: entry.seq,
        step: entry.step.clone(),
        direction: match entry.direction {
            Direction::Do => "do".to_owned(),
            Direction::Undo => "undo".to_owned(),
        },
        outcome: match entry.outcome {
            Outcome::Pending => "pending".to_owned(),
            Outcome::Applied => "applied".to_owned(),
            Outcome::Rejected => "rejected".to_owned(),
        },
        nothing_to_do: entry.nothing_to_do,
        reason: entry.refusal.as_ref().map_or_else(String::new, |refusal| refusal.reason.as_str().to_owned()),
        attempts: entry.attempts,
        at: entry.at.to_string(),
    }
}

fn state(state: State) -> wire::SagaState {
    match state {
        State::Running => wire::SagaState::Running,
        State::Parked => wire::SagaState::Parked,
        State::Unwinding => wire::SagaState::Unwinding,
        State::NeedsAttention => wire::SagaState::NeedsAttention,
        State::Completed => wire::SagaState::Completed,
        State::Unwound => wire::SagaState::Unwound,
    }
}

fn states(given: &[i32]) -> Result<Vec<State>, Refusal> {
    each_state(given, |state| {
        Some(match wire::SagaState::try_from(state).ok()? {
            wire::SagaState::Unspecified => return None,
            wire::SagaState::Running => State::Running,
            wire::SagaState::Parked => State::Parked,
            wire::SagaState::Unwinding => State::Unwinding,
            wire::SagaState::NeedsAttention => State::NeedsAttention,
            wire::SagaState::Completed => State::Completed,
            wire::SagaState::Unwound => State::Unwound,
        })
    })
}

//! How a participant's word becomes the saga's answer.

use kit::answer::{self, Verdict};
use proto::common::v1::{StepContext, StepDirection};
use saga::{Answer, Call};
use storage::Direction;
use tonic::Status;
use types::{Reason, Refusal};

/// The context of a step call as it travels.
pub(super) fn context(call: &Call) -> StepContext {
    let direction = match call.context.direction {
        Direction::Do => StepDirection::Do,
        Direction::Undo => StepDirection::Undo,
    };
    StepContext {
        tenant: call.context.tenant.to_string(),
        saga_id: call.context.saga_id.clone(),
        step: call.context.step.clone(),
        direction: direction.into(),
        epoch: call.context.epoch,
        attempt: call.context.attempt,
        traceparent: call.traceparent.clone().unwrap_or_default(),
    }
}

/// A refusal inside a batch reply. A stale epoch is no answer at all, and a reason that this program does not know
/// (a newer peer's) is asked again instead of guessed at.
pub(super) fn refused(refusal: proto::common::v1::Refusal) -> Answer {
    match Reason::parse(&refusal.reason) {
        Some(Reason::StaleEpoch) => Answer::Stale,
        Some(reason) => {
            let details = refusal.details.into_iter().collect();
            Answer::Refused(Refusal { reason, message: refusal.message, field: None, details })
        }
        None => Answer::Unknown(format!(
            "the peer refuses with {:?}, which is not a known reason",
            refusal.reason
        )),
    }
}

/// A failed batch call says nothing about its steps, unless it clearly does.
pub(super) fn failed(status: &Status) -> Answer {
    match answer::classify(status) {
        Verdict::Answered(refusal) => Answer::Refused(refusal),
        Verdict::Stale => Answer::Stale,
        Verdict::Unknown(text) => Answer::Unknown(text),
    }
}

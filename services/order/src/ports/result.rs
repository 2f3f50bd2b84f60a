//! How a participant's word becomes the saga's answer.

use kit::answer::Verdict;
use proto::common::v1::StepContext;
use saga::{Answer, Call};

/// The context of a step call as it travels.
pub(super) fn context(call: &Call) -> StepContext {
    kit::step::to_wire(&call.context, call.traceparent.as_deref())
}

/// A stale epoch is no answer at all, and what says nothing clearly is asked again instead of guessed at.
pub(super) fn of(verdict: Verdict) -> Answer {
    match verdict {
        Verdict::Answered(refusal) => Answer::Refused(refusal),
        Verdict::Stale => Answer::Stale,
        Verdict::Unknown(text) => Answer::Unknown(text),
    }
}

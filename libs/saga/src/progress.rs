//! What is next: a pure function of the definition's shape and the log, and the only place that knows.

use storage::Direction::{Do, Undo};

use crate::log::{Log, Outcome};
use crate::shape::{FINISH, Shape, StepName, UNWIND, UNWOUND};

/// What a saga has to do now. Pivot, Finish and Unwound are the owner's own (local) steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask a reversible step or the gate; a pending one is asked again, which is its poll.
    Do(StepName),
    Pivot,
    /// Ask every forward step that is not done, in this order; a pending one holds up none.
    Forward(Vec<StepName>),
    Finish,
    Undo(StepName),
    Unwound,
    Done,
}

pub fn next(shape: &Shape, log: &Log) -> Next {
    if log.applied(FINISH) || log.applied(UNWOUND) {
        Next::Done
    } else if log.applied(shape.pivot) {
        after_the_pivot(shape, log)
    } else if unwinding(shape, log) {
        back(shape, log)
    } else {
        before_the_pivot(shape, log)
    }
}

/// Whether the saga is on its way back: it was asked to, or a step was refused.
pub fn unwinding(shape: &Shape, log: &Log) -> bool {
    let refused = |step: StepName| log.outcome(step, Do) == Some(Outcome::Rejected);
    log.applied(UNWIND)
        || shape.reversible.iter().any(|reversible| refused(reversible.step))
        || shape.gate.is_some_and(|gate| refused(gate.step))
}

/// Whether the saga can still be asked to unwind. Once the gate may have been sent it cannot: its
/// answer may be a yes, and a yes cannot be taken back.
pub fn may_unwind(shape: &Shape, log: &Log) -> bool {
    match next(shape, log) {
        Next::Do(step) => shape.gate.is_none_or(|gate| gate.step != step),
        Next::Pivot => shape.gate.is_none(),
        Next::Undo(_) | Next::Unwound | Next::Forward(_) | Next::Finish | Next::Done => false,
    }
}

fn before_the_pivot(shape: &Shape, log: &Log) -> Next {
    let steps = shape.reversible.iter().map(|reversible| reversible.step);
    steps
        .chain(shape.gate.iter().map(|gate| gate.step))
        .find(|step| !log.applied(step))
        .map_or(Next::Pivot, Next::Do)
}

fn after_the_pivot(shape: &Shape, log: &Log) -> Next {
    let open: Vec<_> =
        shape.forward.iter().map(|forward| forward.step).filter(|step| !log.applied(step)).collect();
    if open.is_empty() { Next::Finish } else { Next::Forward(open) }
}

/// Takes back everything that may have happened, newest first. The first step without a recorded yes
/// is among it, because the call may have arrived although no answer did; a step never recorded at
/// all costs one undo that finds nothing. Only a recorded refusal says that nothing happened.
fn back(shape: &Shape, log: &Log) -> Next {
    let reached = shape.reversible.iter().take_while(|reversible| log.applied(reversible.step)).count();
    let in_doubt = shape.reversible.iter().take(reached + 1).rev().map(|reversible| reversible.step);
    in_doubt
        .filter(|step| log.outcome(step, Do) != Some(Outcome::Rejected))
        .find(|step| log.outcome(step, Undo) != Some(Outcome::Applied))
        .map_or(Next::Unwound, Next::Undo)
}

#[cfg(test)]
mod tests;

//! The rules of the step ledger once more, as plainly as possible, and the alphabet of calls they are tried with.

use storage::{Direction, Outcome, StepCall, StepContext};
use types::{Fingerprint, Reason, Tenant};

/// One call of the alphabet: direction × epoch × body, and what the business says if it is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Op {
    pub direction: Direction,
    pub epoch: i64,
    pub body: u8,
}

pub const ALPHABET: [Op; 8] = {
    use Direction::{Do, Undo};
    [
        Op { direction: Do, epoch: 1, body: 1 },
        Op { direction: Do, epoch: 1, body: 2 },
        Op { direction: Do, epoch: 2, body: 1 },
        Op { direction: Do, epoch: 2, body: 2 },
        Op { direction: Undo, epoch: 1, body: 1 },
        Op { direction: Undo, epoch: 1, body: 2 },
        Op { direction: Undo, epoch: 2, body: 1 },
        Op { direction: Undo, epoch: 2, body: 2 },
    ]
};

pub fn call(saga_id: &str, op: Op) -> StepCall {
    StepCall {
        context: StepContext {
            tenant: Tenant::default(),
            saga_id: saga_id.to_owned(),
            step: "hold".to_owned(),
            direction: op.direction,
            epoch: op.epoch,
            attempt: 1,
        },
        request_hash: Fingerprint::of(&[&[op.body]]),
        completes: None,
    }
}

/// What a participant answers, in the plainest words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Ran(Outcome),
    Repeated(Outcome, bool),
    Refused(Reason),
    NothingToDo,
    UndidPending,
}

/// The rules once more, written as plainly as possible and without a database.
#[derive(Debug, Default, Clone)]
pub struct Model {
    fence: i64,
    pub done: Option<(u8, Outcome)>,
    pub undone: Option<(u8, bool)>,
}

impl Model {
    pub fn step(&mut self, op: Op, business: Outcome) -> Said {
        if op.epoch < self.fence {
            return Said::Refused(Reason::StaleEpoch);
        }
        self.fence = op.epoch;
        match op.direction {
            Direction::Do => match self.done {
                Some((_, Outcome::Tombstoned)) => Said::Refused(Reason::StepTombstoned),
                Some((body, _)) if body != op.body => Said::Refused(Reason::IdempotencyKeyReused),
                Some((_, outcome)) => Said::Repeated(outcome, false),
                None => {
                    self.done = Some((op.body, business));
                    Said::Ran(business)
                }
            },
            Direction::Undo => match (self.undone, self.done) {
                (Some((body, _)), _) if body != op.body => Said::Refused(Reason::IdempotencyKeyReused),
                (Some((_, nothing)), _) => Said::Repeated(Outcome::Applied, nothing),
                (None, Some((_, Outcome::Applied))) => {
                    self.undone = Some((op.body, false));
                    Said::Ran(Outcome::Applied)
                }
                (None, Some((body, Outcome::Pending))) => {
                    self.done = Some((body, Outcome::Tombstoned));
                    self.undone = Some((op.body, false));
                    Said::UndidPending
                }
                (None, done) => {
                    self.done = done.or(Some((op.body, Outcome::Tombstoned)));
                    self.undone = Some((op.body, true));
                    Said::NothingToDo
                }
            },
        }
    }
}

//! Participants in memory: the real step ledger in front of counted effects.

use std::collections::BTreeMap;
use std::time::Duration;

use storage::{Admission, Direction, LedgerRow, Outcome, StepCall, StepContext, StepLedger};
use types::{Fingerprint, Reason, Refusal, Timestamp};

use super::run::{Flaw, Plan};
use crate::definition::Answer;
use crate::row::SagaKey;
use crate::shape::{Shape, StepName};

/// What stands of a step: how often it took effect, and how often that was taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effect {
    pub(super) done: u32,
    pub(super) undone: u32,
}

pub(super) struct World {
    ledger: StepLedger,
    effects: BTreeMap<StepName, Effect>,
    key: SagaKey,
    completes: BTreeMap<StepName, StepName>,
    refuse: Option<StepName>,
    pend: Option<StepName>,
    flaw: Option<Flaw>,
}

impl World {
    pub(super) fn new(shape: &Shape, key: SagaKey, plan: &Plan, flaw: Option<Flaw>) -> Self {
        let ledger = StepLedger::unseen(&[(key.tenant.clone(), key.id.to_string())]);
        let completes = shape.forward.iter().filter_map(|forward| Some((forward.step, forward.completes?)));
        let refuse = plan.refuse.map(|step| {
            if matches!(flaw, Some(Flaw::RefusesAnother)) { other_than(shape, step) } else { step }
        });
        let (completes, pend) = (completes.collect(), plan.pend);
        Self { ledger, effects: BTreeMap::new(), key, completes, refuse, pend, flaw }
    }

    pub(super) fn effect(&self, step: StepName) -> Effect {
        self.effects.get(step).copied().unwrap_or_default()
    }

    /// One call as it arrives.
    pub(super) fn receive(&mut self, step: StepName, direction: Direction, epoch: i64) -> Answer {
        let call = self.call(step, direction, epoch);
        match self.ledger.admit(&call, Timestamp::UNIX_EPOCH) {
            Admission::Run => self.carry_out(step, &call),
            Admission::Replay(row) => self.replay(step, direction, &row),
            Admission::Refused(refusal) if refusal.reason == Reason::StaleEpoch => Answer::Stale,
            Admission::Refused(refusal) => Answer::Refused(refusal),
            Admission::UndoNothing => Answer::NothingToDo,
            Admission::UndoPending => {
                self.undo(step);
                self.record(&call, Outcome::Applied);
                Answer::Applied(reply(step))
            }
        }
    }

    /// The participant's own end of a pending step. It has come before the undo, or not at all.
    pub(super) fn settle_pending(&mut self) {
        let Some(step) = self.pend.take() else { return };
        let settled =
            self.ledger.settle(&self.key.tenant, self.key.id.as_str(), step, Outcome::Applied, reply(step));
        assert!(settled || self.flaw.is_some(), "a pending step was settled by somebody else");
    }

    fn carry_out(&mut self, step: StepName, call: &StepCall) -> Answer {
        match call.context.direction {
            Direction::Undo => {
                self.undo(step);
                self.record(call, Outcome::Applied);
                Answer::Applied(reply(step))
            }
            Direction::Do if self.refuse == Some(step) => {
                self.record(call, Outcome::Rejected);
                Answer::Refused(refusal())
            }
            Direction::Do if self.pend == Some(step) => {
                self.effects.entry(step).or_default().done += 1;
                self.record(call, Outcome::Pending);
                Answer::Pending { poll_after: Some(Duration::from_secs(1)) }
            }
            Direction::Do => {
                self.effects.entry(step).or_default().done += 1;
                self.record(call, Outcome::Applied);
                Answer::Applied(reply(step))
            }
        }
    }

    fn replay(&mut self, step: StepName, direction: Direction, row: &LedgerRow) -> Answer {
        if matches!(self.flaw, Some(Flaw::EffectsRepeat)) {
            let effect = self.effects.entry(step).or_default();
            match direction {
                Direction::Do => effect.done += 1,
                Direction::Undo => effect.undone += 1,
            }
        }
        match row.outcome {
            Outcome::Pending => Answer::Pending { poll_after: None },
            Outcome::Applied if row.nothing_to_do => Answer::NothingToDo,
            Outcome::Applied => Answer::Applied(row.reply.clone()),
            Outcome::Rejected => Answer::Refused(refusal()),
            Outcome::Tombstoned => {
                Answer::Refused(Refusal::new(Reason::StepTombstoned, "the step was undone before it came"))
            }
        }
    }

    fn undo(&mut self, step: StepName) {
        if !matches!(self.flaw, Some(Flaw::UndoDoesNothing)) {
            self.effects.entry(step).or_default().undone += 1;
        }
    }

    fn record(&mut self, call: &StepCall, outcome: Outcome) {
        let reply = call.context.step.clone().into_bytes();
        self.ledger.record(call, outcome, reply, Timestamp::UNIX_EPOCH);
    }

    fn call(&self, step: StepName, direction: Direction, epoch: i64) -> StepCall {
        let context = StepContext {
            tenant: self.key.tenant.clone(),
            saga_id: self.key.id.to_string(),
            step: step.to_owned(),
            direction,
            epoch,
            attempt: 1,
        };
        let request_hash = Fingerprint::of(&[step.as_bytes(), direction.as_str().as_bytes()]);
        let completes = self.completes.get(step).copied().filter(|_| direction == Direction::Do);
        StepCall { context, request_hash, completes }
    }
}

fn reply(step: StepName) -> Vec<u8> {
    step.as_bytes().to_vec()
}

fn refusal() -> Refusal {
    Refusal::new(Reason::StateConflict, "refused by the proof")
}

fn other_than(shape: &Shape, step: StepName) -> StepName {
    shape.steps().find(|other| *other != step).unwrap_or(step)
}

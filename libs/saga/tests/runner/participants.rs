//! Participants behind the ports: idempotent as real ones are, and scripted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use saga::{Answer, Call};
use storage::Direction;
use tokio::sync::Notify;
use types::{Reason, Refusal};

#[derive(Clone, Debug)]
pub enum Act {
    /// The effect happens and the answer arrives.
    Apply,
    /// The effect happens and the answer is lost.
    LoseAnswer,
    /// Nothing happens and nobody answers.
    Silence,
    Refuse(Reason),
    Pend,
    Panic,
    Stale,
    /// Answers when the test opens the gate.
    Hang,
}

/// One call as a participant saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub saga: String,
    pub step: String,
    pub direction: Direction,
    pub epoch: i64,
}

#[derive(Default)]
pub struct Participants {
    script: Mutex<BTreeMap<(String, Direction), VecDeque<Act>>>,
    seen: Mutex<Vec<Seen>>,
    effects: Mutex<BTreeMap<(String, String, Direction), u32>>,
    pub hanging: Notify,
    pub open: Notify,
}

impl Participants {
    /// What the next calls of a step meet; after that it is applied.
    pub fn script(&self, step: &str, direction: Direction, acts: impl IntoIterator<Item = Act>) {
        self.script.lock().unwrap().entry((step.to_owned(), direction)).or_default().extend(acts);
    }

    pub fn seen(&self, saga: &str, step: &str, direction: Direction) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter(|seen| seen.saga == saga && seen.step == step && seen.direction == direction)
            .cloned()
            .collect()
    }

    /// The steps whose effect stands: done and not undone.
    pub fn standing(&self, saga: &str) -> Vec<String> {
        let effects = self.effects.lock().unwrap();
        let done = effects.keys().filter(|(of, _, direction)| of == saga && *direction == Direction::Do);
        done.filter(|(of, step, _)| !effects.contains_key(&(of.clone(), step.clone(), Direction::Undo)))
            .map(|(_, step, _)| step.clone())
            .collect()
    }

    pub async fn answer(self: Arc<Self>, call: Call) -> Answer {
        let context = &call.context;
        let seen = Seen {
            saga: context.saga_id.clone(),
            step: context.step.clone(),
            direction: context.direction,
            epoch: context.epoch,
        };
        self.seen.lock().unwrap().push(seen);
        let key = (context.step.clone(), context.direction);
        let act = self.script.lock().unwrap().get_mut(&key).and_then(VecDeque::pop_front);
        match act.unwrap_or(Act::Apply) {
            Act::Apply => self.apply(&call),
            Act::LoseAnswer => {
                self.apply(&call);
                Answer::Unknown("the answer was lost".to_owned())
            }
            Act::Silence => Answer::Unknown("nobody there".to_owned()),
            Act::Refuse(reason) => Answer::Refused(Refusal::new(reason, "refused by the script")),
            Act::Pend => Answer::Pending { poll_after: None },
            Act::Panic => panic!("the step panics"),
            Act::Stale => Answer::Stale,
            Act::Hang => {
                self.hanging.notify_one();
                tokio::time::timeout(Duration::from_secs(30), self.open.notified())
                    .await
                    .expect("the test opens the gate");
                self.apply(&call)
            }
        }
    }

    fn apply(&self, call: &Call) -> Answer {
        let context = &call.context;
        let key = (context.saga_id.clone(), context.step.clone(), context.direction);
        self.effects.lock().unwrap().entry(key).or_insert(1);
        Answer::Applied(context.step.clone().into_bytes())
    }
}

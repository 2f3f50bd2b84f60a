//! One transaction for many commands.

use std::sync::{Arc, OnceLock};

use storage::{Batch, DbError, Overlay, Relay, Tx};
use tokio::sync::mpsc;
use types::{Clock, Ids, Tenant};

use super::books::Books;
use super::command::{Command, Decided};
use super::waiters::Waiters;
use super::{answers, mending, requests, steps};
use crate::domain::gateway::Task;
use crate::domain::{Moment, Timing};
use crate::ports::gateway::Gateways;
use crate::store::event;

/// Committed tasks on their way to the worker. One that finds no room is found by the worker's poll.
pub const TASKS: usize = 4_096;

pub struct PaymentBatch {
    pub clock: Clock,
    pub ids: Ids,
    pub timing: Timing,
    /// Which of them there are.
    pub gateways: Gateways,
    pub waiters: Waiters,
    pub tasks: mpsc::Sender<(Tenant, Task)>,
    /// Woken when there are events to send, once it runs.
    pub relay: Arc<OnceLock<Relay>>,
}

impl Batch for PaymentBatch {
    type Command = Command;
    type Reply = Decided;

    /// The command's own idempotency key: two commands on one order share a batch, because the
    /// second is decided on what the first has made of the account.
    fn key(command: &Command) -> String {
        match command {
            Command::Step(step) => {
                let context = &step.call.context;
                let direction = context.direction.as_str();
                format!("step/{}/{}/{}/{direction}", context.tenant, context.saga_id, context.step)
            }
            Command::Authorise(asked) => format!("request/{}", asked.key.text()),
            Command::Capture(asked) => format!("request/{}", asked.key.text()),
            Command::Answered(answered) => {
                format!("answer/{}/{}", answered.tenant, answered.subject.key())
            }
            Command::Mend(mend) => format!("request/{}", mend.key.text()),
            Command::Observed(observed) => format!("observed/{}/{}", observed.tenant, observed.payment_id),
        }
    }

    async fn decide(&self, tx: &mut Tx, commands: &[Command]) -> Result<Vec<Decided>, DbError> {
        let mut books = Books::load(tx, commands, &self.gateways).await?;
        let db_now = tx.db_now().await?;
        let moment = Moment { now: self.clock.now(), db_now, ids: &self.ids, timing: &self.timing };
        let mut decided = Vec::with_capacity(commands.len());
        for command in commands {
            books.mark();
            decided.push(match command {
                Command::Step(step) => steps::decide(&mut books, step, &self.gateways, moment)?,
                Command::Authorise(asked) => requests::authorise(&mut books, asked, &self.gateways, moment),
                Command::Capture(asked) => requests::capture(&mut books, asked, moment),
                Command::Answered(answered) => answers::decide(&mut books, answered, &self.waiters, moment),
                Command::Mend(mend) => mending::decide(&mut books, mend, moment),
                Command::Observed(observed) => {
                    let around = (&self.gateways, &self.waiters);
                    answers::observe(&mut books, observed, around, moment)
                }
            });
        }
        books.flush(tx, &event::Stamp { ids: &self.ids, now: moment.now }).await?;
        Ok(decided)
    }

    fn committed(&self, _commands: &[Command], decided: &[Decided]) {
        for one in decided {
            for task in &one.tasks {
                if self.tasks.try_send(task.clone()).is_err() {
                    tracing::debug!(
                        key = task.1.subject.key(),
                        "the worker's queue is full; its poll will find it"
                    );
                }
            }
            for (awaited, answer) in &one.ended {
                self.waiters.tell(awaited, answer);
            }
        }
        if let Some(relay) = self.relay.get()
            && decided.iter().any(|one| one.told)
        {
            relay.wake();
        }
    }
}

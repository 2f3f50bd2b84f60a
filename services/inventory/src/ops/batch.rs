//! One batch: read, decide one by one in order of arrival, write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use storage::{Batch, DbError, Overlay, Relay, Tx};
use tokio::sync::Notify;
use types::{Clock, Ids};

use super::books::Books;
use super::command::{Command, Reply};
use super::{errand_ended, requests, steps};
use crate::domain::Moment;

/// Decides the commands of this process, with the clock and the ids it was given.
pub struct Desk {
    clock: Clock,
    ids: Ids,
    /// Set once the relay runs. What is written before is found by its first poll.
    relay: Arc<OnceLock<Relay>>,
    /// The last batches have written events. Only a hint: a rolled-back batch leaves it set.
    told: AtomicBool,
    /// Rung when a batch leaves something to ask a carrier or a partner.
    errands: Arc<Notify>,
}

impl Desk {
    pub fn new(clock: Clock, ids: Ids, relay: Arc<OnceLock<Relay>>, errands: Arc<Notify>) -> Self {
        Self { clock, ids, relay, told: AtomicBool::new(false), errands }
    }
}

impl Batch for Desk {
    type Command = Command;
    type Reply = Reply;

    fn key(command: &Command) -> String {
        command.key()
    }

    async fn decide(&self, tx: &mut Tx, commands: &[Command]) -> Result<Vec<Reply>, DbError> {
        let mut books = Books::load(tx, commands).await?;
        let moment = Moment { ids: &self.ids, at: self.clock.now() };
        let mut replies = Vec::with_capacity(commands.len());
        for command in commands {
            books.mark();
            replies.push(match command {
                Command::Step(step) => Reply::Step(steps::decide(&mut books, step, moment)?),
                Command::Request(request) => {
                    Reply::Request(Box::new(requests::decide(&mut books, request, moment)?))
                }
                Command::Errand(errand) => errand_ended::decide(&mut books, errand, moment)?,
            });
        }
        books.flush(tx, moment.at).await?;
        if !books.events.is_empty() {
            self.told.store(true, Ordering::Relaxed);
        }
        Ok(replies)
    }

    /// Most batches tell nothing, and a wake-up costs the relay a transaction.
    fn committed(&self, commands: &[Command], _: &[Reply]) {
        if commands.iter().any(Command::may_leave_errands) {
            self.errands.notify_one();
        }
        if self.told.swap(false, Ordering::Relaxed)
            && let Some(relay) = self.relay.get()
        {
            relay.wake();
        }
    }
}

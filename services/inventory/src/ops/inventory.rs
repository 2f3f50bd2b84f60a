//! The door to the use cases, as the api sees it.

use std::sync::{Arc, OnceLock};

use storage::{Database, Relay, WriteError, Writer};
use tokio::sync::Notify;
use types::{Clock, Ids, Refusal};

use super::batch::Desk;
use super::command::{Command, Errand, Reply, RequestCommand, Resource, StepAnswer, StepCommand};

#[derive(Clone)]
pub struct Inventory {
    pub(super) database: Database,
    writer: Writer<Desk>,
    relay: Arc<OnceLock<Relay>>,
    errands: Arc<Notify>,
}

impl Inventory {
    /// Starts the writer; must be called inside the runtime.
    pub fn start(database: Database, clock: Clock, ids: Ids) -> Self {
        let relay = Arc::new(OnceLock::new());
        let errands = Arc::new(Notify::new());
        let desk = Desk::new(clock, ids, Arc::clone(&relay), Arc::clone(&errands));
        let writer = Writer::start(database.clone(), Arc::new(desk));
        Self { database, writer, relay, errands }
    }

    /// Hands over the relay that is woken after each commit.
    pub fn wake_after_commit(&self, relay: Relay) {
        if self.relay.set(relay).is_err() {
            tracing::warn!("a second relay was offered; the first one is kept");
        }
    }

    pub async fn step(&self, command: StepCommand) -> Result<StepAnswer, WriteError> {
        match self.writer.submit(Command::Step(command)).await? {
            Reply::Step(answer) => Ok(answer),
            Reply::Request(_) | Reply::Errand => unreachable!("a step is answered as a step"),
        }
    }

    pub async fn request(&self, command: RequestCommand) -> Result<Result<Resource, Refusal>, WriteError> {
        match self.writer.submit(Command::Request(command)).await? {
            Reply::Request(outcome) => Ok(*outcome),
            Reply::Step(_) | Reply::Errand => unreachable!("a request is answered as a request"),
        }
    }

    /// Takes in what a carrier or a partner has said.
    pub async fn errand(&self, errand: Errand) -> Result<(), WriteError> {
        self.writer.submit(Command::Errand(errand)).await.map(drop)
    }

    /// Rung when there may be something to ask a carrier or a partner.
    pub fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.errands)
    }

    /// Takes no more commands and waits until those that are queued are answered.
    pub async fn drain(&self) {
        self.writer.drain().await;
    }
}

//! The door to the use cases, as the api sees it.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kit::Failure;
use storage::{Database, Relay, WriteError, Writer};
use tokio::sync::Notify;
use types::{Clock, Ids, OrderId, Reason, Refusal, Tenant};

use super::batch::Desk;
use super::command::{Command, Errand, Reply, RequestCommand, Resource, StepAnswer, StepCommand};
use crate::ports::Decisions;

/// When a client may ask again after the order service has not answered.
const ASK_AGAIN: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct Inventory {
    pub(super) database: Database,
    writer: Writer<Desk>,
    relay: Arc<OnceLock<Relay>>,
    errands: Arc<Notify>,
    /// Set once the service runs.
    decisions: Arc<OnceLock<Decisions>>,
}

impl Inventory {
    /// Starts the writer; must be called inside the runtime.
    pub fn start(database: Database, clock: Clock, ids: Ids) -> Self {
        let relay = Arc::new(OnceLock::new());
        let errands = Arc::new(Notify::new());
        let desk = Desk::new(clock, ids, Arc::clone(&relay), Arc::clone(&errands));
        let writer = Writer::start(database.clone(), Arc::new(desk));
        Self { database, writer, relay, errands, decisions: Arc::default() }
    }

    /// Hands over the relay that is woken after each commit.
    pub fn wake_after_commit(&self, relay: Relay) {
        if self.relay.set(relay).is_err() {
            tracing::warn!("a second relay was offered; the first one is kept");
        }
    }

    /// Hands over the way to the order service.
    pub fn ask_for_decisions(&self, decisions: Decisions) {
        if self.decisions.set(decisions).is_err() {
            tracing::warn!("a second way to the order service was offered; the first one is kept");
        }
    }

    /// The sagas that have reserved goods of an order which no fulfilment has, as far as they are decided. It is asked for
    /// when goods are packed, not told with every order: most orders are packed once, and being decided never ends.
    pub async fn decided(&self, tenant: &Tenant, order_id: &OrderId) -> Result<BTreeSet<String>, Failure> {
        let Some(goods) = self.goods(tenant, order_id).await? else { return Ok(BTreeSet::new()) };
        let waiting = goods.reservations.values().filter(|row| row.is_active() && row.packed.is_none());
        let sagas: BTreeSet<String> = waiting.map(|row| row.saga_id.clone()).collect();
        if sagas.is_empty() {
            return Ok(sagas);
        }
        let unknown = || {
            let message = "the order service did not say whether the goods may leave; try again";
            Failure::unavailable(Reason::OutcomeUnknown, message, ASK_AGAIN)
        };
        let decisions = self.decisions.get().ok_or_else(unknown)?;
        decisions.decided(tenant, order_id, &sagas).await.map_err(|status| {
            tracing::warn!(%order_id, %status, "whether goods may be packed could not be asked");
            unknown()
        })
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

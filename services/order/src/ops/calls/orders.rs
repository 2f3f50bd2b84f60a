//! [`Orders`]: the order service's use cases and reads, and what they are put together from.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use futures::future::join_all;
use kit::{Failure, Principal, Roles, Seal};
use proto::payment::v1::{ForecastRefundRequest, ForecastRefundResponse};
use saga::{Doorbell, Lease, Registry};
use storage::{Database, Delivery, Envelope, Relay, Writer};
use tonic::Status;
use types::{Clock, Ids, OrderId, Tenant, Timestamp};

use crate::domain::quote::QuoteKey;
use crate::ops::books::Books;
use crate::ops::books::policies::Shelves;
use crate::ops::calls::propagation::ToldByRules;
use crate::ops::command::Arrival;
use crate::ops::commit::batch::OrderBatch;
use crate::ops::commit::command::{Answer, Command};
use crate::ops::commit::event_log::EventLog;
use crate::ops::commit::hints::{Hints, Watch};
use crate::ops::commit::owner::SagaOwner;
use crate::ops::decide::Context;
use crate::ports::{Forecasts, Outsiders, Ports};

/// The facade that `api`, the wings and the clocks call. Cheap to clone; all clones share one writer.
#[derive(Clone)]
pub struct Orders {
    pub(crate) database: Database,
    pub(crate) registry: Arc<Registry<Ports, Books>>,
    pub(crate) writer: Writer<OrderBatch>,
    batch: Arc<OrderBatch>,
    pub(crate) event_log: EventLog,
    /// Set when the peers are known.
    forecasts: Arc<OnceLock<Forecasts>>,
    outsiders: Arc<OnceLock<Outsiders>>,
    told_by_rules: Arc<OnceLock<ToldByRules>>,
    seal: Seal,
}

/// What [`Orders::start`] needs.
pub struct Parts {
    pub database: Database,
    pub registry: Arc<Registry<Ports, Books>>,
    pub clock: Clock,
    pub ids: Ids,
    pub quote_key: QuoteKey,
    /// Signs the tokens of pages and streams.
    pub seal: Seal,
    /// The role maps that calls are checked against.
    pub roles: Roles,
    /// The runner's lease and bell: a saga that is accepted here starts here, at once.
    pub lease: Lease,
    pub bell: Doorbell,
}

/// The other services, as the use cases ask them. Known once the peers are connected.
pub struct Connected {
    pub forecasts: Forecasts,
    pub outsiders: Outsiders,
    pub told_by_rules: ToldByRules,
}

impl Orders {
    /// Starts the writer. The saga runner and the relay are started by `app`.
    pub fn start(parts: Parts) -> Self {
        let event_log = EventLog::new(parts.database.clone());
        let batch = Arc::new(OrderBatch {
            context: Context {
                registry: Arc::clone(&parts.registry),
                lease: parts.lease,
                quote_key: parts.quote_key,
                clock: parts.clock,
                ids: parts.ids,
                shelves: Shelves::new(parts.roles),
            },
            hints: Hints::default(),
            bell: parts.bell,
            relay: OnceLock::new(),
            event_log: event_log.clone(),
        });
        let writer = Writer::start(parts.database.clone(), Arc::clone(&batch));
        Self {
            database: parts.database,
            registry: parts.registry,
            writer,
            batch,
            event_log,
            forecasts: Arc::default(),
            outsiders: Arc::default(),
            told_by_rules: Arc::default(),
            seal: parts.seal,
        }
    }

    /// The saga runner's way into the group commit.
    pub fn saga_owner(&self) -> SagaOwner {
        SagaOwner::new(self.database.clone(), self.writer.clone())
    }

    /// Connects the peers: from now on previews can be forecast, and commits wake this relay.
    pub fn connect(&self, peers: Connected, relay: Relay) {
        let first = self.forecasts.set(peers.forecasts).is_ok()
            && self.outsiders.set(peers.outsiders).is_ok()
            && self.told_by_rules.set(peers.told_by_rules).is_ok()
            && self.batch.relay.set(relay).is_ok();
        if !first {
            tracing::warn!("the peers were connected before; the first connection stays");
        }
    }

    /// Accepts no more commands, and waits until the queued ones are answered.
    pub async fn drain(&self) {
        self.writer.drain().await;
    }

    /// The systems that rules tell of cancellations; none before the peers are connected.
    pub async fn told_by_rules(&self, tenant: &Tenant) -> Result<BTreeSet<String>, Failure> {
        match self.told_by_rules.get() {
            Some(ask) => ask(tenant.clone()).await,
            None => Ok(BTreeSet::new()),
        }
    }

    pub fn outsiders(&self) -> Option<&Outsiders> {
        self.outsiders.get()
    }

    pub fn shelves(&self) -> &Shelves {
        &self.batch.context.shelves
    }

    /// Set when the peers are known.
    pub fn forecasts(&self) -> Option<&Forecasts> {
        self.forecasts.get()
    }

    pub fn ids(&self) -> &Ids {
        &self.batch.context.ids
    }

    pub fn now(&self) -> Timestamp {
        self.batch.context.clock.now()
    }

    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    pub fn quote_key(&self) -> &QuoteKey {
        &self.batch.context.quote_key
    }

    /// Applies events of the other services, each by itself, in the order in which they came. An event that could not be written is
    /// answered with `Later`, so that it is sent again.
    pub async fn deliver(&self, events: Vec<Envelope>) -> Vec<Delivery> {
        let deliveries = events.into_iter().map(|envelope| async move {
            let command = Command::Deliver(Box::new(Arrival::read(envelope)));
            match self.writer.submit(command).await.map(|reply| reply.answer) {
                Ok(Answer::Delivered(delivery)) => delivery,
                Ok(_) => unreachable!("an event is answered by its delivery"),
                Err(error) => {
                    tracing::warn!(%error, "an event could not be taken in");
                    Delivery::Later
                }
            }
        });
        join_all(deliveries).await
    }

    /// The payment service's forecast of how a new total would be given back.
    pub async fn forecast_refund(
        &self,
        principal: &Principal,
        request: ForecastRefundRequest,
    ) -> Result<ForecastRefundResponse, Status> {
        match self.forecasts.get() {
            Some(forecasts) => forecasts.refund(&principal.tenant, request).await,
            None => Err(Status::unavailable("the payment service is not connected yet")),
        }
    }

    /// Hints that an order or one of its changes has moved. A watcher reads again once a second as well, because a hint may be lost.
    pub fn watch(&self, tenant: &Tenant, order_id: &OrderId) -> Watch {
        self.batch.hints.watch((tenant.clone(), order_id.clone()))
    }
}

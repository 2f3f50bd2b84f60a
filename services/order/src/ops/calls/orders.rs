//! [`Orders`]: what the service can be asked to do.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use futures::future::join_all;
use kit::{Deadline, Failure, Principal, Roles, Seal};
use proto::payment::v1::{ForecastRefundRequest, ForecastRefundResponse};
use saga::{Doorbell, Lease, Registry, SagaImage};
use storage::{Database, Delivery, Envelope, Relay, Writer};
use tonic::Status;
use types::{ChangeOrderId, Clock, Ids, OrderId, RequestId, SagaId, Tenant, Timestamp};

use crate::domain::change::{ChangeRequest, ChangeView};
use crate::domain::order::Order;
use crate::domain::placing::NewOrder;
use crate::domain::quote::{Presented, QuoteKey};
use crate::ops::books::Books;
use crate::ops::books::policies::Shelves;
use crate::ops::calls::asking::{asked, bearer, unexpected};
use crate::ops::calls::propagation::ToldByRules;
use crate::ops::calls::wait::Wait;
use crate::ops::command::{Answer, Arrival, Asked, Command, Wish};
use crate::ops::commit::batch::OrderBatch;
use crate::ops::commit::event_log::EventLog;
use crate::ops::commit::hints::{Hints, Watch};
use crate::ops::commit::owner::SagaOwner;
use crate::ops::decide::Context;
use crate::ports::{Forecasts, Outsiders, Ports};

/// Cheap to clone; all clones share one writer.
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

/// What the use cases are made of.
pub struct Parts {
    pub database: Database,
    pub registry: Arc<Registry<Ports, Books>>,
    pub clock: Clock,
    pub ids: Ids,
    pub quote_key: QuoteKey,
    /// Signs the tokens of pages and streams.
    pub seal: Seal,
    /// The role maps that calls are held against.
    pub roles: Roles,
    /// The runner's lease and bell: a saga that is accepted here starts here, at once.
    pub lease: Lease,
    pub bell: Doorbell,
}

/// Whom the use cases ask beside the database, known once the peers are.
pub struct Connected {
    pub forecasts: Forecasts,
    pub outsiders: Outsiders,
    pub told_by_rules: ToldByRules,
}

impl Orders {
    /// Starts the writer; the runner and the relay are started by who owns them.
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

    /// Who commits the rounds of sagas.
    pub fn saga_owner(&self) -> SagaOwner {
        SagaOwner::new(self.database.clone(), self.writer.clone())
    }

    /// The peers are known: previews may be forecast, and commits wake this relay.
    pub fn connect(&self, peers: Connected, relay: Relay) {
        let first = self.forecasts.set(peers.forecasts).is_ok()
            && self.outsiders.set(peers.outsiders).is_ok()
            && self.told_by_rules.set(peers.told_by_rules).is_ok()
            && self.batch.relay.set(relay).is_ok();
        if !first {
            tracing::warn!("the peers were connected before; the first connection stays");
        }
    }

    /// Takes no more commands, and waits until those that are queued are answered.
    pub async fn drain(&self) {
        self.writer.drain().await;
    }

    /// Nobody is told by a rule before the service is put together.
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

    pub async fn create_order(
        &self,
        principal: &Principal,
        request_id: RequestId,
        new: NewOrder,
        wait: Wait,
        deadline: Deadline,
    ) -> Result<Order, Failure> {
        let asked = asked(principal, "CreateOrder", request_id, &[new.content.as_str().as_bytes()]);
        let accepted = self.ask(asked, Wish::CreateOrder(Box::new(new))).await?;
        let order = self.order_of(&principal.tenant, accepted).await?;
        self.wait_for_order(order, wait, deadline).await
    }

    pub async fn confirm_order(
        &self,
        principal: &Principal,
        request_id: RequestId,
        order_id: OrderId,
    ) -> Result<Order, Failure> {
        self.take_order_on(principal, "ConfirmOrder", request_id, order_id, Wish::ConfirmOrder).await
    }

    pub async fn start_processing(
        &self,
        principal: &Principal,
        request_id: RequestId,
        order_id: OrderId,
    ) -> Result<Order, Failure> {
        self.take_order_on(principal, "StartProcessing", request_id, order_id, Wish::StartProcessing).await
    }

    /// A move of an order that is asked for by its id alone.
    async fn take_order_on(
        &self,
        principal: &Principal,
        method: &str,
        request_id: RequestId,
        order_id: OrderId,
        wish: fn(OrderId) -> Wish,
    ) -> Result<Order, Failure> {
        let asked = asked(principal, method, request_id, &[order_id.as_str().as_bytes()]);
        let answer = self.ask(asked, wish(order_id)).await?;
        self.order_of(&principal.tenant, answer).await
    }

    pub async fn submit_change(
        &self,
        principal: &Principal,
        request_id: RequestId,
        request: ChangeRequest,
        quote: Option<String>,
        wait: Wait,
        deadline: Deadline,
    ) -> Result<ChangeView, Failure> {
        let content = request.content.as_str().as_bytes();
        let quoted = quote.as_deref().unwrap_or_default().as_bytes();
        let asked = asked(principal, "SubmitChangeOrder", request_id, &[content, quoted]);
        let quote = quote.map(|quote_id| Presented { quote_id, by: bearer(principal) });
        // Watching begins before the change does, so that no hint is missed.
        let watch = self.watch_for(wait, &principal.tenant, &request.order_id);
        let answer = self.ask(asked, Wish::SubmitChange { request: Box::new(request), quote }).await?;
        let view = self.change_of(&principal.tenant, answer).await?;
        self.wait_for_change(view, watch, wait, deadline).await
    }

    pub async fn withdraw_change(
        &self,
        principal: &Principal,
        request_id: RequestId,
        change_order_id: ChangeOrderId,
        note: String,
    ) -> Result<ChangeView, Failure> {
        let content: [&[u8]; 2] = [change_order_id.as_str().as_bytes(), note.as_bytes()];
        let asked = asked(principal, "WithdrawChangeOrder", request_id, &content);
        let answer = self.ask(asked, Wish::WithdrawChange { change_order_id, note }).await?;
        self.change_of(&principal.tenant, answer).await
    }

    pub async fn retry_step(
        &self,
        principal: &Principal,
        request_id: RequestId,
        saga_id: SagaId,
        note: String,
    ) -> Result<SagaImage, Failure> {
        let wish = |saga_id, note| Wish::RetryStep { saga_id, note };
        self.steer_saga(principal, "RetryStep", request_id, (saga_id, note), wish).await
    }

    pub async fn abort_before_pivot(
        &self,
        principal: &Principal,
        request_id: RequestId,
        saga_id: SagaId,
        note: String,
    ) -> Result<SagaImage, Failure> {
        let wish = |saga_id, note| Wish::AbortBeforePivot { saga_id, note };
        self.steer_saga(principal, "AbortBeforePivot", request_id, (saga_id, note), wish).await
    }

    async fn steer_saga(
        &self,
        principal: &Principal,
        method: &str,
        request_id: RequestId,
        (saga_id, note): (SagaId, String),
        wish: fn(SagaId, String) -> Wish,
    ) -> Result<SagaImage, Failure> {
        let content: [&[u8]; 2] = [saga_id.as_str().as_bytes(), note.as_bytes()];
        let asked = asked(principal, method, request_id, &content);
        let answer = self.ask(asked, wish(saga_id, note)).await?;
        self.saga_of(&principal.tenant, answer).await
    }

    /// Takes events in, each on its own, in the order they came. What could not be written is to be sent again.
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

    /// Hints that an order, or a change of it, has moved. Beside them the watcher reads again once a second.
    pub fn watch(&self, tenant: &Tenant, order_id: &OrderId) -> Watch {
        self.batch.hints.watch((tenant.clone(), order_id.clone()))
    }

    pub async fn ask(&self, asked: Asked, wish: Wish) -> Result<Answer, Failure> {
        // Boxed: every call holds what it reads here.
        Box::pin(self.is_there_for(&asked, &wish)).await?;
        match self.writer.submit(Command::Ask(Box::new(asked), wish)).await.map(|reply| reply.answer) {
            Ok(Answer::Refused(refusal)) => Err(Failure::from(refusal)),
            Ok(answer) => Ok(answer),
            Err(error) => Err(Failure::from(error)),
        }
    }

    pub async fn order_of(&self, tenant: &Tenant, answer: Answer) -> Result<Order, Failure> {
        match answer {
            Answer::Order(order) => Ok(*order),
            Answer::AcceptedBefore(resource) => {
                self.order(tenant, &OrderId::parse(&resource).map_err(Failure::internal)?).await
            }
            _ => Err(unexpected()),
        }
    }

    pub async fn change_of(&self, tenant: &Tenant, answer: Answer) -> Result<ChangeView, Failure> {
        match answer {
            Answer::Change(view) => Ok(*view),
            Answer::AcceptedBefore(resource) => {
                self.change(tenant, &ChangeOrderId::parse(&resource).map_err(Failure::internal)?).await
            }
            _ => Err(unexpected()),
        }
    }

    async fn saga_of(&self, tenant: &Tenant, answer: Answer) -> Result<SagaImage, Failure> {
        match answer {
            Answer::Saga(image) => Ok(*image),
            Answer::AcceptedBefore(resource) => {
                self.saga_by_id(tenant, SagaId::parse(&resource).map_err(Failure::internal)?).await
            }
            _ => Err(unexpected()),
        }
    }
}

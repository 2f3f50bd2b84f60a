//! The whole service through its listeners, with an order service that only takes events.

mod amounts;
mod books;
mod clients;
mod steps;
mod webhooks;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use kit::answer::{self, Verdict};
use kit::client::Channel;
use kit::config::{Auth, Limits, Listen};
use kit::server::{Routes, Server};
use payment::app::App;
use payment::config::{Config, Gateway, Webhooks};
use payment::ports::Peers;
use proto::common::v1::{StepContext, StepDirection};
use proto::events::v1::event_intake_service_server::{EventIntakeService, EventIntakeServiceServer};
use proto::events::v1::{DeliverEventsRequest, DeliverEventsResponse, Delivery, EventEnvelope};
use proto::payment::v1::payment_service_client::PaymentServiceClient;
use proto::payment::v1::refund_command::Command;
use proto::payment::v1::refund_service_client::RefundServiceClient;
use proto::payment::v1::refund_steps_service_client::RefundStepsServiceClient;
use proto::payment::v1::*;
use storage::{DatabaseConfig, testing};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use types::{ChangeOrderId, Clock, Ids, OrderId, PaymentId, Reason, SagaId, TypedId};

#[derive(Clone, Default)]
struct Intake {
    taken: Arc<Mutex<Vec<EventEnvelope>>>,
}

#[tonic::async_trait]
impl EventIntakeService for Intake {
    async fn deliver_events(
        &self,
        request: Request<DeliverEventsRequest>,
    ) -> Result<Response<DeliverEventsResponse>, Status> {
        let events = request.into_inner().events;
        let deliveries = events.iter().map(|_| Delivery::Accepted.into()).collect();
        self.taken.lock().unwrap().extend(events);
        Ok(Response::new(DeliverEventsResponse { deliveries }))
    }
}

struct Running {
    public: Channel,
    internal: Channel,
    intake: Intake,
    ids: Ids,
    webhooks: SocketAddr,
    shutdown: CancellationToken,
    ended: tokio::task::JoinHandle<anyhow::Result<()>>,
    _order: kit::server::Bound,
}

impl Running {
    async fn start(database: DatabaseConfig, sandbox: DatabaseConfig) -> Self {
        let config = Config {
            listen: Listen::loopback(0, 0),
            auth: Auth { development_headers: true, ..Auth::default() },
            database: DatabaseConfig { migrate_on_start: true, ..database },
            gateway: Gateway {
                sandbox: DatabaseConfig { migrate_on_start: true, ..sandbox },
                call_timeout_ms: 300,
                claim_ms: 1_000,
                poll_ms: 20,
                step_wait_ms: 5_000,
                unknown_ms: vec![10],
                late_ms: 1,
                fail_after_ms: 1,
                named: [("sandbox".to_owned(), webhooks::signing_sandbox())].into(),
                ..Gateway::default()
            },
            // Whoever sends webhooks slowly is given up soon.
            limits: Limits { handshake_ms: 500, body_ms: 500, ..Limits::default() },
            webhooks: Webhooks { listen: Some("127.0.0.1:0".parse().unwrap()) },
            ..Config::default()
        };
        let intake = Intake::default();
        let routes = Routes::new().add_service(EventIntakeServiceServer::new(intake.clone()));
        let order =
            Server::builder("order").internal(Listen::default().internal, routes).bind().await.unwrap();
        let bound = App::bind(config).await.unwrap();
        let (public, internal) = (bound.server.public_channel(), bound.server.internal_channel());
        let webhooks = bound.webhooks_address().unwrap();
        let shutdown = CancellationToken::new();
        let peers = Peers { order: order.internal_channel() };
        let ended = tokio::spawn(bound.run(peers, shutdown.clone()));
        let ids = Ids::random(Clock::System);
        Self { public, internal, intake, ids, webhooks, shutdown, ended, _order: order }
    }

    /// On SQLite, and on PostgreSQL if there is one.
    async fn on_each_engine(name: &str) -> Vec<Self> {
        let embedded = || DatabaseConfig::at("sqlite::memory:");
        let mut running = vec![Self::start(embedded(), embedded()).await];
        let gateway = testing::postgres(&format!("{name}_gw")).await;
        if let (Some(ours), Some(theirs)) = (testing::postgres(name).await, gateway) {
            running.push(Self::start(ours, theirs).await);
        }
        running
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.ended.await.unwrap().unwrap();
    }

    fn id<T: TypedId + Into<String>>(&self) -> String {
        self.ids.mint::<T>().into()
    }

    fn payments(&self) -> PaymentServiceClient<Channel> {
        PaymentServiceClient::new(self.public.clone())
    }

    fn refunds(&self) -> RefundServiceClient<Channel> {
        RefundServiceClient::new(self.public.clone())
    }

    async fn run(&self, request: RunRefundStepRequest) -> Result<run_refund_step_response::Answer, Status> {
        let mut client = RefundStepsServiceClient::new(self.internal.clone());
        Ok(client.run_refund_step(request).await?.into_inner().answer.unwrap())
    }

    async fn applied(&self, request: RunRefundStepRequest) -> RefundReply {
        match self.run(request).await.unwrap() {
            run_refund_step_response::Answer::Applied(reply) => reply,
            run_refund_step_response::Answer::Pending(_) => panic!("the step is pending"),
        }
    }

    /// Places an order with one captured tender.
    async fn place(&self, token: &str, amount_minor: i64) -> (String, String) {
        self.place_for(token, amount_minor, amount_minor).await
    }

    /// The same of an order that comes to more than is paid.
    async fn place_for(&self, token: &str, amount_minor: i64, total_minor: i64) -> (String, String) {
        let (saga, order, payment) = (self.id::<SagaId>(), self.id::<OrderId>(), self.id::<PaymentId>());
        let tender = AuthoriseTender {
            payment_id: payment.clone(),
            gateway: "sandbox".to_owned(),
            payment_token: token.to_owned(),
            amount_minor,
            capture_now: true,
        };
        let command = AuthorisePayments {
            order_id: order.clone(),
            currency_code: "GBP".to_owned(),
            total_minor,
            tenders: vec![tender],
            worth_version: 1,
            ..AuthorisePayments::default()
        };
        self.applied(step(&saga, "authorise_payments", Command::AuthorisePayments(command))).await;
        let command = Command::CapturePayments(CapturePayments { order_id: order.clone() });
        self.applied(step(&saga, "capture_payments", command)).await;
        (order, payment)
    }

    fn reserve(&self, saga: &str, order: &str, new_total_minor: i64) -> RunRefundStepRequest {
        let command = ReserveRefund {
            order_id: order.to_owned(),
            change_order_id: self.id::<ChangeOrderId>(),
            new_total_minor,
            worth_version: crate::service::next_worth(),
            ..ReserveRefund::default()
        };
        step(saga, "reserve_refund", Command::ReserveRefund(command))
    }

    async fn cancel(&self, order: &str) -> RefundReply {
        let saga = self.id::<SagaId>();
        self.applied(self.reserve(&saga, order, 0)).await;
        self.applied(settle(&saga, order)).await
    }
}

fn settle(saga: &str, order: &str) -> RunRefundStepRequest {
    step(
        saga,
        "settle_refund",
        Command::SettleRefund(SettleRefund { order_id: order.to_owned(), ..SettleRefund::default() }),
    )
}

fn step(saga: &str, name: &str, command: Command) -> RunRefundStepRequest {
    let direction = match &command {
        Command::VoidAuthorisations(_) | Command::ReleaseRefund(_) => StepDirection::Undo,
        _ => StepDirection::Do,
    };
    RunRefundStepRequest {
        context: Some(StepContext {
            tenant: "default".to_owned(),
            saga_id: saga.to_owned(),
            step: name.to_owned(),
            direction: direction.into(),
            epoch: 1,
            attempt: 1,
            traceparent: String::new(),
        }),
        command: Some(RefundCommand { command: Some(command) }),
    }
}

fn refused(status: &Status) -> Reason {
    match answer::classify(status) {
        Verdict::Answered(refusal) => refusal.reason,
        other => panic!("not an answer: {other:?}"),
    }
}

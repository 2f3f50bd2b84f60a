//! The whole service through its listeners, with an order service that only takes events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use kit::answer::{self, Verdict};
use kit::client::Channel;
use kit::config::{Auth, Listen};
use kit::server::{Routes, Server};
use payment::app::App;
use payment::config::{Config, Gateway};
use payment::ports::Peers;
use proto::audit::v1::audit_service_client::AuditServiceClient;
use proto::audit::v1::{ExportBooksRequest, ListGatewayEffectsRequest};
use proto::common::v1::{StepContext, StepDirection};
use proto::events::v1::event_intake_service_server::{EventIntakeService, EventIntakeServiceServer};
use proto::events::v1::{DeliverEventsRequest, DeliverEventsResponse, Delivery, EventEnvelope};
use proto::payment::v1::payment_service_client::PaymentServiceClient;
use proto::payment::v1::refund_command::Command;
use proto::payment::v1::refund_service_client::RefundServiceClient;
use proto::payment::v1::refund_step_result::Answer;
use proto::payment::v1::refund_steps_service_client::RefundStepsServiceClient;
use proto::payment::v1::*;
use storage::{DatabaseConfig, testing};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};
use types::{ChangeOrderId, Clock, Ids, OrderId, PaymentId, Reason, SagaId, TypedId};

use crate::service::poll;

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
    shutdown: CancellationToken,
    ended: tokio::task::JoinHandle<anyhow::Result<()>>,
    _order: kit::server::Bound,
}

impl Running {
    async fn start(database: DatabaseConfig, sandbox: DatabaseConfig) -> Self {
        let config = Config {
            listen: Listen::loopback(0, 0),
            auth: Auth { development_headers: true },
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
                ..Gateway::default()
            },
            ..Config::default()
        };
        let intake = Intake::default();
        let routes = Routes::new().add_service(EventIntakeServiceServer::new(intake.clone()));
        let order =
            Server::builder("order").internal(Listen::default().internal, routes).bind().await.unwrap();
        let bound = App::bind(config).await.unwrap();
        let (public, internal) = (bound.public_channel(), bound.internal_channel());
        let shutdown = CancellationToken::new();
        let peers = Peers { order: order.internal_channel() };
        let ended = tokio::spawn(bound.run(peers, shutdown.clone()));
        let ids = Ids::random(Clock::System);
        Self { public, internal, intake, ids, shutdown, ended, _order: order }
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
            total_minor: amount_minor,
            tenders: vec![tender],
            external_payments: Vec::new(),
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
            fees_minor: 0,
            move_no_money: false,
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
    step(saga, "settle_refund", Command::SettleRefund(SettleRefund { order_id: order.to_owned() }))
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

#[tokio::test]
async fn an_order_is_paid_cancelled_and_shown() {
    for service in Running::on_each_engine("wire_story").await {
        let (order, payment) = service.place("tok_approve", 10_000).await;

        let reply = service.cancel(&order).await;

        assert_eq!(reply.legs[0].state(), RefundState::Succeeded);
        let request = GetMoneyPositionRequest { order_id: order.clone() };
        let position = service.payments().get_money_position(request).await.unwrap().into_inner().position;
        let position = position.unwrap();
        assert_eq!(
            (position.captured_minor, position.confirmed_minor, position.position_minor),
            (10_000, 10_000, 0)
        );
        let request = GetPaymentRequest { payment_id: payment };
        let shown = service.payments().get_payment(request).await.unwrap().into_inner().payment.unwrap();
        assert_eq!((shown.state(), shown.refunded_minor), (PaymentState::Captured, 10_000));
        let request = GetRefundRequest { refund_id: reply.legs[0].refund_id.clone() };
        let refund = service.refunds().get_refund(request).await.unwrap().into_inner().refund.unwrap();
        assert_eq!((refund.amount_minor, refund.currency_code.as_str()), (10_000, "GBP"));
        assert!(service.intake.taken.lock().unwrap().is_empty(), "every answer came in its call");
        service.stop().await;
    }
}

#[tokio::test]
async fn a_batch_answers_each_step_for_itself() {
    for service in Running::on_each_engine("wire_batch").await {
        let (order, _) = service.place("tok_approve", 100).await;
        let (good, lost) = (service.id::<SagaId>(), service.id::<SagaId>());
        let mut wrong = settle(&service.id::<SagaId>(), &order);
        wrong.context.as_mut().unwrap().direction = StepDirection::Undo.into();
        let steps = vec![
            service.reserve(&good, &order, 40),
            service.reserve(&lost, &service.id::<OrderId>(), 40),
            wrong,
            RunRefundStepRequest::default(),
        ];

        let mut client = RefundStepsServiceClient::new(service.internal.clone());
        let reply = client.run_refund_steps(RunRefundStepsRequest { steps }).await.unwrap().into_inner();

        let said: Vec<_> = reply
            .results
            .into_iter()
            .map(|result| match result.answer.unwrap() {
                Answer::Applied(reply) => format!("applied {}", reply.legs.len()),
                Answer::Refused(refusal) => refusal.reason,
                Answer::Pending(_) | Answer::Unknown(_) => "neither".to_owned(),
            })
            .collect();
        assert_eq!(said, ["applied 1", "RESOURCE_NOT_FOUND", "FIELD_INVALID", "FIELD_REQUIRED"]);
        let twice = vec![settle(&good, &order), settle(&good, &order)];
        for steps in [Vec::new(), twice, vec![settle(&good, &order); 65]] {
            let refused = client.run_refund_steps(RunRefundStepsRequest { steps }).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
        }
        service.stop().await;
    }
}

#[tokio::test]
async fn wrong_steps_are_refused_with_the_field_at_fault() {
    let service = Running::on_each_engine("wire_wrong").await.remove(0);
    let order = service.id::<OrderId>();
    let tender = |amount_minor| AuthoriseTender {
        payment_id: service.id::<PaymentId>(),
        gateway: "sandbox".to_owned(),
        payment_token: "tok_approve".to_owned(),
        amount_minor,
        capture_now: true,
    };
    let opening = |change: &dyn Fn(&mut AuthorisePayments)| {
        let mut command = AuthorisePayments {
            order_id: order.clone(),
            currency_code: "GBP".to_owned(),
            total_minor: 100,
            tenders: vec![tender(100)],
            external_payments: Vec::new(),
        };
        change(&mut command);
        step(&service.id::<SagaId>(), "authorise_payments", Command::AuthorisePayments(command))
    };
    let cases = [
        (opening(&|it| it.currency_code = "gbp".to_owned()), Reason::CurrencyUnknown),
        (opening(&|it| it.currency_code = "XAU".to_owned()), Reason::CurrencyUnknown),
        (opening(&|it| it.order_id = "chg_1".to_owned()), Reason::FieldInvalid),
        (opening(&|it| it.total_minor = -1), Reason::AmountOutOfRange),
        (opening(&|it| it.tenders[0].amount_minor = i64::MIN), Reason::AmountOutOfRange),
        (opening(&|it| it.tenders[0].amount_minor = 1_000_000_000_000_001), Reason::AmountOutOfRange),
        (opening(&|it| it.tenders[0].payment_token = String::new()), Reason::FieldRequired),
        (opening(&|it| it.tenders[0].gateway = "x".repeat(65)), Reason::FieldTooLong),
        (opening(&|it| it.tenders.push(it.tenders[0].clone())), Reason::FieldInvalid),
        (opening(&|it| it.tenders = vec![it.tenders[0].clone(); 65]), Reason::FieldInvalid),
    ];
    for (request, reason) in cases {
        assert_eq!(refused(&service.run(request).await.unwrap_err()), reason);
    }
    let overflow = opening(&|it| it.tenders = vec![tender(600_000_000_000_000), tender(600_000_000_000_000)]);
    assert_eq!(refused(&service.run(overflow).await.unwrap_err()), Reason::AmountOutOfRange);
    service.stop().await;
}

#[tokio::test]
async fn a_client_authorises_and_captures_once_per_request_id() {
    for service in Running::on_each_engine("wire_request").await {
        let (order, _) = service.place("tok_approve", 100).await;
        let authorise = AuthorizePaymentRequest {
            request_id: "r-1".to_owned(),
            order_id: order.clone(),
            gateway: "sandbox".to_owned(),
            payment_token: "tok_approve".to_owned(),
            currency_code: "GBP".to_owned(),
            amount_minor: 50,
        };
        let mut client = service.payments();

        let first = client.authorize_payment(authorise.clone()).await.unwrap().into_inner().payment.unwrap();
        let again = client.authorize_payment(authorise.clone()).await.unwrap().into_inner().payment.unwrap();
        assert_eq!(first, again);
        assert_eq!(first.state(), PaymentState::Authorised);

        let other = AuthorizePaymentRequest { amount_minor: 51, ..authorise.clone() };
        assert_eq!(
            refused(&client.authorize_payment(other).await.unwrap_err()),
            Reason::IdempotencyKeyReused
        );
        let euro = AuthorizePaymentRequest {
            request_id: "r-2".to_owned(),
            currency_code: "EUR".to_owned(),
            ..authorise.clone()
        };
        assert_eq!(refused(&client.authorize_payment(euro).await.unwrap_err()), Reason::CurrencyMismatch);
        let nameless = AuthorizePaymentRequest { request_id: String::new(), ..authorise };
        assert_eq!(
            refused(&client.authorize_payment(nameless).await.unwrap_err()),
            Reason::RequestIdRequired
        );

        // The order is fully paid: nothing more may be captured.
        let capture = CapturePaymentRequest {
            request_id: "r-3".to_owned(),
            payment_id: first.payment_id.clone(),
            amount_minor: 1,
        };
        let above = client.capture_payment(capture).await.unwrap_err();
        assert_eq!(refused(&above), Reason::AboveCaptureCeiling);
        let list = client.list_payments(ListPaymentsRequest { order_id: order }).await.unwrap().into_inner();
        assert_eq!(list.payments.len(), 2);
        service.stop().await;
    }
}

#[tokio::test]
async fn what_does_not_exist_is_named() {
    let service = Running::on_each_engine("wire_missing").await.remove(0);
    let (order, payment) = (service.id::<OrderId>(), service.id::<PaymentId>());
    let refund = service.id::<types::RefundId>();
    let capture =
        CapturePaymentRequest { request_id: "r-1".to_owned(), payment_id: payment.clone(), amount_minor: 1 };

    let answers = [
        service.payments().get_payment(GetPaymentRequest { payment_id: payment }).await.unwrap_err(),
        service.payments().capture_payment(capture).await.unwrap_err(),
        service
            .payments()
            .get_money_position(GetMoneyPositionRequest { order_id: order.clone() })
            .await
            .unwrap_err(),
        service.refunds().get_refund(GetRefundRequest { refund_id: refund }).await.unwrap_err(),
        service
            .refunds()
            .quote_refund(QuoteRefundRequest { order_id: order, new_total_minor: 0 })
            .await
            .unwrap_err(),
    ];

    for answer in answers {
        assert_eq!(answer.code(), Code::NotFound, "{answer}");
        assert_eq!(refused(&answer), Reason::ResourceNotFound);
    }
    service.stop().await;
}

#[tokio::test]
async fn another_tenant_sees_nothing() {
    let service = Running::on_each_engine("wire_tenant").await.remove(0);
    let (order, payment) = service.place("tok_approve", 100).await;
    service.cancel(&order).await;
    let mut request = Request::new(GetPaymentRequest { payment_id: payment });
    request.metadata_mut().insert("x-countermand-tenant", "other".parse().unwrap());
    assert_eq!(service.payments().get_payment(request).await.unwrap_err().code(), Code::NotFound);

    let mut request = Request::new(ListRefundsRequest::default());
    request.metadata_mut().insert("x-countermand-tenant", "other".parse().unwrap());
    assert!(service.refunds().list_refunds(request).await.unwrap().into_inner().refunds.is_empty());

    let mut request = Request::new(ListGatewayEffectsRequest::default());
    request.metadata_mut().insert("x-countermand-tenant", "other".parse().unwrap());
    let mut audit = AuditServiceClient::new(service.public.clone());
    assert!(audit.list_gateway_effects(request).await.unwrap().into_inner().effects.is_empty());
    service.stop().await;
}

#[tokio::test]
async fn refunds_are_listed_by_filter_and_page() {
    for service in Running::on_each_engine("wire_list").await {
        let (order, _) = service.place("tok_approve", 100).await;
        for target in [90, 80, 70] {
            let saga = service.id::<SagaId>();
            service.applied(service.reserve(&saga, &order, target)).await;
        }
        let (declined, _) = service.place("tok_refund_decline", 100).await;
        service.cancel(&declined).await;
        let list = async |request: ListRefundsRequest| {
            service.refunds().list_refunds(request).await.unwrap().into_inner()
        };

        let first = list(ListRefundsRequest {
            page_size: 2,
            order_id: order.clone(),
            ..ListRefundsRequest::default()
        })
        .await;
        let rest = list(ListRefundsRequest {
            page_size: 2,
            page_token: first.next_page_token.clone(),
            order_id: order.clone(),
            ..ListRefundsRequest::default()
        })
        .await;
        assert_eq!((first.refunds.len(), rest.refunds.len()), (2, 1));
        assert!(rest.next_page_token.is_empty());
        let change = &rest.refunds[0].change_order_id;
        let of_change =
            list(ListRefundsRequest { change_order_id: change.clone(), ..ListRefundsRequest::default() })
                .await;
        assert_eq!(of_change.refunds, rest.refunds);
        let states = vec![RefundState::Declined.into()];
        let of_state = list(ListRefundsRequest { states, ..ListRefundsRequest::default() }).await;
        assert_eq!(of_state.refunds.len(), 1);
        let unknown = ListRefundsRequest { states: vec![99], ..ListRefundsRequest::default() };
        assert_eq!(service.refunds().list_refunds(unknown).await.unwrap_err().code(), Code::InvalidArgument);
        service.stop().await;
    }
}

#[tokio::test]
async fn a_quote_is_what_a_reservation_does_and_writes_nothing() {
    let service = Running::on_each_engine("wire_quote").await.remove(0);
    let (order, payment) = service.place("tok_approve", 100).await;
    let request = QuoteRefundRequest { order_id: order.clone(), new_total_minor: 25 };

    let quote = service.refunds().quote_refund(request).await.unwrap().into_inner();

    assert_eq!((quote.currency_code.as_str(), quote.shortfall_minor), ("GBP", 0));
    assert_eq!((quote.legs[0].payment_id.as_str(), quote.legs[0].amount_minor), (payment.as_str(), 75));
    let list = service.refunds().list_refunds(ListRefundsRequest::default()).await.unwrap().into_inner();
    assert!(list.refunds.is_empty());
    let reserved = service.applied(service.reserve(&service.id::<SagaId>(), &order, 25)).await;
    assert_eq!(reserved.legs[0].amount_minor, 75);
    service.stop().await;
}

#[tokio::test]
async fn a_buyer_moves_no_money_and_reads_no_books() {
    let service = Running::on_each_engine("wire_buyer").await.remove(0);
    let buyer = |mut metadata: tonic::metadata::MetadataMap| {
        metadata.insert("x-countermand-role", "buyer".parse().unwrap());
        metadata
    };
    let mut request = Request::new(CapturePaymentRequest::default());
    *request.metadata_mut() = buyer(std::mem::take(request.metadata_mut()));
    assert_eq!(service.payments().capture_payment(request).await.unwrap_err().code(), Code::PermissionDenied);
    let mut request = Request::new(ExportBooksRequest::default());
    *request.metadata_mut() = buyer(std::mem::take(request.metadata_mut()));
    let mut audit = AuditServiceClient::new(service.public.clone());
    assert_eq!(audit.export_books(request).await.unwrap_err().code(), Code::PermissionDenied);
    service.stop().await;
}

#[tokio::test]
async fn the_books_are_exported_whole_and_agree_with_the_gateway() {
    for service in Running::on_each_engine("wire_books").await {
        let (order, _) = service.place("tok_refund_decline", 100).await;
        service.cancel(&order).await;
        let (order, _) = service.place("tok_approve", 100).await;
        service.cancel(&order).await;
        let authorise = AuthorizePaymentRequest {
            request_id: "r-1".to_owned(),
            order_id: order,
            gateway: "sandbox".to_owned(),
            payment_token: "tok_approve".to_owned(),
            currency_code: "GBP".to_owned(),
            amount_minor: 50,
        };
        service.payments().authorize_payment(authorise).await.unwrap();
        let mut audit = AuditServiceClient::new(service.public.clone());

        let mut stream = audit.export_books(ExportBooksRequest::default()).await.unwrap().into_inner();
        let mut rows = BTreeMap::<String, usize>::new();
        let mut snapshot = String::new();
        while let Some(message) = stream.message().await.unwrap() {
            assert!(message.rows.iter().all(|row| row.cells.len() == message.columns.len()));
            assert!(!message.columns.contains(&"token".to_owned()), "tokens stay inside");
            snapshot = message.snapshot_at;
            if !message.book.is_empty() {
                *rows.entry(message.book).or_default() += message.rows.len();
            }
        }

        let expected = [
            ("account", 2),
            ("capture", 2),
            ("money_ledger", 6),
            ("outbox", 1),
            ("payment", 3),
            ("refund", 2),
            ("refund_hold", 2),
            ("request_key", 1),
            ("saga_fence", 4),
            ("step_ledger", 8),
        ];
        assert_eq!(rows, expected.map(|(name, count)| (name.to_owned(), count)).into());
        assert!(!snapshot.is_empty(), "the last message carries the snapshot's instant");
        let request = ListGatewayEffectsRequest { page_size: 4, page_token: String::new() };
        let page = audit.list_gateway_effects(request).await.unwrap().into_inner();
        let request = ListGatewayEffectsRequest { page_size: 4, page_token: page.next_page_token };
        let rest = audit.list_gateway_effects(request).await.unwrap().into_inner();
        assert_eq!((page.effects.len(), rest.effects.len()), (4, 3));
        let unknown = ExportBooksRequest { books: vec!["stock".to_owned()] };
        assert_eq!(audit.export_books(unknown).await.unwrap_err().code(), Code::InvalidArgument);
        service.stop().await;
    }
}

#[tokio::test]
async fn a_late_failure_reaches_the_order_service_in_order() {
    for service in Running::on_each_engine("wire_events").await {
        let (order, _) = service.place("tok_refund_fail_after", 100).await;
        service.cancel(&order).await;

        let events = poll(async || {
            let taken = service.intake.taken.lock().unwrap();
            (taken.len() == 2).then(|| taken.clone())
        })
        .await;

        let told: Vec<_> =
            events.iter().map(|event| (event.aggregate_sequence, event.r#type.as_str())).collect();
        assert_eq!(
            told,
            [(1, "countermand.events.v1.AttentionRaised"), (2, "countermand.events.v1.RefundEnded")]
        );
        assert!(events.iter().all(|event| event.aggregate_id == order && event.source == "payment"));
        service.stop().await;
    }
}

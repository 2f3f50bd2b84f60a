//! One real server, called as clients and the order service call it, with an order service that takes the events.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use inventory::app::App;
use inventory::config::Config;
use inventory::ports::Peers;
use kit::answer::{Verdict, classify};
use kit::client::{self, Channel, ClientConfig};
use kit::config::{Internal, Secret};
use kit::server::{Routes, Server};
use prost::Message;
use proto::audit::v1::ExportBooksRequest;
use proto::audit::v1::audit_service_client::AuditServiceClient;
use proto::common::v1::{StepContext, StepDirection};
use proto::events::v1::event_intake_service_server::{EventIntakeService, EventIntakeServiceServer};
use proto::events::v1::{
    DeliverEventsRequest, DeliverEventsResponse, Delivery, EventEnvelope, GoodsProgressed,
};
use proto::inventory::v1::fulfillment_service_client::FulfillmentServiceClient;
use proto::inventory::v1::goods_command::Command;
use proto::inventory::v1::goods_step_result::Answer;
use proto::inventory::v1::goods_steps_service_client::GoodsStepsServiceClient;
use proto::inventory::v1::stock_service_client::StockServiceClient;
use proto::inventory::v1::*;
use proto::order::v1::decision_service_server::{DecisionService, DecisionServiceServer};
use proto::order::v1::{ListDecidedRequest, ListDecidedResponse};
use storage::DatabaseConfig;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};
use types::{Clock, Ids, LineId, OrderId, Reason, SagaId};

/// Stands in for order: answers each first delivery *later*, to see it come again.
struct Intake {
    seen: Mutex<Vec<String>>,
    accepted: mpsc::UnboundedSender<EventEnvelope>,
}

#[tonic::async_trait]
impl EventIntakeService for Intake {
    async fn deliver_events(
        &self,
        request: Request<DeliverEventsRequest>,
    ) -> Result<Response<DeliverEventsResponse>, Status> {
        let deliveries = request.into_inner().events.into_iter().map(|event| {
            let mut seen = self.seen.lock().unwrap();
            if seen.contains(&event.event_id) {
                self.accepted.send(event).unwrap();
                return Delivery::Accepted.into();
            }
            seen.push(event.event_id);
            Delivery::Later.into()
        });
        Ok(Response::new(DeliverEventsResponse { deliveries: deliveries.collect() }))
    }
}

/// Stands in for order: has decided everything, or nothing.
struct Decider {
    decided: Arc<AtomicBool>,
}

#[tonic::async_trait]
impl DecisionService for Decider {
    async fn list_decided(
        &self,
        request: Request<ListDecidedRequest>,
    ) -> Result<Response<ListDecidedResponse>, Status> {
        let asked = request.into_inner().saga_ids;
        let saga_ids = if self.decided.load(Ordering::Relaxed) { asked } else { Vec::new() };
        Ok(Response::new(ListDecidedResponse { saga_ids }))
    }
}

struct Service {
    public: Channel,
    internal: Channel,
    events: mpsc::UnboundedReceiver<EventEnvelope>,
    /// What order says of every saga.
    decided: Arc<AtomicBool>,
    shutdown: CancellationToken,
    served: tokio::task::JoinHandle<anyhow::Result<()>>,
    ids: Ids,
}

async fn open() -> Service {
    let shutdown = CancellationToken::new();
    let (accepted, events) = mpsc::unbounded_channel();
    let decided = Arc::new(AtomicBool::new(true));
    let intake = Intake { seen: Mutex::default(), accepted };
    let loopback = "127.0.0.1:0".parse().unwrap();
    let secret = Secret::new("the-secret-of-these-tests-is-long-enough");
    let shared = Config::default().internal.with_secret(&secret);
    let order = Server::builder("order")
        .workloads(&Internal::default().with_secret(&secret))
        .internal(
            loopback,
            Routes::new()
                .add_service(EventIntakeServiceServer::from_arc(Arc::new(intake)))
                .add_service(DecisionServiceServer::new(Decider { decided: Arc::clone(&decided) })),
        )
        .bind()
        .await
        .unwrap();
    let dial = |address| {
        client::connect_peer(&format!("http://{address}"), &ClientConfig::default(), &shared).unwrap()
    };
    let config = Config {
        listen: kit::config::Listen::loopback(0, 0),
        internal: shared.clone(),
        auth: kit::config::Auth { development_headers: true, ..kit::config::Auth::default() },
        database: DatabaseConfig::at("sqlite::memory:"),
        ..Config::default()
    };
    let peers = Peers { order: dial(order.internal_addr()) };
    tokio::spawn(order.run(shutdown.clone()));
    let bound = App::bind(config).await.unwrap();
    let (public, internal) = (dial(bound.server.public_addr()), dial(bound.server.internal_addr()));
    let served = tokio::spawn(bound.run(peers, shutdown.clone()));
    Service { public, internal, events, decided, shutdown, served, ids: Ids::random(Clock::System) }
}

impl Service {
    fn stock(&self) -> StockServiceClient<Channel> {
        StockServiceClient::new(self.public.clone())
    }

    fn fulfillments(&self) -> FulfillmentServiceClient<Channel> {
        FulfillmentServiceClient::new(self.public.clone())
    }

    fn steps(&self) -> GoodsStepsServiceClient<Channel> {
        GoodsStepsServiceClient::new(self.internal.clone())
    }

    async fn receive(&self, sku: &str, units: i64) {
        let warehouse =
            Warehouse { warehouse_id: "main".to_owned(), active: true, priority: 1, ..Warehouse::default() };
        let request = UpsertWarehouseRequest { request_id: "main".to_owned(), warehouse: Some(warehouse) };
        self.stock().upsert_warehouse(request).await.unwrap();
        let adjustment =
            StockAdjustment { warehouse_id: "main".to_owned(), sku: sku.to_owned(), delta: units };
        let request =
            AdjustStockRequest { request_id: format!("receive {sku}"), adjustments: vec![adjustment] };
        let reply = self.stock().adjust_stock(request).await.unwrap().into_inner();
        assert_eq!(reply.stock[0].available, units);
    }

    fn reserve(&self, sku: &str, units: i64) -> (OrderId, LineId, RunGoodsStepRequest) {
        let (order_id, line_id) = (self.ids.mint::<OrderId>(), self.ids.mint::<LineId>());
        let line = ReserveStockLine {
            line_id: line_id.to_string(),
            sku: sku.to_owned(),
            quantity: units,
            ..ReserveStockLine::default()
        };
        let command =
            ReserveStock { order_id: order_id.to_string(), lines: vec![line], ..ReserveStock::default() };
        let saga = self.ids.mint::<SagaId>();
        let request = step(saga.as_str(), "reserve_stock", StepDirection::Do, Command::ReserveStock(command));
        (order_id, line_id, request)
    }
}

fn step(saga: &str, step: &str, direction: StepDirection, command: Command) -> RunGoodsStepRequest {
    let context = StepContext {
        tenant: "default".to_owned(),
        saga_id: saga.to_owned(),
        step: step.to_owned(),
        direction: direction.into(),
        epoch: 1,
        attempt: 1,
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
    };
    RunGoodsStepRequest { context: Some(context), command: Some(GoodsCommand { command: Some(command) }) }
}

async fn stop(service: Service) {
    service.shutdown.cancel();
    service.served.await.unwrap().unwrap();
}

fn refusal(status: &Status) -> Reason {
    match classify(status) {
        Verdict::Answered(refusal) => refusal.reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_steps_of_a_batch_are_answered_each_on_its_own() {
    let service = open().await;
    service.receive("apple", 10).await;
    let (_, _, reserve) = service.reserve("apple", 6);
    let (_, _, too_much) = service.reserve("apple", 5);
    let mut malformed = reserve.clone();
    malformed.context.as_mut().unwrap().step = "something else".to_owned();

    let run = async |steps: &[&RunGoodsStepRequest]| {
        let steps = steps.iter().map(|step| (*step).clone()).collect();
        service.steps().run_goods_steps(RunGoodsStepsRequest { steps }).await.map(Response::into_inner)
    };
    let reply = run(&[&reserve, &too_much, &malformed]).await.unwrap();
    let again = run(&[&reserve]).await.unwrap();
    let twice = run(&[&reserve, &reserve]).await.unwrap_err();

    let answers: Vec<_> = reply.results.into_iter().map(|result| result.answer.unwrap()).collect();
    assert!(matches!(answers[0], Answer::Applied(_)), "{answers:?}");
    let Answer::Refused(short) = &answers[1] else { panic!("{answers:?}") };
    assert_eq!(
        (short.reason.as_str(), short.details["lines[0].available"].as_str()),
        ("INSUFFICIENT_STOCK", "4")
    );
    let Answer::Refused(invalid) = &answers[2] else { panic!("{answers:?}") };
    assert_eq!(invalid.reason, "FIELD_INVALID");
    assert_eq!(again.results[0].answer.as_ref(), Some(&answers[0]));
    assert_eq!(refusal(&twice), Reason::FieldInvalid);
    let status = service.steps().run_goods_step(too_much).await.unwrap_err();
    assert_eq!((status.code(), refusal(&status)), (Code::FailedPrecondition, Reason::InsufficientStock));

    stop(service).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn goods_are_shipped_held_and_released_over_the_wire() {
    let mut service = open().await;
    service.receive("apple", 10).await;
    let (order, line, reserve) = service.reserve("apple", 6);
    service.steps().run_goods_step(reserve).await.unwrap();

    let request = CreateFulfillmentRequest {
        request_id: "create".to_owned(),
        order_id: order.to_string(),
        warehouse_id: "main".to_owned(),
        lines: vec![FulfillmentLineSelection { line_id: line.to_string(), quantity: 4 }],
        ..CreateFulfillmentRequest::default()
    };
    service.decided.store(false, Ordering::Relaxed);
    let status = service.fulfillments().create_fulfillment(request.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted, "{status:?}");
    service.decided.store(true, Ordering::Relaxed);
    let created = service.fulfillments().create_fulfillment(request).await.unwrap().into_inner();
    let fulfillment_id = created.fulfillment.unwrap().fulfillment_id;
    let command = HoldGoods {
        order_id: order.to_string(),
        lines: vec![HoldGoodsLine { line_id: line.to_string(), quantity: 3 }],
        ..HoldGoods::default()
    };
    let request = step("change", "hold_goods", StepDirection::Do, Command::HoldGoods(command));
    let answer = service.steps().run_goods_step(request).await.unwrap().into_inner().answer.unwrap();
    let run_goods_step_response::Answer::Applied(held) = answer else { panic!("{answer:?}") };
    assert_eq!((held.lines[0].unallocated, held.lines[0].allocated), (2, 1));

    let mut ship = ShipFulfillmentRequest {
        request_id: "ship".to_owned(),
        fulfillment_id: fulfillment_id.clone(),
        lines: vec![FulfillmentLineSelection { line_id: line.to_string(), quantity: 4 }],
        tracking_number: "1Z999".to_owned(),
    };
    let status = service.fulfillments().ship_fulfillment(ship.clone()).await.unwrap_err();
    assert_eq!(refusal(&status), Reason::CancelHold);
    ship.lines.clear();
    let shipped =
        service.fulfillments().ship_fulfillment(ship).await.unwrap().into_inner().fulfillment.unwrap();
    assert_eq!(shipped.state(), FulfillmentState::PartiallyShipped);

    let release = ReleaseGoods { order_id: order.to_string(), ..ReleaseGoods::default() };
    let release = step("change", "release_goods", StepDirection::Do, Command::ReleaseGoods(release));
    service.steps().run_goods_step(release).await.unwrap();
    let request = GetStockRequest { sku: "apple".to_owned(), warehouse_id: String::new() };
    let stock = service.stock().get_stock(request).await.unwrap().into_inner().stock;
    assert_eq!((stock[0].on_hand, stock[0].reserved), (7, 0));
    let request = GetFulfillmentRequest { fulfillment_id };
    let read =
        service.fulfillments().get_fulfillment(request).await.unwrap().into_inner().fulfillment.unwrap();
    assert_eq!(read.state(), FulfillmentState::Shipped);

    let mut told = Vec::new();
    while told.len() < 3 {
        let event = service.events.recv().await.unwrap();
        assert_eq!((event.source.as_str(), event.aggregate_id.as_str()), ("inventory", order.as_str()));
        assert_eq!(event.r#type, "countermand.events.v1.GoodsProgressed");
        let progress = GoodsProgressed::decode(event.payload.as_slice()).unwrap();
        told.push((event.aggregate_sequence, progress.lines[0].clone()));
    }
    told.sort_by_key(|(sequence, _)| *sequence);
    let counters: Vec<_> =
        told.iter().map(|(seq, line)| (*seq, line.allocated, line.shipped, line.deallocated)).collect();
    assert_eq!(counters, [(1, 4, 0, 0), (2, 4, 3, 0), (3, 4, 3, 1)]);

    stop(service).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_wrongly_is_answered_precisely() {
    let service = open().await;
    service.receive("apple", 10).await;

    let status = service.stock().set_stock(SetStockRequest::default()).await.unwrap_err();
    assert_eq!((status.code(), refusal(&status)), (Code::InvalidArgument, Reason::FieldRequired));
    let mut set = SetStockRequest {
        request_id: String::new(),
        warehouse_id: "nowhere".to_owned(),
        sku: "apple".to_owned(),
        on_hand: 1,
    };
    let status = service.stock().set_stock(set.clone()).await.unwrap_err();
    assert_eq!(refusal(&status), Reason::RequestIdRequired);
    set.request_id = "set".to_owned();
    let status = service.stock().set_stock(set.clone()).await.unwrap_err();
    assert_eq!((status.code(), refusal(&status)), (Code::NotFound, Reason::ResourceNotFound));
    set.on_hand = -1;
    let status = service.stock().set_stock(set).await.unwrap_err();
    assert_eq!(refusal(&status), Reason::QuantityOutOfRange);
    let request = GetFulfillmentRequest { fulfillment_id: "ord_01h455vb4pex5vsknk084sn02q".to_owned() };
    let status = service.fulfillments().get_fulfillment(request).await.unwrap_err();
    assert_eq!(refusal(&status), Reason::FieldInvalid);

    let listed =
        service.stock().list_warehouses(ListWarehousesRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.warehouses.len(), 1);
    assert_eq!((listed.warehouses[0].kind(), listed.next_page_token.as_str()), (WarehouseKind::Own, ""));

    let pages = |token: &str| ListStockLedgerRequest {
        warehouse_id: "main".to_owned(),
        sku: "apple".to_owned(),
        page_size: 1,
        page_token: token.to_owned(),
    };
    let (_, _, reserve) = service.reserve("apple", 1);
    service.steps().run_goods_step(reserve).await.unwrap();
    let first = service.stock().list_stock_ledger(pages("")).await.unwrap().into_inner();
    let second = service.stock().list_stock_ledger(pages(&first.next_page_token)).await.unwrap().into_inner();
    assert_eq!((first.entries[0].kind.as_str(), second.entries[0].kind.as_str()), ("adjust", "reserve"));
    assert_eq!(second.next_page_token, "");
    let status = service.stock().list_stock_ledger(pages("rubbish")).await.unwrap_err();
    assert_eq!(refusal(&status), Reason::PageTokenInvalid);

    let mut audit = AuditServiceClient::new(service.public.for_streams());
    let request = ExportBooksRequest { books: vec!["stock".to_owned(), "stock_ledger".to_owned()] };
    let mut request = tonic::Request::new(request);
    request.metadata_mut().insert("x-countermand-role", "manager".parse().unwrap());
    let mut books = audit.export_books(request).await.unwrap().into_inner();
    let mut messages = Vec::new();
    while let Some(message) = books.message().await.unwrap() {
        messages.push((message.book, message.rows.len(), message.snapshot_at.is_empty()));
    }
    let expected = [("stock", 1, true), ("stock_ledger", 2, true), ("", 0, false)];
    assert_eq!(messages, expected.map(|(book, rows, open)| (book.to_owned(), rows, open)));

    stop(service).await;
}

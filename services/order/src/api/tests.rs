//! The service's rooms behind real listeners, without its peers: orders are accepted and stay PLACING.

use std::time::Duration;

use kit::answer::refusal;
use kit::client::Channel;
use kit::config::Listen;
use proto::audit::v1::ExportBooksRequest;
use proto::audit::v1::audit_service_client::AuditServiceClient;
use proto::order::v1 as wire;
use proto::order::v1::change_order_service_client::ChangeOrderServiceClient;
use proto::order::v1::operations_service_client::OperationsServiceClient;
use proto::order::v1::order_service_client::OrderServiceClient;
use storage::DatabaseConfig;
use tonic::metadata::{Ascii, MetadataKey};
use tonic::{Code, Request, Status};
use types::Reason;

use crate::app::{App, Bound};
use crate::config::Config;

/// A stream that says nothing for so long is broken.
const PATIENCE: Duration = Duration::from_secs(10);

async fn service() -> Bound {
    let mut config = Config {
        listen: Listen::loopback(0, 0),
        database: DatabaseConfig::at("sqlite::memory:"),
        ..Config::default()
    };
    config.auth.development_headers = true;
    App::bind(config).await.unwrap()
}

fn orders(service: &Bound) -> OrderServiceClient<Channel> {
    OrderServiceClient::new(service.server.public_channel())
}

fn changes(service: &Bound) -> ChangeOrderServiceClient<Channel> {
    ChangeOrderServiceClient::new(service.server.public_channel())
}

fn asked<T>(tenant: &str, role: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let who = [("tenant", tenant), ("user", "ada"), ("org", "shop"), ("role", role)];
    for (name, text) in who {
        let header: MetadataKey<Ascii> = format!("x-countermand-{name}").parse().unwrap();
        request.metadata_mut().insert(header, text.parse().unwrap());
    }
    request
}

fn staff<T>(message: T) -> Request<T> {
    asked("default", "staff", message)
}

fn tea(request_id: &str) -> wire::CreateOrderRequest {
    let line = wire::LineInput {
        sku: "TEA".to_owned(),
        quantity: 2,
        unit_price: "2.50".to_owned(),
        ..wire::LineInput::default()
    };
    let tender = wire::TenderInput {
        gateway: "sandbox".to_owned(),
        payment_token: "tok_ok".to_owned(),
        amount_minor: 500,
        capture_now: false,
    };
    wire::CreateOrderRequest {
        request_id: request_id.to_owned(),
        currency_code: "GBP".to_owned(),
        lines: vec![line],
        tenders: vec![tender],
        ..wire::CreateOrderRequest::default()
    }
}

async fn create(service: &Bound, request_id: &str) -> wire::Order {
    let answer = orders(service).create_order(staff(tea(request_id))).await.unwrap();
    answer.into_inner().order.unwrap()
}

fn cancel(order: &wire::Order) -> wire::ChangeInput {
    wire::ChangeInput {
        order_id: order.order_id.clone(),
        r#type: wire::ChangeOrderType::CancelOrder.into(),
        ..wire::ChangeInput::default()
    }
}

fn reason(status: &Status) -> Reason {
    refusal(status).unwrap_or_else(|| panic!("not one of our refusals: {status:?}")).reason
}

#[tokio::test]
async fn an_order_is_found_by_id_by_number_and_in_the_list() {
    let service = service().await;
    let created = create(&service, "r-1").await;
    let by_id =
        wire::GetOrderRequest { order_id: created.order_id.clone(), ..wire::GetOrderRequest::default() };
    let by_number =
        wire::GetOrderRequest { number: created.number.clone(), ..wire::GetOrderRequest::default() };

    let by_id = orders(&service).get_order(staff(by_id)).await.unwrap().into_inner();
    let by_number = orders(&service).get_order(staff(by_number)).await.unwrap().into_inner();
    let listed = orders(&service).list_orders(staff(wire::ListOrdersRequest::default())).await.unwrap();

    assert_eq!(created.state(), wire::OrderState::Placing);
    assert_eq!(created.totals.unwrap().total_minor, 500);
    assert_eq!(by_id.order.as_ref(), Some(&created));
    assert_eq!(by_number.order.as_ref(), Some(&created));
    assert_eq!(listed.into_inner().orders[0].order_id, created.order_id);
}

#[tokio::test]
async fn the_same_request_id_answers_the_same_order_and_refuses_another_body() {
    let service = service().await;
    let created = create(&service, "r-1").await;

    let again = create(&service, "r-1").await;
    let mut other = tea("r-1");
    other.customer_id = "c-2".to_owned();
    let reused = orders(&service).create_order(staff(other)).await.unwrap_err();
    let nameless = orders(&service).create_order(staff(tea(""))).await.unwrap_err();

    assert_eq!(again.order_id, created.order_id);
    assert_eq!((reused.code(), reason(&reused)), (Code::AlreadyExists, Reason::IdempotencyKeyReused));
    assert_eq!((nameless.code(), reason(&nameless)), (Code::InvalidArgument, Reason::RequestIdRequired));
}

#[tokio::test]
async fn lists_go_page_by_page_and_a_token_belongs_to_its_filter() {
    let service = service().await;
    for request_id in ["r-1", "r-2", "r-3"] {
        create(&service, request_id).await;
    }
    let request = |page_token: String, states: Vec<i32>| {
        staff(wire::ListOrdersRequest {
            page_size: 2,
            page_token,
            states,
            ..wire::ListOrdersRequest::default()
        })
    };

    let first = orders(&service).list_orders(request(String::new(), vec![])).await.unwrap().into_inner();
    let token = first.next_page_token.clone();
    let second = orders(&service).list_orders(request(token.clone(), vec![])).await.unwrap().into_inner();
    let placing = wire::OrderState::Placing.into();
    let elsewhere = orders(&service).list_orders(request(token, vec![placing])).await.unwrap_err();
    let unknown = orders(&service).list_orders(request(String::new(), vec![77])).await.unwrap_err();

    assert_eq!((first.orders.len(), second.orders.len()), (2, 1));
    assert_eq!(second.next_page_token, "");
    assert_eq!(reason(&elsewhere), Reason::PageTokenInvalid);
    assert_eq!(reason(&unknown), Reason::FieldInvalid);
}

#[tokio::test]
async fn another_tenant_sees_nothing() {
    let service = service().await;
    let created = create(&service, "r-1").await;
    let wanted = wire::GetOrderRequest { order_id: created.order_id, ..wire::GetOrderRequest::default() };

    let hidden = orders(&service).get_order(asked("other", "staff", wanted)).await.unwrap_err();
    let everything = asked("other", "staff", wire::ListOrdersRequest::default());
    let listed = orders(&service).list_orders(everything).await.unwrap();

    assert_eq!((hidden.code(), reason(&hidden)), (Code::NotFound, Reason::ResourceNotFound));
    assert_eq!(listed.into_inner().orders, []);
}

#[tokio::test]
async fn a_watcher_of_the_timeline_sees_what_was_and_what_comes() {
    let service = service().await;
    let created = create(&service, "r-1").await;
    let watch = wire::WatchTimelineRequest { order_id: created.order_id.clone(), after_sequence: 0 };

    let mut entries = orders(&service).watch_timeline(staff(watch)).await.unwrap().into_inner();
    let first = tokio::time::timeout(PATIENCE, entries.message()).await.unwrap().unwrap().unwrap();
    let submit = wire::SubmitChangeOrderRequest {
        request_id: "r-2".to_owned(),
        change: Some(cancel(&created)),
        ..wire::SubmitChangeOrderRequest::default()
    };
    changes(&service).submit_change_order(staff(submit)).await.unwrap();
    let second = tokio::time::timeout(PATIENCE, entries.message()).await.unwrap().unwrap().unwrap();

    let (first, second) = (first.entry.unwrap(), second.entry.unwrap());
    assert_eq!((first.sequence, first.event.as_str()), (1, "order.accepted"));
    assert_eq!((second.sequence, second.event.as_str()), (2, "change_order.accepted"));
    let stored = wire::GetTimelineRequest { order_id: created.order_id, page_size: 1, ..Default::default() };
    let stored = orders(&service).get_timeline(staff(stored)).await.unwrap().into_inner();
    assert_eq!(stored.entries, [first]);
    assert_ne!(stored.next_page_token, "");
}

#[tokio::test]
async fn while_placing_the_whole_order_is_cancelled_and_nothing_less() {
    let service = service().await;
    let created = create(&service, "r-1").await;
    let submit = |request_id: &str, change: wire::ChangeInput| {
        staff(wire::SubmitChangeOrderRequest {
            request_id: request_id.to_owned(),
            change: Some(change),
            ..wire::SubmitChangeOrderRequest::default()
        })
    };
    let mut part = cancel(&created);
    part.r#type = wire::ChangeOrderType::CancelItems.into();
    part.lines = vec![wire::ChangeLineInput { line_number: 1, quantity: 1, ..Default::default() }];

    let preview = wire::PreviewChangeOrderRequest { change: Some(cancel(&created)) };
    let preview = changes(&service).preview_change_order(staff(preview)).await.unwrap_err();
    let part = changes(&service).submit_change_order(submit("r-2", part)).await.unwrap_err();
    let whole = changes(&service).submit_change_order(submit("r-3", cancel(&created))).await.unwrap();
    let whole = whole.into_inner().change_order.unwrap();
    let second = changes(&service).submit_change_order(submit("r-4", cancel(&created))).await.unwrap_err();

    for status in [preview, part, second] {
        assert_eq!((status.code(), reason(&status)), (Code::Aborted, Reason::ChangeInProgress));
    }
    assert_eq!(whole.state(), wire::ChangeOrderState::Executing);
    assert_eq!((whole.order_number, whole.currency_code.as_str()), (created.number, "GBP"));
    assert_eq!(whole.amounts.unwrap().amount_minor, 500);
    let listed = wire::ListChangeOrdersRequest { order_id: created.order_id, ..Default::default() };
    let listed = changes(&service).list_change_orders(staff(listed)).await.unwrap().into_inner();
    assert_eq!(listed.change_orders[0].change_order_id, whole.change_order_id);
}

#[tokio::test]
async fn advice_and_verification_read_the_same_order() {
    let service = service().await;
    let created = create(&service, "r-1").await;
    let order_id = created.order_id.clone();

    let advice = wire::GetCancelabilityRequest { order_id: order_id.clone() };
    let advice = changes(&service).get_cancelability(staff(advice)).await.unwrap().into_inner();
    let mut operations = OperationsServiceClient::new(service.server.public_channel());
    let verified = operations.verify_order(staff(wire::VerifyOrderRequest { order_id })).await.unwrap();

    assert!(advice.allowed);
    assert_eq!(advice.advice(), wire::CancelAdvice::Safe);
    assert_eq!(advice.allowed_actions, ["SubmitChangeOrder"]);
    assert!(verified.into_inner().holds);
}

#[tokio::test]
async fn operators_see_sagas_and_books_and_the_parties_do_not() {
    let service = service().await;
    create(&service, "r-1").await;
    let mut operations = OperationsServiceClient::new(service.server.public_channel());
    let mut audit = AuditServiceClient::new(service.server.public_channel());

    let sagas = operations.list_sagas(staff(wire::ListSagasRequest::default())).await.unwrap().into_inner();
    let request = wire::ListSagasRequest::default();
    let buyer = operations.list_sagas(asked("default", "buyer", request)).await.unwrap_err();
    let books = ExportBooksRequest { books: vec!["order_head".to_owned()] };
    let mut books = audit.export_books(asked("default", "manager", books)).await.unwrap().into_inner();
    let heads = books.message().await.unwrap().unwrap();
    let end = books.message().await.unwrap().unwrap();

    assert_eq!((sagas.sagas.len(), sagas.sagas[0].definition.as_str()), (1, "place"));
    assert_eq!((buyer.code(), reason(&buyer)), (Code::PermissionDenied, Reason::PermissionDenied));
    assert_eq!((heads.book.as_str(), heads.rows.len()), ("order_head", 1));
    assert_eq!(heads.rows[0].cells.len(), heads.columns.len());
    assert!(end.rows.is_empty() && !end.snapshot_at.is_empty());
    assert!(books.message().await.unwrap().is_none());
}

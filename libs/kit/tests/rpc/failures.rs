use std::time::Duration;

use kit::answer::{Verdict, classify, refusal};
use kit::{Deadline, ERROR_DOMAIN, Failure};
use proto::audit::v1::{ExportBooksRequest, GatewayEffect, ListGatewayEffectsResponse};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use tonic_types::{ErrorDetails, StatusExt as _};
use types::{Reason, Refusal};

use crate::desk::{Desk, REQUEST_BYTES_MAX, ask, connect, text};

const UNARY_PATH: &str = "/countermand.audit.v1.AuditService/ListGatewayEffects";

fn insufficient_stock() -> Refusal {
    Refusal::new(Reason::InsufficientStock, "only 3 of \"tea – 250 g\" are left")
        .field("lines[0].quantity")
        .detail("available", 3)
        .detail("sku", "tea")
}

#[tokio::test]
async fn a_refusal_reaches_the_caller_as_it_was_made() {
    let desk = Desk::new(async |_| Err(Failure::from(insufficient_stock()))).start().await;

    let status = text(&mut desk.client()).await.unwrap_err();

    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(classify(&status), Verdict::Answered(insufficient_stock()));
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().domain, ERROR_DOMAIN);
    assert_eq!(details.bad_request().unwrap().field_violations[0].field, "lines[0].quantity");
    assert_eq!(details.precondition_failure().unwrap().violations[0].r#type, "INSUFFICIENT_STOCK");
}

#[tokio::test]
async fn a_missing_resource_is_named_in_the_details() {
    let desk = Desk::new(async |_| Err(Failure::not_found("order", "ord_1"))).start().await;

    let status = text(&mut desk.client()).await.unwrap_err();

    assert_eq!(status.code(), Code::NotFound);
    let details = status.get_error_details();
    let resource = details.resource_info().unwrap();
    assert_eq!((resource.resource_type.as_str(), resource.resource_name.as_str()), ("order", "ord_1"));
}

#[tokio::test]
async fn an_unavailable_answer_says_when_to_come_back() {
    const AFTER: Duration = Duration::from_secs(3);
    let desk = Desk::new(async |_| Err(Failure::unavailable(Reason::StorageUnavailable, "no store", AFTER)))
        .start()
        .await;

    let status = text(&mut desk.client()).await.unwrap_err();

    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.get_details_retry_info().unwrap().retry_delay, Some(AFTER));
}

#[tokio::test]
async fn a_refusal_too_long_for_headers_still_arrives_as_an_answer() {
    let desk = Desk::new(async |_| {
        let long = "é".repeat(20_000);
        let refusal = (0..100).fold(Refusal::new(Reason::Delivered, long.clone()), |refusal, line| {
            refusal.detail(format!("line_{line}"), &long)
        });
        Err(Failure::from(refusal))
    })
    .start()
    .await;

    let status = text(&mut desk.client()).await.unwrap_err();

    assert_eq!(refusal(&status).unwrap().reason, Reason::Delivered);
}

#[tokio::test]
async fn a_panic_is_one_internal_answer_and_the_server_lives_on() {
    let desk = Desk::new(async |request: Request<_>| {
        let request: proto::audit::v1::ListGatewayEffectsRequest = request.into_inner();
        assert!(request.page_token != "panic", "the handler's secret");
        Ok("alive".to_owned())
    })
    .start()
    .await;
    let mut client = desk.client();

    let status = client.list_gateway_effects(ask("panic")).await.unwrap_err();

    assert_eq!(status.code(), Code::Internal);
    assert!(!status.message().contains("secret"));
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, Reason::Internal.as_str());
    assert!(!info.metadata["correlation_id"].is_empty());
    assert_eq!(text(&mut client).await.unwrap(), "alive");
}

#[tokio::test]
async fn an_oversize_message_is_an_invalid_argument() {
    let desk = Desk::new(async |_| Ok(String::new())).start().await;

    let request = ask(&"x".repeat(REQUEST_BYTES_MAX + 1));
    let status = desk.client().list_gateway_effects(request).await.unwrap_err();

    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(refusal(&status).unwrap().reason, Reason::MessageTooLarge);
}

#[tokio::test]
async fn a_message_of_another_type_is_an_invalid_argument() {
    let desk = Desk::new(async |_| Ok(String::new())).start().await;
    let mut client = tonic::client::Grpc::new(connect(&desk.public));

    // Its first field is text where the service expects a number.
    let request = Request::new(GatewayEffect { key: "x".to_owned(), ..GatewayEffect::default() });
    let codec = ProstCodec::<GatewayEffect, ListGatewayEffectsResponse>::default();
    let status = client.unary(request, UNARY_PATH.parse().unwrap(), codec).await.unwrap_err();

    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(refusal(&status).unwrap().reason, Reason::MalformedMessage);
}

#[tokio::test]
async fn a_call_without_a_message_is_an_invalid_argument() {
    let desk = Desk::new(async |_| Ok(String::new())).start().await;
    let mut client = tonic::client::Grpc::new(connect(&desk.public));

    let codec = ProstCodec::<GatewayEffect, ListGatewayEffectsResponse>::default();
    let nothing = Request::new(futures::stream::empty());
    let status = client.client_streaming(nothing, UNARY_PATH.parse().unwrap(), codec).await.unwrap_err();

    assert_eq!(refusal(&status).unwrap().reason, Reason::MalformedMessage);
}

#[tokio::test]
async fn an_expired_deadline_is_deadline_exceeded_for_the_caller() {
    let desk = Desk::new(async |_| std::future::pending().await).start().await;
    let mut request = Request::new(ask(""));
    request.set_timeout(Duration::from_millis(100));

    let status = desk.client().list_gateway_effects(request).await.unwrap_err();

    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(matches!(classify(&status), Verdict::Unknown(_)));
}

#[tokio::test]
async fn a_call_made_while_answering_has_no_more_time_than_is_left() {
    let inner =
        Desk::new(async |request: Request<_>| Ok(Deadline::of(&request).remaining().as_millis().to_string()))
            .start()
            .await;
    let channel = connect(&inner.public).with_timeout(Duration::from_hours(1));
    let outer = Desk::new(move |_| {
        let mut client = proto::audit::v1::audit_service_client::AuditServiceClient::new(channel.clone());
        async move { text(&mut client).await.map_err(|status| Failure::internal(status.message())) }
    })
    .start()
    .await;
    let mut request = Request::new(ask(""));
    request.set_timeout(Duration::from_secs(5));

    let reply = outer.client().list_gateway_effects(request).await.unwrap().into_inner();

    let left_ms: u64 = reply.next_page_token.parse().unwrap();
    assert!(left_ms <= 4_900, "{left_ms} ms were left of 5 s, less the margin");
}

#[tokio::test]
async fn a_stream_outlives_the_time_its_call_was_given() {
    let desk = Desk::new(async |_| Ok(String::new())).start().await;
    let channel = connect(&desk.public).with_timeout(Duration::from_millis(200)).for_streams();
    let mut client = proto::audit::v1::audit_service_client::AuditServiceClient::new(channel);

    let mut stream = client.export_books(ExportBooksRequest::default()).await.unwrap().into_inner();

    assert_eq!(stream.message().await.unwrap().unwrap().book, "first");
    let waited = tokio::time::timeout(Duration::from_millis(400), stream.message()).await;
    assert!(waited.is_err(), "the stream ended: {waited:?}");
}

const CODES: [(Code, bool); 17] = [
    (Code::Ok, false),
    (Code::Cancelled, false),
    (Code::Unknown, false),
    (Code::InvalidArgument, true),
    (Code::DeadlineExceeded, false),
    (Code::NotFound, true),
    (Code::AlreadyExists, true),
    (Code::PermissionDenied, true),
    (Code::ResourceExhausted, false),
    (Code::FailedPrecondition, true),
    (Code::Aborted, false),
    (Code::OutOfRange, false),
    (Code::Unimplemented, false),
    (Code::Internal, false),
    (Code::Unavailable, false),
    (Code::DataLoss, false),
    (Code::Unauthenticated, false),
];

fn with_domain(code: Code, domain: &str, reason: Reason) -> Status {
    Status::with_error_details(code, "no", ErrorDetails::with_error_info(reason.as_str(), domain, []))
}

#[test]
fn five_codes_with_our_domain_are_answers_and_nothing_else_is() {
    for (code, is_answer) in CODES {
        let ours = classify(&with_domain(code, ERROR_DOMAIN, Reason::Delivered));
        let answered = matches!(&ours, Verdict::Answered(refusal) if refusal.reason == Reason::Delivered);
        assert_eq!(answered, is_answer, "{code:?} with our domain is {ours:?}");

        let theirs = classify(&with_domain(code, "example.com", Reason::Delivered));
        assert!(matches!(theirs, Verdict::Unknown(_)), "{code:?} of another domain is {theirs:?}");

        let bare = classify(&Status::new(code, "no"));
        assert!(matches!(bare, Verdict::Unknown(_)), "a bare {code:?} is {bare:?}");
    }
}

#[test]
fn a_stale_quote_is_an_answer() {
    let stale = Status::from(Failure::new(Reason::QuoteStale, "something else would go back"));

    assert_eq!(stale.code(), Code::Aborted);
    assert!(matches!(classify(&stale), Verdict::Answered(refusal) if refusal.reason == Reason::QuoteStale));
}

#[test]
fn a_lost_lease_is_no_answer() {
    let stale = Status::from(Failure::new(Reason::StaleEpoch, "epoch 4 was seen"));

    assert_eq!(stale.code(), Code::FailedPrecondition);
    assert_eq!(classify(&stale), Verdict::Stale);
}

#[test]
fn a_reason_of_a_newer_peer_is_no_answer() {
    let details = ErrorDetails::with_error_info("INVENTED_LATER", ERROR_DOMAIN, []);
    let status = Status::with_error_details(Code::FailedPrecondition, "no", details);

    assert!(matches!(classify(&status), Verdict::Unknown(_)));
}

#[test]
fn every_reason_is_read_back_from_its_status() {
    for &reason in Reason::ALL {
        let refusal = Refusal::new(reason, "no").field("a.b").detail("left", 1);

        let read = kit::answer::refusal(&Status::from(Failure::from(refusal.clone())));

        assert_eq!(read, Some(refusal));
    }
}

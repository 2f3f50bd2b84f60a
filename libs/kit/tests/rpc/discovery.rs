use futures::StreamExt as _;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::desk::{Desk, connect};

const AUDIT: &str = "countermand.audit.v1.AuditService";

/// The two protocol versions are the same messages in two packages.
macro_rules! reflection_tests {
    ($version:ident) => {
        mod $version {
            use tonic_reflection::pb::$version::ServerReflectionRequest;
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;

            use super::super::desk::{Desk, connect};

            async fn ask(question: MessageRequest) -> MessageResponse {
                let desk = Desk::new(async |_| Ok(String::new())).start().await;
                let mut client = ServerReflectionClient::new(connect(&desk.public));
                let request =
                    ServerReflectionRequest { host: String::new(), message_request: Some(question) };
                let requests = tokio_stream::once(request);
                let mut replies = client.server_reflection_info(requests).await.unwrap().into_inner();
                replies.message().await.unwrap().unwrap().message_response.unwrap()
            }

            #[tokio::test]
            async fn lists_what_this_listener_serves() {
                let reply = ask(MessageRequest::ListServices(String::new())).await;

                let MessageResponse::ListServicesResponse(list) = reply else {
                    panic!("{reply:?}");
                };
                let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
                names.sort();
                assert_eq!(names, [super::AUDIT, "grpc.health.v1.Health"]);
            }

            #[tokio::test]
            async fn is_not_served_unless_enabled() {
                let builder = kit::server::Server::builder("desk")
                    .public("127.0.0.1:0".parse().unwrap(), Desk::new(async |_| Ok(String::new())).routes());
                let bound = builder.bind().await.unwrap();
                let mut client = ServerReflectionClient::new(bound.public_channel());
                let question = MessageRequest::ListServices(String::new());
                let request =
                    ServerReflectionRequest { host: String::new(), message_request: Some(question) };

                let refused = client.server_reflection_info(tokio_stream::once(request)).await.unwrap_err();

                assert_eq!(refused.code(), tonic::Code::Unimplemented);
            }

            #[tokio::test]
            async fn knows_the_types_of_requests_and_of_error_details() {
                for symbol in
                    ["countermand.audit.v1.ExportBooksRequest", super::AUDIT, "google.rpc.ErrorInfo"]
                {
                    let reply = ask(MessageRequest::FileContainingSymbol(symbol.to_owned())).await;

                    let MessageResponse::FileDescriptorResponse(files) = reply else {
                        panic!("{symbol}: {reply:?}");
                    };
                    assert!(!files.file_descriptor_proto.is_empty(), "{symbol}");
                }
            }
        }
    };
}

reflection_tests!(v1);
reflection_tests!(v1alpha);

#[tokio::test]
async fn health_is_told_per_service_and_for_the_whole() {
    let desk = Desk::new(async |_| Ok(String::new())).start().await;
    let mut client = HealthClient::new(connect(&desk.internal));

    for service in ["", AUDIT] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let status = client.check(request).await.unwrap().into_inner().status();
        assert_eq!(status, ServingStatus::Serving, "{service:?}");
    }

    let request = HealthCheckRequest { service: "no.such.Service".to_owned() };
    assert_eq!(client.check(request).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_service_that_cannot_answer_says_so_and_the_others_do_not() {
    let bound = Desk::new(async |_| Ok(String::new())).bind().await;
    let health = bound.health();
    let desk = super::desk::Running::of(bound);
    let mut client = HealthClient::new(connect(&desk.public));
    let watch = HealthCheckRequest { service: AUDIT.to_owned() };
    let statuses = client.watch(watch).await.unwrap().into_inner();
    let mut statuses = statuses.map(|reply| reply.unwrap().status());
    while statuses.next().await != Some(ServingStatus::Serving) {}

    health.set(AUDIT, false).await;

    assert_eq!(statuses.next().await, Some(ServingStatus::NotServing));
    let whole = client.check(HealthCheckRequest::default()).await.unwrap().into_inner().status();
    assert_eq!(whole, ServingStatus::Serving);
}

#[tokio::test]
async fn health_needs_no_identity() {
    let builder = kit::server::Server::builder("desk")
        .public("127.0.0.1:0".parse().unwrap(), Desk::new(async |_| Ok(String::new())).routes())
        .internal("127.0.0.1:0".parse().unwrap(), kit::server::Routes::new());
    let desk = super::desk::Running::of(builder.bind().await.unwrap());

    let reply = HealthClient::new(connect(&desk.public)).check(HealthCheckRequest::default()).await;

    assert_eq!(reply.unwrap().into_inner().status(), ServingStatus::Serving);
}

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use kit::answer::refusal;
use kit::server::Server;
use proto::audit::v1::ExportBooksRequest;
use proto::audit::v1::audit_service_client::AuditServiceClient;
use tokio::sync::{Notify, Semaphore};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use types::Reason;

use crate::desk::{Desk, Running, connect, connect_peer, shared, text, told};

/// A handler that says when it has begun and ends when it is let.
fn patient() -> (Desk, Arc<Notify>, Arc<Semaphore>) {
    let (begun, permission) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let handler = {
        let (begun, permission) = (Arc::clone(&begun), Arc::clone(&permission));
        move |_| {
            let (begun, permission) = (Arc::clone(&begun), Arc::clone(&permission));
            async move {
                begun.notify_one();
                drop(permission.acquire().await);
                Ok("finished".to_owned())
            }
        }
    };
    (Desk::new(handler), begun, permission)
}

#[tokio::test]
async fn a_draining_server_says_so_and_finishes_what_it_began() {
    let (desk, begun, permission) = patient();
    let desk = desk.start().await;
    let mut client = desk.client();
    let call = tokio::spawn(async move { text(&mut client).await });
    begun.notified().await;
    let mut prober = HealthClient::new(connect(&desk.internal));
    let statuses = prober.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let mut statuses = statuses.map(|reply| reply.map(|reply| reply.status()));
    while statuses.next().await.unwrap().unwrap() != ServingStatus::Serving {}

    desk.shutdown.cancel();

    assert_eq!(statuses.next().await.unwrap().unwrap(), ServingStatus::NotServing);
    let ended = statuses.next().await.unwrap().unwrap_err();
    assert_eq!(refusal(&ended).unwrap().reason, Reason::ShuttingDown);
    assert!(!call.is_finished(), "the call was cut off");
    permission.add_permits(1);
    assert_eq!(call.await.unwrap().unwrap(), "finished");
    desk.ended.await.unwrap().unwrap();
    let refused = text(&mut AuditServiceClient::new(connect(&desk.public))).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_silent_stream_does_not_hold_the_drain_up() {
    let desk = Desk::new(async |_| Ok(String::new())).start().await;
    let mut client = desk.client();
    let mut stream = client.export_books(ExportBooksRequest::default()).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());

    desk.shutdown.cancel();

    let ended = stream.message().await.unwrap_err();
    assert_eq!(ended.code(), Code::Unavailable);
    desk.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_call_that_does_not_end_is_cut_off_at_the_limit() {
    let (desk, begun, _permission) = patient();
    let builder = Server::builder("desk")
        .drain(Duration::from_millis(50))
        .workloads(&shared())
        .public("127.0.0.1:0".parse().unwrap(), kit::server::Routes::new())
        .internal("127.0.0.1:0".parse().unwrap(), desk.internal_routes());
    let desk = Running::of(builder.bind().await.unwrap());
    let peer = connect_peer(&desk.internal);
    tokio::spawn(async move { told(peer, "").await });
    begun.notified().await;

    desk.shutdown.cancel();

    desk.ended.await.unwrap().unwrap();
}

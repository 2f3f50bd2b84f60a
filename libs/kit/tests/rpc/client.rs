use std::time::Duration;

use kit::client::{self, Channel, ClientConfig};
use kit::server::Bound;
use proto::audit::v1::audit_service_client::AuditServiceClient;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::desk::{Desk, connect, text, told};

const ATTEMPTS_MAX: usize = 100;

fn quick(url: &str) -> Channel {
    let config = ClientConfig {
        timeout_ms: 500,
        ping_interval_ms: 100,
        ping_timeout_ms: 100,
        ..ClientConfig::default()
    };
    client::connect(url, &config).unwrap()
}

#[tokio::test]
async fn a_peer_that_never_answers_is_deadline_exceeded() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let channel = connect(&url).with_timeout(Duration::from_millis(100));

    let status = text(&mut AuditServiceClient::new(channel)).await.unwrap_err();

    assert_eq!(status.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_peer_that_is_not_there_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);

    let status = text(&mut AuditServiceClient::new(connect(&url))).await.unwrap_err();

    assert_eq!(status.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_channel_made_before_its_peer_started_works_afterwards() {
    let bound = Desk::new(async |_| Ok("here".to_owned())).bind().await;
    let mut client = AuditServiceClient::new(connect(&format!("http://{}", bound.public_addr())));

    tokio::spawn(bound.run(CancellationToken::new()));

    assert_eq!(text(&mut client).await.unwrap(), "here");
}

/// Forwards connections; each one stops moving bytes, without closing, when its token fires. That is
/// how a peer looks whose machine lost power.
async fn proxy_to(bound: &Bound) -> (String, mpsc::UnboundedReceiver<CancellationToken>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let target = bound.public_addr();
    let (connections, accepted) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let frozen = CancellationToken::new();
            connections.send(frozen.clone()).unwrap();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(target).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    () = frozen.cancelled() => std::future::pending().await,
                }
            });
        }
    });
    (url, accepted)
}

#[tokio::test]
async fn a_connection_that_died_in_silence_is_replaced() {
    let bound = Desk::new(async |_| Ok("alive".to_owned())).bind().await;
    let (url, mut connections) = proxy_to(&bound).await;
    tokio::spawn(bound.run(CancellationToken::new()));
    let mut client = AuditServiceClient::new(quick(&url));
    assert_eq!(text(&mut client).await.unwrap(), "alive");

    connections.recv().await.unwrap().cancel();

    let mut attempts = 0;
    while text(&mut client).await.is_err() {
        attempts += 1;
        assert!(attempts < ATTEMPTS_MAX, "the channel never left the dead connection");
    }
    assert!(connections.try_recv().is_ok(), "the answer came over the dead connection");
}

#[tokio::test]
async fn a_service_of_the_same_process_is_called_through_the_same_gate() {
    let bound = Desk::new(async |request: tonic::Request<_>| {
        let request: proto::audit::v1::ListGatewayEffectsRequest = request.into_inner();
        assert!(request.page_token != "panic", "no socket is no excuse");
        Ok("near".to_owned())
    })
    .bind()
    .await;

    assert_eq!(told(bound.internal_channel(), "").await.unwrap(), "near");
    assert_eq!(told(bound.internal_channel(), "panic").await.unwrap_err().code(), Code::Internal);
}

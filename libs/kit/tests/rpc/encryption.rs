//! Both sides prove who they are. The keys beside this file belong to a test authority whose own key
//! was thrown away.

use std::path::PathBuf;

use kit::client::{self, ClientConfig, ClientTls};
use kit::config::{Identity, Internal, Peer, Secret, Tls};
use kit::server::{Bound, Server, ServerError};
use proto::inventory::v1::ForecastTargetsRequest;
use proto::inventory::v1::propagation_service_client::PropagationServiceClient;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::desk::{Desk, connect, connect_peer, shared, told};

fn certificate(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/rpc/certificates").join(name)
}

const TOLD: &str = "countermand.inventory.v1.PropagationService";

fn identity(client_ca: Option<&str>) -> Identity {
    Identity {
        certificate: certificate("server.pem"),
        key: certificate("server.key"),
        client_ca: client_ca.map(certificate),
    }
}

/// A peer that comes as `name` and may call one thing.
fn peer(name: &str, may_call: &str) -> Internal {
    let peer = Peer { names: vec![name.to_owned()], may_call: vec![may_call.to_owned()] };
    Internal { peers: [("order".to_owned(), peer)].into(), ..Internal::default() }
}

async fn bind(address: &str, identity: Option<Identity>, internal: &Internal) -> Result<Bound, ServerError> {
    Server::builder("desk")
        .tls(&Tls { internal: identity, allow_plaintext: true, ..Tls::default() })
        .workloads(internal)
        .internal(address.parse().unwrap(), Desk::new(async |_| Ok("proven".to_owned())).internal_routes())
        .bind()
        .await
}

/// Serves the internal listener to holders of a certificate; answers its port.
async fn serve(internal: &Internal) -> u16 {
    let bound = bind("127.0.0.1:0", Some(identity(Some("ca.pem"))), internal).await.unwrap();
    let port = bound.internal_addr().port();
    tokio::spawn(bound.run(CancellationToken::new()));
    port
}

/// Shows one of the certificates beside this file, and reads what the listener answers.
async fn call_as(name: &str, port: u16) -> Result<String, tonic::Status> {
    let tls = ClientTls {
        server_ca: certificate("ca.pem"),
        certificate: certificate(&format!("{name}.pem")),
        key: certificate(&format!("{name}.key")),
        domain: None,
    };
    let config = ClientConfig { tls: Some(tls), ..ClientConfig::default() };
    let channel = client::connect(&format!("https://localhost:{port}"), &config).unwrap();
    told(channel, "").await
}

#[tokio::test]
async fn a_peer_may_call_what_its_certificates_name_is_listed_for() {
    for may_call in [TOLD.to_owned(), format!("{TOLD}/TellTarget")] {
        let port = serve(&peer("spiffe://shop/order", &may_call)).await;

        assert_eq!(call_as("client", port).await.unwrap(), "proven");
    }
}

#[tokio::test]
async fn a_peer_may_not_call_what_it_is_not_listed_for() {
    // The listener serves one service, which another peer may call.
    let mut internal = peer("spiffe://shop/order", &format!("{TOLD}/ForecastTargets"));
    internal
        .peers
        .extend(peer("spiffe://shop/else", TOLD).peers.into_values().map(|peer| ("else".into(), peer)));
    let port = serve(&internal).await;

    assert_eq!(call_as("client", port).await.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_certificate_that_nobody_listed_names_nobody() {
    let port = serve(&peer("spiffe://shop/order", TOLD)).await;

    assert_eq!(call_as("stranger", port).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn the_secret_is_no_substitute_where_certificates_are_asked_for() {
    let port = serve(&Internal { secret: shared().secret, ..peer("spiffe://shop/order", TOLD) }).await;

    assert_eq!(call_as("stranger", port).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn beyond_this_machine_an_internal_listener_knows_its_callers_or_does_not_start() {
    let named = peer("spiffe://shop/order", TOLD);
    let refused = |error: Result<Bound, ServerError>| error.err().unwrap();

    let anybody = bind("0.0.0.0:0", Some(identity(None)), &shared()).await;
    assert!(matches!(refused(anybody), ServerError::AnybodyInternal { .. }));
    let anybody = bind("0.0.0.0:0", None, &named).await;
    assert!(matches!(refused(anybody), ServerError::AnybodyInternal { .. }));
    let nobody = bind("0.0.0.0:0", Some(identity(Some("ca.pem"))), &Internal::default()).await;
    assert!(matches!(refused(nobody), ServerError::NoPeers));
    let misspelt =
        bind("127.0.0.1:0", None, &peer("spiffe://shop/order", "countermand.inventory.v1.Propagation")).await;
    assert!(matches!(refused(misspelt), ServerError::UnservedByPeer { .. }));
    let guessed = Internal { secret: Secret::new("short"), ..Internal::default() };
    assert!(matches!(refused(bind("127.0.0.1:0", None, &guessed).await), ServerError::Secret(_)));

    assert!(bind("0.0.0.0:0", Some(identity(Some("ca.pem"))), &named).await.is_ok());
    assert!(bind("0.0.0.0:0", None, &shared()).await.is_ok());
}

#[tokio::test]
async fn without_the_secret_nobody_is_answered_on_the_internal_port() {
    let desk = Desk::new(async |_| Ok("trusted".to_owned())).start().await;
    let other =
        Internal { secret: Secret::new("another-secret-of-the-same-length-36"), ..Internal::default() };
    let guessing = client::connect_peer(&desk.internal, &ClientConfig::default(), &other).unwrap();

    for bare in [connect(&desk.internal), guessing] {
        let status = told(bare, "").await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
    }
    let peer = connect_peer(&desk.internal);
    assert_eq!(told(peer, "").await.unwrap(), "trusted");
}

#[tokio::test]
async fn a_listener_that_knows_nobody_answers_nobody_but_its_own_process() {
    let bound = bind("127.0.0.1:0", None, &Internal::default()).await.unwrap();
    let own = bound.internal_channel();
    let url = format!("http://{}", bound.internal_addr());
    tokio::spawn(bound.run(CancellationToken::new()));

    for channel in [connect(&url), connect_peer(&url)] {
        let status = told(channel, "").await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
    }
    assert_eq!(told(own, "").await.unwrap(), "proven");
}

#[tokio::test]
async fn a_probe_without_a_certificate_asks_the_health_listener_and_finds_nothing_else_there() {
    let desk = Desk::new(async |_| Ok("proven".to_owned()));
    let bound = Server::builder("desk")
        .tls(&Tls { internal: Some(identity(Some("ca.pem"))), ..Tls::default() })
        .workloads(&peer("spiffe://shop/order", TOLD))
        .health(Some("127.0.0.1:0".parse().unwrap()))
        .internal("127.0.0.1:0".parse().unwrap(), desk.internal_routes())
        .bind()
        .await
        .unwrap();
    let channel = connect(&format!("http://{}", bound.health_addr().unwrap()));
    tokio::spawn(bound.run(CancellationToken::new()));

    let request = HealthCheckRequest { service: TOLD.to_owned() };
    let health = HealthClient::new(channel.clone()).check(request).await.unwrap().into_inner();

    assert_eq!(health.status(), ServingStatus::Serving);
    assert!(told(channel, "").await.is_err());
}

#[tokio::test]
async fn a_caller_without_a_certificate_is_not() {
    let port = serve(&peer("spiffe://shop/order", TOLD)).await;
    let tls = tonic::transport::ClientTlsConfig::new().ca_certificate(
        tonic::transport::Certificate::from_pem(std::fs::read(certificate("ca.pem")).unwrap()),
    );
    let endpoint = tonic::transport::Endpoint::from_shared(format!("https://localhost:{port}")).unwrap();
    let anonymous = endpoint.tls_config(tls).unwrap().connect_lazy();

    let request = ForecastTargetsRequest::default();
    assert!(PropagationServiceClient::new(anonymous).forecast_targets(request).await.is_err());

    let plain = connect(&format!("http://127.0.0.1:{port}"));
    assert!(told(plain, "").await.is_err());
}

//! Both sides prove who they are. The keys beside this file belong to a test authority whose own key
//! was thrown away.

use std::path::PathBuf;

use kit::client::{self, ClientConfig, ClientTls};
use kit::config::{Identity, Tls};
use kit::server::Server;
use proto::audit::v1::audit_service_client::AuditServiceClient;
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, connect, text};

fn certificate(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/rpc/certificates").join(name)
}

/// Serves the internal listener to holders of a certificate; answers its port.
async fn serve() -> u16 {
    let identity = Identity {
        certificate: certificate("server.pem"),
        key: certificate("server.key"),
        client_ca: Some(certificate("ca.pem")),
    };
    let bound = Server::builder("desk")
        .tls(&Tls { internal: Some(identity), ..Tls::default() })
        .internal("127.0.0.1:0".parse().unwrap(), Desk::new(async |_| Ok("proven".to_owned())).routes())
        .bind()
        .await
        .unwrap();
    let port = bound.internal_addr().port();
    tokio::spawn(bound.run(CancellationToken::new()));
    port
}

fn config() -> ClientConfig {
    let tls = ClientTls {
        server_ca: certificate("ca.pem"),
        certificate: certificate("client.pem"),
        key: certificate("client.key"),
        domain: None,
    };
    ClientConfig { tls: Some(tls), ..ClientConfig::default() }
}

#[tokio::test]
async fn a_caller_with_a_certificate_is_answered() {
    let url = format!("https://localhost:{}", serve().await);
    let channel = client::connect(&url, &config()).unwrap();

    assert_eq!(text(&mut AuditServiceClient::new(channel)).await.unwrap(), "proven");
}

#[tokio::test]
async fn a_caller_without_a_certificate_is_not() {
    let port = serve().await;
    let tls = tonic::transport::ClientTlsConfig::new().ca_certificate(
        tonic::transport::Certificate::from_pem(std::fs::read(certificate("ca.pem")).unwrap()),
    );
    let endpoint = tonic::transport::Endpoint::from_shared(format!("https://localhost:{port}")).unwrap();
    let anonymous = endpoint.tls_config(tls).unwrap().connect_lazy();

    let request = crate::desk::ask("");
    assert!(AuditServiceClient::new(anonymous).list_gateway_effects(request).await.is_err());

    let plain = connect(&format!("http://127.0.0.1:{port}"));
    assert!(text(&mut AuditServiceClient::new(plain)).await.is_err());
}

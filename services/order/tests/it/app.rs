//! The service as it is started: its own wiring, on free ports, with in-process peers.

use kit::config::{Auth, Listen};
use order::app::App;
use order::config::Config;
use order::ports::Peers;
use proto::order::v1::order_service_client::OrderServiceClient;
use proto::order::v1::{CreateOrderRequest, LineInput, OrderState, TenderInput};
use storage::DatabaseConfig;
use tokio_util::sync::CancellationToken;

use crate::fakes::Fakes;

#[tokio::test]
async fn the_service_places_an_order_and_drains() {
    let fakes = Fakes::start().await;
    let config = Config {
        listen: Listen::loopback(0, 0),
        auth: Auth { development_headers: true, ..Auth::default() },
        database: DatabaseConfig::at("sqlite::memory:"),
        ..Config::default()
    };
    let bound = App::bind(config).await.unwrap();
    let url = format!("http://{}", bound.server.public_addr());
    let peers = Peers { inventory: fakes.channel(), payment: fakes.channel(), notification: fakes.channel() };
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(bound.run(peers, shutdown.clone()));

    let channel = kit::client::connect(&url, &kit::client::ClientConfig::default()).unwrap();
    let request = CreateOrderRequest {
        request_id: "first".to_owned(),
        currency_code: "GBP".to_owned(),
        lines: vec![LineInput {
            sku: "TEAPOT".to_owned(),
            quantity: 1,
            unit_price: "10.00".to_owned(),
            ..LineInput::default()
        }],
        tenders: vec![TenderInput {
            gateway: "sandbox".to_owned(),
            payment_token: "tok_approve".to_owned(),
            amount_minor: 1_000,
            capture_now: false,
        }],
        wait: proto::common::v1::Wait::Completed.into(),
        ..CreateOrderRequest::default()
    };
    let created = OrderServiceClient::new(channel).create_order(request).await.unwrap().into_inner();

    assert_eq!(created.order.unwrap().state(), OrderState::Confirmed);
    shutdown.cancel();
    running.await.unwrap().unwrap();
}

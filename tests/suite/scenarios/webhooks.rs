//! Gateways' webhooks, posted to the payment service as a gateway would.

use anyhow::{Context, Result, ensure};
use proto::order::v1::ChangeOrderState;
use proto::payment::v1::{GatewayEventState, ListGatewayEventsRequest, RefundState};
use tests::ports::free_port;
use tests::shop::card;
use tests::{Shop, eventually};

use crate::Stage;

/// A stranger's signature opens nothing, and its event is not kept.
pub async fn an_unsigned_webhook_is_refused(stage: &Stage) -> Result<()> {
    let port = free_port()?;
    let extra = [
        ("COUNTERMAND_WEBHOOKS__LISTEN", format!("127.0.0.1:{port}")),
        ("COUNTERMAND_GATEWAY__NAMED__SANDBOX__WEBHOOK_SECRETS__DEFAULT", "[\"whsec_1\"]".to_owned()),
    ];
    let suite = stage.own_suite(&extra).await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    let mut request = shop.order_request(&sku, 1, "10.00", 0);
    request.tenders = vec![card("tok_approve", 1_000, true)];
    let order = shop.create(request).await?;
    let change = shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");

    let body = r#"{"id":"evt_1","type":"refund.failed","created":1,"data":{"object":{"id":"re_1"}}}"#;
    let forged = by_hand::post(port, "/webhooks/default/sandbox", "t=1,v1=00", body).await?;
    let elsewhere = by_hand::post(port, "/anything", "t=1,v1=00", body).await?;

    ensure!((forged, elsewhere) == (401, 404), "{forged} {elsewhere}");
    let kept = async || {
        let request = ListGatewayEventsRequest { page_size: 10, ..ListGatewayEventsRequest::default() };
        let events = shop.clients.payments().list_gateway_events(request).await?.into_inner().events;
        ensure!(events.iter().all(|event| event.state() != GatewayEventState::Received));
        Ok(events.is_empty().then_some(()))
    };
    eventually("nothing is kept", kept).await?;
    let refunds = shop.refunds(&order.order_id).await?;
    let refund = refunds.first().context("there is a refund")?;
    ensure!(refund.state() == RefundState::Succeeded, "its word is not believed: {refund:?}");
    Ok(())
}

/// One request over one connection, with nobody's HTTP library between.
mod by_hand {
    use anyhow::{Context, Result};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    pub async fn post(port: u16, path: &str, signature: &str, body: &str) -> Result<u16> {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nstripe-signature: {signature}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let status = answer.split(' ').nth(1).context("the answer has no status")?;
        Ok(status.parse()?)
    }
}

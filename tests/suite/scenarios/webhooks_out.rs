//! Events posted to others, received and verified by the Standard Webhooks library of another language.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use proto::notification::v1::{
    EndpointState, ListEndpointsRequest, ListWebhookDeliveriesRequest, RotateSecretRequest,
    UpsertEndpointRequest, WebhookDelivery,
};
use serde_json::{Value, json};
use tests::Shop;
use tests::clients::{Caller, Clients};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::Stage;

const PATIENCE: Duration = Duration::from_secs(30);

/// The Python receiver. It ends with its standard input.
struct Receiver {
    port: u16,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Receiver {
    async fn start() -> Result<Self> {
        let python = std::env::var("COUNTERMAND_TEST_PYTHON")
            .context("COUNTERMAND_TEST_PYTHON names the program; tests/run installs it and sets it")?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/webhook_receiver.py");
        let mut child = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take().context("the receiver has an input")?;
        let output = child.stdout.take().context("the receiver has an output")?;
        let mut output = BufReader::new(output).lines();
        let port = output.next_line().await?.context("the receiver says its port")?.parse()?;
        Ok(Self { port, input, output, _child: child })
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Which secrets a path verifies with, and what it answers.
    async fn tell(&mut self, path: &str, secrets: &[&str], answers: Value) -> Result<()> {
        let line = json!({ "path": path, "secrets": secrets, "answers": answers }).to_string();
        self.input.write_all(format!("{line}\n").as_bytes()).await?;
        loop {
            if self.next_line().await?["told"] == path {
                return Ok(());
            }
        }
    }

    async fn next_line(&mut self) -> Result<Value> {
        let line =
            timeout(PATIENCE, self.output.next_line()).await.context("the receiver heard nothing")??;
        Ok(serde_json::from_str(&line.context("the receiver ended")?)?)
    }

    /// What comes up to the first event of a type.
    async fn heard_until(&mut self, kind: &str) -> Result<Vec<Value>> {
        let mut heard = Vec::new();
        loop {
            let one = self.next_line().await?;
            let is_last = one["event"]["type"] == format!("countermand.events.v1.{kind}");
            heard.push(one);
            if is_last {
                return Ok(heard);
            }
        }
    }
}

/// A shop of a tenant of its own, so that it hears of nobody else's orders.
async fn shop_of(stage: &Stage, tenant: &str) -> Result<Shop> {
    let caller = Caller { tenant: tenant.to_owned(), ..Caller::default() };
    Shop::open(stage.suite().await?.clients().acting_as(caller)).await
}

async fn add(shop: &Shop, url: String, types: &[&str]) -> Result<(String, String)> {
    let request = UpsertEndpointRequest {
        request_id: shop.request_id(),
        url,
        event_types: types.iter().map(|kind| (*kind).to_owned()).collect(),
        ..UpsertEndpointRequest::default()
    };
    let added = shop.clients.webhooks().upsert_endpoint(request).await?.into_inner();
    Ok((added.endpoint.context("the answer holds an endpoint")?.webhook_id, added.secret))
}

async fn log(clients: &Clients, webhook_id: &str) -> Result<Vec<WebhookDelivery>> {
    let request = ListWebhookDeliveriesRequest {
        webhook_id: webhook_id.to_owned(),
        ..ListWebhookDeliveriesRequest::default()
    };
    Ok(clients.webhooks().list_webhook_deliveries(request).await?.into_inner().deliveries)
}

/// The log, as soon as every delivery has ended.
async fn settled_log(clients: &Clients, webhook_id: &str) -> Result<Vec<WebhookDelivery>> {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let log = log(clients, webhook_id).await?;
        if !log.is_empty() && log.iter().all(|delivery| !delivery.ended_at.is_empty()) {
            return Ok(log);
        }
        if tokio::time::Instant::now() > end {
            bail!("the deliveries did not end: {log:?}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub async fn another_language_verifies_what_is_posted(stage: &Stage) -> Result<()> {
    let shop = shop_of(stage, "verified").await?;
    let mut receiver = Receiver::start().await?;
    let (webhook_id, secret) = add(&shop, receiver.url("/all"), &[]).await?;
    receiver.tell("/all", &[&secret], json!([])).await?;

    let order = shop.placed(&shop.sku("LAMP"), 2).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;

    let heard = receiver.heard_until("ChangeOrderCommitted").await?;
    for one in &heard {
        ensure!(one["verified"] == json!([true]) && one["tampered"] == json!([false]), "{one}");
        ensure!(one["id"] == one["event"]["id"] && one["event"]["subject"] == order.order_id, "{one}");
    }
    let committed = &heard.last().context("something was heard")?["event"]["data"]["movement"];
    let units = &committed["delta"]["lines"][0]["quantities"];
    ensure!(units["cancelled"] == 1 && units["cancel_pending"] == -1, "{committed}");

    let request = RotateSecretRequest { request_id: shop.request_id(), webhook_id, overlap_seconds: 0 };
    let rotated = shop.clients.webhooks().rotate_secret(request).await?.into_inner().secret;
    receiver.tell("/all", &[&secret, &rotated], json!([])).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    let heard = receiver.heard_until("ChangeOrderCommitted").await?;
    let last = heard.last().context("something was heard")?;
    ensure!(last["verified"] == json!([true, true]), "both secrets count for a while: {last}");
    Ok(())
}

pub async fn a_receiver_that_is_busy_gets_the_event_later_under_the_same_id(stage: &Stage) -> Result<()> {
    let shop = shop_of(stage, "busy").await?;
    let mut receiver = Receiver::start().await?;
    let (webhook_id, secret) = add(&shop, receiver.url("/busy"), &["OrderPlaced"]).await?;
    receiver.tell("/busy", &[&secret], json!([[503, 6]])).await?;

    shop.placed(&shop.sku("LAMP"), 1).await?;

    let (first, again) = (receiver.next_line().await?, receiver.next_line().await?);
    ensure!(first["id"] == again["id"] && again["verified"] == json!([true]), "{first} {again}");
    let log = settled_log(&shop.clients, &webhook_id).await?;
    let statuses: Vec<i32> = log[0].attempts.iter().map(|attempt| attempt.status).collect();
    ensure!(log.len() == 1 && statuses == [503, 200], "{log:?}");
    Ok(())
}

pub async fn a_receiver_that_is_gone_is_not_asked_again(stage: &Stage) -> Result<()> {
    let shop = shop_of(stage, "gone").await?;
    let mut receiver = Receiver::start().await?;
    let (webhook_id, secret) = add(&shop, receiver.url("/gone"), &["OrderPlaced"]).await?;
    receiver.tell("/gone", &[&secret], json!([410])).await?;

    shop.placed(&shop.sku("LAMP"), 1).await?;
    receiver.next_line().await?;
    let log = settled_log(&shop.clients, &webhook_id).await?;
    shop.placed(&shop.sku("LAMP"), 1).await?;

    ensure!(log.len() == 1 && log[0].state == "dead" && log[0].attempts[0].status == 410, "{log:?}");
    let listed = shop.clients.webhooks().list_endpoints(ListEndpointsRequest::default()).await?.into_inner();
    let endpoint = listed.endpoints.first().context("the endpoint is listed")?;
    ensure!(endpoint.state() == EndpointState::Disabled && endpoint.disabled_cause == "gone", "{endpoint:?}");
    Ok(())
}

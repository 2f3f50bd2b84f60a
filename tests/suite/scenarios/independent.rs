//! Clients that share no code with us: Google's gRPC implementation in Python, and the real grpcurl.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tests::{Service, Shop, Suite};

use crate::Stage;

fn program(variable: &str) -> Result<String> {
    std::env::var(variable)
        .with_context(|| format!("{variable} names the program; tests/run installs it and sets it"))
}

fn ran(output: &Output) -> Result<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    Ok(text)
}

pub async fn a_python_client_cancels_an_order(stage: &Stage) -> Result<()> {
    let suite = stage.suite().await?;
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(program("COUNTERMAND_TEST_PYTHON")?);
    command
        .arg(here.join("clients/cancel.py"))
        .arg(here.join("../proto"))
        .arg(suite.public_address(Service::Order))
        .arg(suite.public_address(Service::Inventory));

    let output = tokio::task::spawn_blocking(move || command.output()).await??;

    ensure!(ran(&output)?.contains("as the contract says"));
    Ok(())
}

async fn grpcurl(suite: &Suite, service: Service, method: &str, body: Option<Value>) -> Result<Output> {
    let mut command = Command::new(program("COUNTERMAND_TEST_GRPCURL")?);
    command.args(["-plaintext", "-max-time", "10"]);
    if let Some(body) = body {
        command.args(["-d", &body.to_string()]);
    }
    command.arg(suite.public_address(service)).arg(method);
    Ok(tokio::task::spawn_blocking(move || command.output()).await??)
}

pub async fn grpcurl_finds_its_way_without_our_files(stage: &Stage) -> Result<()> {
    let suite = stage.suite().await?;

    for service in Service::ALL {
        let listed = ran(&grpcurl(suite, service, "list", None).await?)?;
        ensure!(
            listed.contains("grpc.health.v1.Health") && listed.contains("countermand.audit.v1.AuditService"),
            "{listed}"
        );
    }
    let method = "countermand.order.v1.ChangeOrderService.SubmitChangeOrder";
    let output = Command::new(program("COUNTERMAND_TEST_GRPCURL")?)
        .args(["-plaintext", &suite.public_address(Service::Order), "describe", method])
        .output()?;
    ensure!(ran(&output)?.contains("SubmitChangeOrderRequest"), "describe shows the method");

    let health = json!({ "service": "countermand.order.v1.OrderService" });
    let answer = ran(&grpcurl(suite, Service::Order, "grpc.health.v1.Health/Check", Some(health)).await?)?;
    ensure!(answer.contains("SERVING"), "{answer}");
    Ok(())
}

pub async fn grpcurl_cancels_and_reads_a_refusal(stage: &Stage) -> Result<()> {
    let suite = stage.suite().await?;
    let shop = Shop::open(suite.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let submit = "countermand.order.v1.ChangeOrderService/SubmitChangeOrder";
    let body = |request_id: &str| {
        let change = json!({
            "order_id": order.order_id, "type": "CHANGE_ORDER_TYPE_CANCEL_ORDER", "reason_code": "CUSTOMER_REQUEST",
        });
        json!({ "request_id": request_id, "wait": "WAIT_COMPLETED", "change": change })
    };

    let answer = ran(&grpcurl(suite, Service::Order, submit, Some(body(&shop.request_id()))).await?)?;
    let answer: Value = serde_json::from_str(&answer).context("grpcurl prints JSON")?;
    ensure!(answer["changeOrder"]["state"] == "CHANGE_ORDER_STATE_COMPLETED", "{answer}");

    let refused = grpcurl(suite, Service::Order, submit, Some(body(&shop.request_id()))).await?;
    if refused.status.success() {
        bail!("an order was cancelled twice");
    }
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    // Readable only because the server's reflection knows the google.rpc detail types.
    ensure!(words.contains("NOTHING_TO_CANCEL") && words.contains("google.rpc.ErrorInfo"), "{words}");
    ensure!(!words.contains("is not recognized"), "{words}");
    Ok(())
}

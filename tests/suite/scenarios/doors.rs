//! Whoever reaches a port without being let in gets nothing, and takes nothing from those who are.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use proto::common::v1::{StepContext, StepDirection};
use proto::order::v1::{ListOrdersRequest, RequestWithdrawalRequest};
use proto::payment::v1::refund_command::Command;
use proto::payment::v1::refund_steps_service_client::RefundStepsServiceClient;
use proto::payment::v1::{RefundCommand, ReserveRefund, RunRefundStepRequest, SettleRefund};
use tests::clients::Caller;
use tests::raw::{Abandoned, abandon};
use tests::shop::refused;
use tests::{Service, Shop, assert_books_balance};
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::proposals::two_sided;
use crate::Stage;

/// A step as the order service sends it, made by somebody else.
fn forged(step: &str, command: Command) -> RunRefundStepRequest {
    let context = StepContext {
        tenant: "default".to_owned(),
        saga_id: "sag_01h455vb4pex5vsknk084sn02q".to_owned(),
        step: step.to_owned(),
        direction: StepDirection::Do.into(),
        epoch: 1,
        attempt: 1,
        traceparent: String::new(),
    };
    RunRefundStepRequest { context: Some(context), command: Some(RefundCommand { command: Some(command) }) }
}

pub async fn a_bare_client_on_the_internal_port_refunds_nothing(stage: &Stage) -> Result<()> {
    let suite = stage.suite().await?;
    let shop = Shop::open(suite.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 2).await?;
    let channel = Channel::from_shared(suite.internal_url(Service::Payment))?.connect().await?;
    let mut bare = RefundStepsServiceClient::new(channel);

    let reserve = ReserveRefund {
        order_id: order.order_id.clone(),
        change_order_id: "chg_01h455vb4pex5vsknk084sn02q".to_owned(),
        ..ReserveRefund::default()
    };
    let settle = SettleRefund { order_id: order.order_id.clone(), ..SettleRefund::default() };
    let steps = [
        forged("reserve_refund", Command::ReserveRefund(reserve)),
        forged("settle_refund", Command::SettleRefund(settle)),
    ];
    for step in steps {
        refused(bare.run_refund_step(step).await, Code::Unauthenticated, "UNAUTHENTICATED")?;
    }

    ensure!(shop.refunds(&order.order_id).await?.is_empty(), "somebody without a name made a refund");
    assert_books_balance(suite).await
}

/// A database has eight readers. Twenty exports that nobody reads take two of them, for a while.
pub async fn books_that_nobody_reads_starve_nobody(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    shop.placed(&shop.sku("LAMP"), 2).await?;
    let mut unread: Vec<Abandoned> = Vec::new();
    for _ in 0..20 {
        let path = "/countermand.audit.v1.AuditService/ExportBooks";
        let mut export = abandon(&suite.public_address(Service::Order), path, "manager").await?;
        if unread.is_empty() {
            // It is not read on. The others wait for a turn.
            let begun = tokio::time::timeout(Duration::from_secs(30), export.begun());
            begun.await.context("no export begins")??;
        }
        unread.push(export);
    }

    for _ in 0..20 {
        shop.clients.orders().list_orders(ListOrdersRequest::default()).await?;
    }
    drop(unread);
    Ok(())
}

pub async fn wrong_guesses_at_an_order_are_few_and_refuse_nobody_else(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let guest = |user: &str| {
        let caller = Caller { user: user.to_owned(), role: "guest".to_owned(), ..Caller::default() };
        shop.clients.acting_as(caller)
    };
    let request = |contact: &str| RequestWithdrawalRequest {
        request_id: shop.request_id(),
        order_number: order.number.clone(),
        client_contact: contact.to_owned(),
        note: String::new(),
    };

    let eve = guest("eve");
    let mut looked_at = 0;
    let stopped: Status = loop {
        let guessed = eve.proposals().request_withdrawal(request(&format!("{looked_at}@example.org"))).await;
        let status = guessed.err().context("a guess was right")?;
        if status.code() != Code::NotFound {
            break status;
        }
        looked_at += 1;
        ensure!(looked_at < 300, "three hundred guesses were looked at");
    };
    refused::<()>(Err(stopped), Code::ResourceExhausted, "RATE_LIMITED")?;
    let right = eve.proposals().request_withdrawal(request("ann@example.org")).await;
    refused(right, Code::ResourceExhausted, "RATE_LIMITED")?;

    let received = guest("ann").proposals().request_withdrawal(request("ann@example.org")).await?;
    ensure!(!received.into_inner().change_order_id.is_empty(), "whoever guessed nothing is heard");
    Ok(())
}

//! Restoring a cancelled order, and making it again.

use anyhow::{Context, Result, ensure};
use proto::common::v1::Wait;
use proto::order::v1::{
    ChangeOrder, ChangeOrderState, Order, OrderState, PayOrderRequest, ReissueOrderRequest,
    RestoreOrderRequest, StartProcessingRequest, TenderInput,
};
use tests::Shop;
use tests::shop::{card, refused};
use tonic::{Code, Status};

use crate::Stage;

pub async fn restore(shop: &Shop, order_id: &str, tenders: Vec<TenderInput>) -> Result<ChangeOrder, Status> {
    let request = RestoreOrderRequest {
        request_id: shop.request_id(),
        order_id: order_id.to_owned(),
        tenders,
        wait: Wait::Completed.into(),
        ..RestoreOrderRequest::default()
    };
    let answer = shop.clients.remedies().restore_order(request).await?.into_inner();
    answer.change_order.ok_or_else(|| Status::internal("the answer holds no change order"))
}

pub async fn reissue(shop: &Shop, order_id: &str, tenders: Vec<TenderInput>) -> Result<Order, Status> {
    let request = ReissueOrderRequest {
        request_id: shop.request_id(),
        order_id: order_id.to_owned(),
        copy_lines: true,
        tenders,
        wait: Wait::Completed.into(),
        ..ReissueOrderRequest::default()
    };
    let answer = shop.clients.remedies().reissue_order(request).await?.into_inner();
    answer.order.ok_or_else(|| Status::internal("the answer holds no order"))
}

/// An order of `units` at 10.00 that was cancelled whole and paid back.
pub async fn cancelled(shop: &Shop, sku: &str, units: i64) -> Result<Order> {
    let order = shop.placed(sku, units).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    shop.order(&order.order_id).await
}

pub async fn cancel_restore_cancel_ends_where_the_first_cancel_did(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    let first = cancelled(&shop, &sku, 3).await?;
    let stock = shop.stock(&sku).await?;

    let change = restore(&shop, &first.order_id, vec![card("tok_approve", 3_000, true)]).await?;
    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    ensure!(shop.stock(&sku).await?.reserved == 3, "its stock is reserved again");
    let order = shop.order(&first.order_id).await?;
    ensure!(order.state() == OrderState::Confirmed, "{:?}", order.state());
    ensure!(order.totals.unwrap_or_default().total_minor == 3_000, "{:?}", order.totals);

    shop.submit(shop.cancel_request(&first.order_id, &[])).await?;
    let again = shop.order(&first.order_id).await?;
    ensure!((again.state(), again.totals) == (first.state(), first.totals), "{again:?}");
    let after = shop.stock(&sku).await?;
    ensure!((after.on_hand, after.reserved) == (stock.on_hand, stock.reserved), "{after:?}");
    let back: i64 = shop.refunds(&first.order_id).await?.iter().map(|refund| refund.amount_minor).sum();
    ensure!(back == 6_000, "both payments went back: {back}");
    Ok(())
}

pub async fn pay(shop: &Shop, order_id: &str, tenders: Vec<TenderInput>) -> Result<ChangeOrder, Status> {
    let request = PayOrderRequest {
        request_id: shop.request_id(),
        order_id: order_id.to_owned(),
        tenders,
        wait: Wait::Completed.into(),
    };
    let answer = shop.clients.remedies().pay_order(request).await?.into_inner();
    answer.change_order.ok_or_else(|| Status::internal("the answer holds no change order"))
}

pub async fn an_order_restored_without_tenders_awaits_its_payment(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    let first = cancelled(&shop, &sku, 2).await?;

    let change = restore(&shop, &first.order_id, Vec::new()).await?;
    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let waiting = shop.order(&first.order_id).await?;
    ensure!(waiting.awaits_payment_minor == 2_000 && !waiting.awaits_payment_since.is_empty(), "{waiting:?}");
    ensure!(shop.stock(&sku).await?.reserved == 2, "its stock is reserved meanwhile");
    let request = StartProcessingRequest { request_id: shop.request_id(), order_id: first.order_id.clone() };
    let started = shop.clients.orders().start_processing(request).await;
    refused(started, Code::FailedPrecondition, "PAYMENT_REQUIRED")?;

    let allocation = shop.submitted(&first.order_id).await;
    ensure!(allocation.is_err(), "no fulfilment gets what is not paid: {allocation:?}");

    let short = pay(&shop, &first.order_id, vec![card("tok_approve", 1_999, true)]).await?;
    ensure!(short.cause.unwrap_or_default().reason == "TENDERS_MISMATCH", "exactly what is missing");
    let declined = pay(&shop, &first.order_id, vec![card("tok_decline", 2_000, true)]).await?;
    ensure!(declined.state() == ChangeOrderState::Rejected, "{declined:?}");
    ensure!(shop.order(&first.order_id).await?.awaits_payment_minor == 2_000, "it goes on waiting");

    let paid = pay(&shop, &first.order_id, vec![card("tok_approve", 2_000, true)]).await?;
    ensure!(paid.state() == ChangeOrderState::Completed, "{paid:?}");
    let after = shop.order(&first.order_id).await?;
    ensure!(after.awaits_payment_minor == 0 && after.awaits_payment_since.is_empty(), "{after:?}");
    shop.submitted(&first.order_id).await?;
    let again = pay(&shop, &first.order_id, vec![card("tok_approve", 2_000, true)]).await;
    refused(again, Code::FailedPrecondition, "STATE_CONFLICT")?;

    shop.submit(shop.cancel_request(&first.order_id, &[])).await?;
    let back: i64 = shop.refunds(&first.order_id).await?.iter().map(|refund| refund.amount_minor).sum();
    ensure!(back == 4_000, "both payments went back: {back}");
    Ok(())
}

pub async fn an_unpaid_order_is_cancelled_again_without_a_refund(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    let first = cancelled(&shop, &sku, 2).await?;
    restore(&shop, &first.order_id, Vec::new()).await?;

    shop.submit(shop.cancel_request(&first.order_id, &[(1, 1)])).await?;
    ensure!(shop.order(&first.order_id).await?.awaits_payment_minor == 1_000, "half of it is missing");
    shop.submit(shop.cancel_request(&first.order_id, &[])).await?;

    let after = shop.order(&first.order_id).await?;
    ensure!((after.state(), after.awaits_payment_minor) == (OrderState::Cancelled, 0), "{after:?}");
    let back: i64 = shop.refunds(&first.order_id).await?.iter().map(|refund| refund.amount_minor).sum();
    ensure!(back == 2_000, "what was paid once went back once: {back}");
    ensure!(shop.stock(&sku).await?.reserved == 0, "and nothing stays reserved");
    Ok(())
}

/// It is refused at once, and nobody has to look up later what became of it.
pub async fn missing_stock_leaves_the_order_cancelled(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    let before = cancelled(&shop, &sku, 2).await?;
    let other = shop.create(shop.order_request(&sku, 2, "10.00", 2_000)).await?;
    ensure!(other.state() == OrderState::Confirmed, "somebody else has bought them: {other:?}");

    let answer = restore(&shop, &before.order_id, vec![card("tok_approve", 2_000, true)]).await;

    refused(answer, Code::FailedPrecondition, "INSUFFICIENT_STOCK")?;
    let after = shop.order(&before.order_id).await?;
    ensure!((after.state(), after.totals) == (before.state(), before.totals), "{after:?}");
    Ok(())
}

pub async fn a_declined_card_gives_the_stock_of_a_restoration_back(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    let before = cancelled(&shop, &sku, 2).await?;

    let change = restore(&shop, &before.order_id, vec![card("tok_decline", 2_000, true)]).await?;

    ensure!(change.state() == ChangeOrderState::Rejected, "{change:?}");
    ensure!(shop.stock(&sku).await?.reserved == 0, "what was reserved is free again");
    let retried = restore(&shop, &before.order_id, vec![card("tok_approve", 2_000, true)]).await?;
    ensure!(retried.state() == ChangeOrderState::Completed, "{retried:?}");
    Ok(())
}

pub async fn tenders_of_a_restoration_pay_exactly_what_is_missing(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let before = cancelled(&shop, &shop.sku("LAMP"), 2).await?;

    let change = restore(&shop, &before.order_id, vec![card("tok_approve", 1_999, true)]).await?;

    ensure!(change.state() == ChangeOrderState::Rejected, "{change:?}");
    let cause = change.cause.context("a rejected change says why")?;
    ensure!(cause.reason == "TENDERS_MISMATCH" && cause.details["missing_minor"] == "2000", "{cause:?}");
    Ok(())
}

pub async fn a_live_order_is_not_restored(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;

    refused(restore(&shop, &order.order_id, Vec::new()).await, Code::FailedPrecondition, "STATE_CONFLICT")?;

    ensure!(shop.order(&order.order_id).await? == order, "a refusal leaves no trace");
    Ok(())
}

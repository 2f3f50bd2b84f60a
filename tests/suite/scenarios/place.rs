//! Placing orders, and putting everything back when a participant refuses.

use anyhow::{Result, ensure};
use proto::common::v1::ExternalReference;
use proto::order::v1::{ChangeOrderState, ExternalPaymentInput, OrderState};
use tests::Shop;
use tests::shop::{card, line, refused};
use tonic::Code;

use crate::Stage;

pub async fn missing_stock_fails_the_placement_and_takes_nothing(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let (lamp, cable) = (shop.sku("LAMP"), shop.sku("CABLE"));
    shop.receive(&lamp, 5).await?;
    shop.receive(&cable, 1).await?;
    let mut request = shop.order_request(&lamp, 5, "10.00", 0);
    request.lines.push(line(&cable, 2, "1.00"));
    request.tenders = vec![card("tok_approve", 5_200, true)];

    let order = shop.create(request).await?;

    ensure!(order.state() == OrderState::PlacementFailed, "{:?}", order.state());
    let cause = order.placement_cause.unwrap_or_default();
    ensure!(cause.reason == "INSUFFICIENT_STOCK", "{cause:?}");
    ensure!(shop.stock(&lamp).await?.reserved == 0, "all lines or none");
    Ok(())
}

pub async fn a_declined_card_gives_the_stock_back(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 4).await?;
    let mut request = shop.order_request(&sku, 4, "10.00", 0);
    request.tenders = vec![card("tok_approve", 1_000, false), card("tok_decline", 3_000, true)];

    let order = shop.create(request).await?;

    ensure!(order.state() == OrderState::PlacementFailed, "{:?}", order.state());
    ensure!(order.placement_cause.unwrap_or_default().reason == "PAYMENT_DECLINED");
    let stock = shop.stock(&sku).await?;
    ensure!((stock.on_hand, stock.reserved) == (4, 0), "{stock:?}");
    let answer = shop.submit(shop.cancel_request(&order.order_id, &[])).await;
    ensure!(answer.is_err(), "an order that was never placed cannot be cancelled");
    Ok(())
}

pub async fn an_order_brought_in_from_elsewhere_is_cancelled_like_any_other(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 2).await?;
    let mut request = shop.order_request(&sku, 2, "10.00", 0);
    request.tenders.clear();
    shop.charge_elsewhere(&[(shop.sku("charge"), 2_000)]).await?;
    request.external_payments = vec![ExternalPaymentInput {
        gateway: "sandbox".to_owned(),
        reference: shop.sku("charge"),
        authorised_minor: 2_000,
        captured_minor: 2_000,
        attested: false,
    }];
    let order = shop.create(request).await?;

    let change = shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    ensure!(change.refunds.len() == 1 && change.refunds[0].amount_minor == 1_000, "{:?}", change.refunds);
    Ok(())
}

pub async fn an_external_reference_is_taken_once(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 2).await?;
    let reference = ExternalReference { system: "webshop".to_owned(), reference: shop.sku("1001") };
    let mut first = shop.order_request(&sku, 1, "10.00", 1_000);
    first.external_references = vec![reference.clone()];
    let mut second = shop.order_request(&sku, 1, "10.00", 1_000);
    second.external_references = vec![reference];
    shop.create(first).await?;

    let answer = shop.create(second).await;

    refused(answer, Code::AlreadyExists, "EXTERNAL_REFERENCE_TAKEN")?;
    ensure!(shop.stock(&sku).await?.reserved == 1, "the second order took nothing");
    Ok(())
}

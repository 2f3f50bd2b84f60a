//! Units that supplier or warehouse cannot ship, because they do not exist.

use anyhow::{Result, ensure};
use proto::common::v1::Wait;
use proto::order::v1::{ChangeOrder, ChangeOrderState, ChangeOrderType, ShortShipLine, ShortShipRequest};
use tests::shop::refused;
use tests::{Service, Shop, assert_books_balance, eventually};
use tonic::{Code, Status};

use crate::Stage;

async fn short_ship(shop: &Shop, order_id: &str, units: i64, wait: Wait) -> Result<ChangeOrder, Status> {
    let request = ShortShipRequest {
        request_id: shop.request_id(),
        order_id: order_id.to_owned(),
        lines: vec![ShortShipLine { line_id: String::new(), line_number: 1, quantity: units }],
        reason_code: "OUT_OF_STOCK".to_owned(),
        note: "the shelf is empty".to_owned(),
        wait: wait.into(),
    };
    let answer = shop.clients.remedies().short_ship(request).await?.into_inner();
    answer.change_order.ok_or_else(|| Status::internal("the answer holds no change order"))
}

pub async fn what_does_not_exist_is_paid_back_and_sold_to_nobody_else(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    let order = shop.placed(&sku, 5).await?;
    let before = shop.shelf(&sku).await?;

    let change = short_ship(&shop, &order.order_id, 2, Wait::Completed).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    ensure!(change.r#type() == ChangeOrderType::ShortShip, "{change:?}");
    ensure!((change.reason_code.as_str(), change.rule_id.as_str()) == ("OUT_OF_STOCK", "short_ship"));
    let after = shop.shelf(&sku).await?;
    ensure!(after == (before.0 - 2, before.1 - 2), "the count is corrected: {before:?} {after:?}");
    let order = shop.order(&order.order_id).await?;
    ensure!(order.totals.unwrap_or_default().total_minor == 3_000, "{:?}", order.totals);
    let back: i64 = shop.refunds(&order.order_id).await?.iter().map(|refund| refund.amount_minor).sum();
    ensure!(back == 2_000, "{back}");
    Ok(())
}

pub async fn a_buyer_does_not_say_what_the_warehouse_has(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let buyer = shop.as_user("ann", "home", "buyer");

    let answer = short_ship(&buyer, &order.order_id, 1, Wait::Completed).await;

    refused(answer, Code::PermissionDenied, "PERMISSION_DENIED")?;
    let too_many = short_ship(&shop, &order.order_id, 2, Wait::Completed).await;
    refused(too_many, Code::FailedPrecondition, "QUANTITY_EXCEEDS_AVAILABLE")?;
    ensure!(shop.order(&order.order_id).await? == order, "a refusal leaves no trace");
    Ok(())
}

pub async fn a_crash_in_the_middle_writes_down_once(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");
    let order = shop.placed(&sku, 3).await?;
    let before = shop.shelf(&sku).await?;

    let change = short_ship(&shop, &order.order_id, 3, Wait::Committed).await?;
    for service in [Service::Inventory, Service::Order] {
        suite.kill(service)?;
        suite.restart(service).await?;
    }

    eventually("the short shipment ends after the crash", async || {
        let change = shop.change(&change.change_order_id).await?;
        Ok((change.state() == ChangeOrderState::Completed).then_some(()))
    })
    .await?;
    let after = shop.shelf(&sku).await?;
    ensure!(after == (before.0 - 3, before.1 - 3), "{before:?} {after:?}");
    assert_books_balance(&suite).await
}

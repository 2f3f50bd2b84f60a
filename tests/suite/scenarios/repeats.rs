//! Repeating a request changes nothing.

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use tests::Shop;
use tests::shop::refused;
use tonic::Code;

use crate::Stage;

pub async fn the_same_request_id_answers_the_same_change(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 2).await?;
    let request = shop.cancel_request(&order.order_id, &[(1, 1)]);

    let answers = try_join_all((0..16).map(|_| shop.submit(request.clone()))).await?;
    let later = shop.submit(request).await?;

    ensure!(answers.iter().all(|answer| answer.change_order_id == later.change_order_id), "{answers:?}");
    let open = shop.order(&order.order_id).await?.lines[0].quantities.unwrap_or_default().open;
    ensure!(open == 1, "{open} units are open");
    Ok(())
}

pub async fn the_same_request_id_with_another_body_is_refused(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 3).await?;
    let first = shop.cancel_request(&order.order_id, &[(1, 1)]);
    let mut second = shop.cancel_request(&order.order_id, &[(1, 2)]);
    second.request_id.clone_from(&first.request_id);
    shop.submit(first).await?;

    let answer = shop.submit(second).await;

    refused(answer, Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED")?;
    Ok(())
}

pub async fn an_accepted_order_request_is_one_order(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 10).await?;
    let request = shop.order_request(&sku, 2, "10.00", 2_000);

    let orders = try_join_all((0..8).map(|_| shop.create(request.clone()))).await?;

    ensure!(orders.iter().all(|order| order.order_id == orders[0].order_id), "one order");
    ensure!(shop.stock(&sku).await?.reserved == 2, "reserved once");
    Ok(())
}

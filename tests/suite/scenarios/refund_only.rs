//! Money that goes back without units.

use anyhow::{Result, ensure};
use proto::common::v1::Wait;
use proto::order::v1::{ChangeOrder, ChangeOrderState, RefundOrderRequest};
use tests::Shop;
use tests::shop::{card, refused};
use tonic::{Code, Status};

use crate::Stage;

pub async fn refund(shop: &Shop, order_id: &str, amount: i64, retry_of: &str) -> Result<ChangeOrder, Status> {
    let request = RefundOrderRequest {
        request_id: shop.request_id(),
        order_id: order_id.to_owned(),
        amount_minor: amount,
        retry_of: retry_of.to_owned(),
        wait: Wait::Completed.into(),
        ..RefundOrderRequest::default()
    };
    let answer = shop.clients.remedies().refund_order(request).await?.into_inner();
    answer.change_order.ok_or_else(|| Status::internal("the answer holds no change order"))
}

pub async fn goodwill_goes_back_and_the_rest_with_the_cancellation(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 5).await?;

    let change = refund(&shop, &order.order_id, 500, "").await?;
    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let totals = shop.order(&order.order_id).await?.totals.unwrap_or_default();
    ensure!((totals.total_minor, totals.goodwill_minor) == (4_500, 500), "{totals:?}");

    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    let back: Vec<i64> =
        shop.refunds(&order.order_id).await?.iter().map(|refund| refund.amount_minor).collect();
    ensure!(back.iter().sum::<i64>() == 5_000 && back.contains(&500), "{back:?}");
    Ok(())
}

pub async fn goodwill_above_the_limit_is_refused(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;

    let answer = refund(&shop, &order.order_id, 1_001, "").await;

    refused(answer, Code::FailedPrecondition, "EXCEEDS_REFUNDABLE")?;
    ensure!(shop.order(&order.order_id).await? == order, "a refusal leaves no trace");
    Ok(())
}

pub async fn a_refund_that_did_not_fail_is_not_tried_again(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let mut request = shop.order_request(&shop.sku("LAMP"), 2, "10.00", 0);
    shop.receive(&request.lines[0].sku, 2).await?;
    request.tenders = vec![card("tok_approve", 2_000, true)];
    let order = shop.create(request).await?;
    let change = shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;

    let answer = refund(&shop, &order.order_id, 0, &change.refunds[0].refund_id).await;

    refused(answer, Code::FailedPrecondition, "NOT_RETRYABLE")?;
    Ok(())
}

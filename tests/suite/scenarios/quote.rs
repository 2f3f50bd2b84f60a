//! What a preview promises, a submit keeps or refuses.

use anyhow::{Context, Result, ensure};
use proto::order::v1::{ListChangeOrdersRequest, PreviewChangeOrderRequest};
use tests::Shop;
use tests::shop::refused;
use tonic::Code;

use crate::Stage;

pub async fn a_quote_is_honoured_to_the_unit(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 3).await?;
    let mut request = shop.cancel_request(&order.order_id, &[(1, 2)]);
    let preview = PreviewChangeOrderRequest { change: request.change.clone() };
    let quote = shop.clients.changes().preview_change_order(preview).await?.into_inner();
    request.quote_id = quote.quote_id;

    let change = shop.submit(request).await?;

    ensure!(change.amounts == quote.amounts, "{:?} was promised, {:?} given", quote.amounts, change.amounts);
    ensure!(quote.total_after_minor == 1_000, "{}", quote.total_after_minor);
    let back: i64 = quote.tenders.iter().map(|tender| tender.refund_minor + tender.void_minor).sum();
    ensure!(!quote.tenders_unavailable && back == 2_000, "{back} was forecast to go back");
    Ok(())
}

pub async fn a_stale_quote_is_refused_with_the_difference(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 3).await?;
    let mut request = shop.cancel_request(&order.order_id, &[]);
    let preview = PreviewChangeOrderRequest { change: request.change.clone() };
    request.quote_id = shop.clients.changes().preview_change_order(preview).await?.into_inner().quote_id;
    shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;

    let answer = shop.submit(request.clone()).await;

    let status = refused(answer, Code::Aborted, "QUOTE_STALE")?;
    let details = tonic_types::StatusExt::get_error_details(&status);
    let metadata = &details.error_info().context("the refusal has a reason")?.metadata;
    ensure!(!metadata.is_empty(), "the difference is told");
    let mut other = shop.cancel_request(&order.order_id, &[(1, 1)]);
    other.quote_id = request.quote_id;
    let answer = shop.submit(other).await;
    ensure!(answer.is_err(), "a quote is good for its own request only");
    Ok(())
}

pub async fn a_preview_writes_nothing(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let before = shop.placed(&shop.sku("LAMP"), 3).await?;
    let change = shop.cancel_request(&before.order_id, &[]).change;

    shop.clients.changes().preview_change_order(PreviewChangeOrderRequest { change }).await?;

    ensure!(shop.order(&before.order_id).await? == before, "the order moved");
    let request = ListChangeOrdersRequest { order_id: before.order_id, ..ListChangeOrdersRequest::default() };
    let changes = shop.clients.changes().list_change_orders(request).await?.into_inner().change_orders;
    ensure!(changes.is_empty(), "{changes:?}");
    Ok(())
}

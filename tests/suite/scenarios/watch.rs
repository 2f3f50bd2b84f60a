//! Nobody has to poll: streams tell what happens, from where the reader stopped.

use anyhow::{Context, Result, ensure};
use proto::common::v1::Wait;
use proto::order::v1::{
    ChangeOrder, ChangeOrderState, GetTimelineRequest, WatchChangeOrderRequest, WatchTimelineRequest,
};
use tests::Shop;
use tests::shop::card;
use tokio_stream::StreamExt as _;

use crate::Stage;

pub async fn a_change_is_watched_to_its_end(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let mut request = shop.cancel_request(&order.order_id, &[]);
    request.wait = Wait::Unspecified.into();
    let change = shop.submit(request).await?;

    let request = |with_steps| WatchChangeOrderRequest {
        change_order_id: change.change_order_id.clone(),
        with_steps,
        ..WatchChangeOrderRequest::default()
    };
    let (plain, stepwise) = tokio::join!(watched(&shop, request(false)), watched(&shop, request(true)));
    let (plain, stepwise) = (plain?, stepwise?);

    let versions: Vec<i64> = plain.iter().map(|change| change.version).collect();
    ensure!(versions.is_sorted_by(|earlier, later| earlier < later), "each version once: {versions:?}");
    let moments: Vec<_> = stepwise.iter().map(|change| (change.version, change.steps_done)).collect();
    ensure!(moments.is_sorted_by(|earlier, later| earlier < later), "each step once: {moments:?}");
    for seen in [plain, stepwise] {
        let last = seen.last().context("the stream said nothing")?;
        ensure!(last.state() == ChangeOrderState::Completed, "the stream ends with the change: {last:?}");
    }
    Ok(())
}

async fn watched(shop: &Shop, request: WatchChangeOrderRequest) -> Result<Vec<ChangeOrder>> {
    let mut stream = shop.clients.changes().watch_change_order(request).await?.into_inner();
    let mut seen = Vec::new();
    while let Some(message) = stream.next().await {
        seen.push(message?.change_order.context("the message holds no change order")?);
    }
    Ok(seen)
}

pub async fn who_follows_a_change_is_told_that_its_end_was_none(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    let mut order = shop.order_request(&sku, 1, "10.00", 0);
    order.tenders = vec![card("tok_refund_fail_after", 1_000, true)];
    let order = shop.create(order).await?;
    let mut request = shop.cancel_request(&order.order_id, &[]);
    request.wait = Wait::Unspecified.into();
    let change = shop.submit(request).await?;

    let request = WatchChangeOrderRequest {
        change_order_id: change.change_order_id,
        follow: true,
        ..WatchChangeOrderRequest::default()
    };
    let mut stream = shop.clients.changes().watch_change_order(request).await?.into_inner();
    let mut ends = Vec::new();
    while ends.last() != Some(&ChangeOrderState::CompletedWithExceptions) {
        let message = stream.next().await.context("the stream ended")??;
        ends.push(message.change_order.context("the message holds no change order")?.state());
    }

    ensure!(ends.contains(&ChangeOrderState::Completed), "it was over once: {ends:?}");
    Ok(())
}

pub async fn a_timeline_is_followed_from_where_the_reader_stopped(stage: &Stage) -> Result<()> {
    const READ: i64 = 2;
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let request = WatchTimelineRequest { order_id: order.order_id.clone(), after_sequence: READ };
    let mut stream = shop.clients.orders().watch_timeline(request).await?.into_inner();

    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    let request = GetTimelineRequest { order_id: order.order_id, page_size: 200, page_token: String::new() };
    let written = shop.clients.orders().get_timeline(request).await?.into_inner().entries;
    for entry in written.iter().filter(|entry| entry.sequence > READ) {
        let told = stream.next().await.context("the stream ended early")??.entry;
        ensure!(told.as_ref() == Some(entry), "{told:?} was told, {entry:?} is written");
    }
    Ok(())
}

//! Rows about many orders and about what is kept of them: D1, D13, D14, D15.

use anyhow::{Context, Result, ensure};
use proto::common::v1::ExternalReference;
use proto::order::v1::{
    Batch, BatchItemState, BatchState, CreateBatchRequest, GetBatchRequest, GetCancellationStatsRequest,
    ListBatchItemsRequest, ListChangeOrdersRequest, OrderState, StatsDimension, WatchBatchRequest,
};
use tests::shop::{detail, refused};
use tests::suite::Service;
use tests::{Shop, assert_books_balance, eventually};
use tonic::Code;

use crate::scenarios::scenarios;
use crate::{Scenario, Stage};

pub const ALL: &[(&str, Scenario)] = scenarios![
    d1_several_orders_are_cancelled_each_for_itself,
    d1_a_batch_survives_the_death_of_the_service,
    d13_importing_a_cancelled_order_again_does_not_revive_it,
    d14_all_records_are_kept,
    d15_cancellations_are_counted_and_set_against_the_orders,
];

async fn create(shop: &Shop, orders: Vec<String>) -> Result<Batch> {
    let request = CreateBatchRequest {
        request_id: shop.request_id(),
        orders,
        reason_code: "CUSTOMER_REQUEST".to_owned(),
        ..CreateBatchRequest::default()
    };
    let answer = shop.clients.batches().create_batch(request).await?.into_inner();
    answer.batch.context("the answer holds no batch")
}

async fn done(shop: &Shop, batch_id: &str) -> Result<Batch> {
    eventually("the batch is done", async || {
        let request = GetBatchRequest { batch_id: batch_id.to_owned() };
        // The service may be on its way up again.
        let Ok(answer) = shop.clients.batches().get_batch(request).await else { return Ok(None) };
        let batch = answer.into_inner().batch.context("the answer holds no batch")?;
        Ok((batch.state() == BatchState::Completed).then_some(batch))
    })
    .await
}

async fn changes(shop: &Shop, order_id: &str) -> Result<usize> {
    let request = ListChangeOrdersRequest { order_id: order_id.to_owned(), ..Default::default() };
    Ok(shop.clients.changes().list_change_orders(request).await?.into_inner().change_orders.len())
}

pub async fn d1_several_orders_are_cancelled_each_for_itself(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let (one, two) = (shop.placed(&shop.sku("LAMP"), 2).await?, shop.placed(&shop.sku("CABLE"), 1).await?);
    shop.submit(shop.cancel_request(&two.order_id, &[])).await?;

    let named = vec![one.number.clone(), two.order_id.clone(), shop.sku("NO-SUCH-ORDER")];
    let batch = create(&shop, named).await?;
    let watch = WatchBatchRequest { batch_id: batch.batch_id.clone() };
    let mut stream = shop.clients.batches().watch_batch(watch).await?.into_inner();
    let mut last = None;
    while let Some(message) = stream.message().await? {
        last = message.batch;
    }

    let last = last.context("nothing was sent")?;
    ensure!(last.state() == BatchState::Completed, "{last:?}");
    ensure!((last.cancelled, last.already_cancelled, last.refused) == (1, 1, 1), "{last:?}");
    ensure!(last.totals.unwrap_or_default().currencies[0].amount_minor == 2_000, "what it took back");
    ensure!(shop.order(&one.order_id).await?.state() == OrderState::Cancelled, "cancelled");
    let request = ListBatchItemsRequest {
        batch_id: batch.batch_id,
        states: vec![BatchItemState::Refused.into()],
        ..ListBatchItemsRequest::default()
    };
    let items = shop.clients.batches().list_batch_items(request).await?.into_inner().items;
    let cause = items.first().and_then(|item| item.cause.clone()).context("no item says why")?;
    ensure!(cause.reason == "RESOURCE_NOT_FOUND", "{cause:?}");
    let nothing = CreateBatchRequest { request_id: shop.request_id(), ..CreateBatchRequest::default() };
    refused(shop.clients.batches().create_batch(nothing).await, Code::InvalidArgument, "FIELD_REQUIRED")?;
    Ok(())
}

pub async fn d1_a_batch_survives_the_death_of_the_service(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");
    let mut orders = Vec::new();
    for _ in 0..60 {
        orders.push(shop.placed(&sku, 1).await?.order_id);
    }
    let batch = create(&shop, orders.clone()).await?;
    eventually("some items are done", async || {
        let request = GetBatchRequest { batch_id: batch.batch_id.clone() };
        let batch = shop.clients.batches().get_batch(request).await?.into_inner().batch.unwrap_or_default();
        Ok((batch.cancelled > 0 || batch.waiting < 60).then_some(()))
    })
    .await?;

    suite.kill(Service::Order)?;
    suite.restart(Service::Order).await?;

    let ended = done(&shop, &batch.batch_id).await?;
    ensure!((ended.cancelled, ended.refused, ended.waiting) == (60, 0, 0), "{ended:?}");
    for order_id in &orders {
        ensure!(changes(&shop, order_id).await? == 1, "{order_id} has exactly one change");
    }
    assert_books_balance(&suite).await
}

pub async fn d13_importing_a_cancelled_order_again_does_not_revive_it(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 3).await?;
    let name = ExternalReference { system: "webshop".to_owned(), reference: shop.sku("W-1") };
    let mut import = shop.order_request(&sku, 1, "10.00", 1_000);
    import.external_references = vec![name.clone()];
    let order = shop.create(import.clone()).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    import.request_id = shop.request_id();
    let again = shop.create(import.clone()).await;

    let answer = refused(again, Code::AlreadyExists, "EXTERNAL_REFERENCE_TAKEN")?;
    ensure!(detail(&answer, "state") == "CANCELLED", "it says what has become of it: {answer:?}");
    ensure!(detail(&answer, "order_id") == order.order_id, "{answer:?}");
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Cancelled, "it stays cancelled");
    ensure!(shop.stock(&sku).await?.reserved == 0, "nothing was reserved");
    (import.request_id, import.external_references[0].reference) = (shop.request_id(), shop.sku("W-2"));
    ensure!(shop.create(import).await?.state() == OrderState::Confirmed, "another order is another order");
    Ok(())
}

pub async fn d14_all_records_are_kept(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 2).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    let late = shop.submit(shop.cancel_request(&order.order_id, &[])).await;
    refused(late, Code::FailedPrecondition, "NOTHING_TO_CANCEL")?;

    let kept = shop.order(&order.order_id).await?;
    let quantities = kept.lines[0].quantities.unwrap_or_default();
    ensure!((quantities.ordered, quantities.cancelled) == (2, 2), "{quantities:?}");
    ensure!(changes(&shop, &order.order_id).await? == 2, "both changes are there");
    ensure!(shop.refunds(&order.order_id).await?.len() == 2, "both refunds are there");
    let request = proto::order::v1::GetTimelineRequest {
        order_id: order.order_id.clone(),
        page_size: 200,
        page_token: String::new(),
    };
    let entries = shop.clients.orders().get_timeline(request).await?.into_inner().entries;
    let numbers: Vec<i64> = entries.iter().map(|entry| entry.sequence).collect();
    ensure!(numbers == (1..=i64::try_from(numbers.len())?).collect::<Vec<_>>(), "gap-free: {numbers:?}");
    ensure!(
        entries.iter().filter(|entry| entry.event == "change_order.accepted").count() == 2,
        "{entries:?}"
    );
    Ok(())
}

pub async fn d15_cancellations_are_counted_and_set_against_the_orders(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    let (one, two) = (shop.placed(&sku, 2).await?, shop.placed(&sku, 1).await?);
    shop.submit(shop.cancel_request(&one.order_id, &[])).await?;
    ensure!(shop.order(&two.order_id).await?.state() == OrderState::Confirmed, "the other stands");

    let ask = |by: StatsDimension| GetCancellationStatsRequest { by: by.into(), ..Default::default() };
    let by_sku = shop.clients.reports().get_cancellation_stats(ask(StatsDimension::Sku)).await?.into_inner();

    let row = by_sku.rows.iter().find(|row| row.key == sku).context("the article is not counted")?;
    ensure!((row.orders, row.units, row.orders_placed, row.rate_basis_points) == (1, 2, 2, 5_000), "{row:?}");
    ensure!(row.amounts[0].amount_minor == 2_000, "{row:?}");
    for by in [
        StatsDimension::Reason,
        StatsDimension::Role,
        StatsDimension::Channel,
        StatsDimension::Supplier,
        StatsDimension::Stage,
        StatsDimension::Day,
    ] {
        let stats = shop.clients.reports().get_cancellation_stats(ask(by)).await?.into_inner();
        ensure!(stats.rows.iter().map(|row| row.changes).sum::<i64>() > 0, "{by:?} {stats:?}");
    }
    let by_nothing = ask(StatsDimension::Unspecified);
    refused(
        shop.clients.reports().get_cancellation_stats(by_nothing).await,
        Code::InvalidArgument,
        "FIELD_REQUIRED",
    )?;
    Ok(())
}

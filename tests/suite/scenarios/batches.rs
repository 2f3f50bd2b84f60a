//! Many orders cancelled together: cut at any item, gone on with, and every order has exactly one change.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use proto::audit::v1::ExportBooksRequest;
use proto::audit::v1::cell::Value as Cell;
use proto::order::v1::{
    Batch, BatchState, CreateBatchRequest, CreateOrderRequest, ExternalPaymentInput, GetBatchRequest,
    GetCancellationStatsRequest, ListBatchesRequest, Order, ResumeBatchRequest, StatsDimension,
};
use tests::process::binary;
use tests::shop::{card, line};
use tests::{Clients, Service, Shop, Suite, assert_books_balance, eventually};

use crate::Stage;

/// How many orders the batch has; the default is what every run of the tests bears.
const ORDERS: &str = "COUNTERMAND_TEST_BATCH_ORDERS";
const ORDERS_DEFAULT: usize = 500;
/// Orders that are placed at once, and one in so many that is cancelled before the batch.
const AT_ONCE: usize = 24;
const TRIES: usize = 5;
const CANCELLED_BEFORE: usize = 20;
const KILLS: usize = 3;
/// Where the kills fall; the same in every run, so that a failure can be looked at again.
const SEED: u64 = 0x5E_ED0F_BA7C;
const BATCH_MAX: Duration = Duration::from_mins(15);

pub async fn x15_a_batch_cut_anywhere_gives_every_order_one_change(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    let count = orders_wanted()?;
    let started = Instant::now();
    let orders = place(&shop, count).await?;
    let before: Vec<&String> = orders.iter().step_by(CANCELLED_BEFORE).collect();
    cancel_each(&shop, &before).await?;
    let placed_after = started.elapsed();

    let directory = tempfile::tempdir()?;
    let file = directory.path().join("orders.txt");
    std::fs::write(&file, orders.join("\n"))?;
    let last = cut_and_go_on(&suite, &file, count).await?;

    let total = i64::try_from(count)?;
    let already = i64::try_from(before.len())?;
    ensure!(last.state() == BatchState::Completed, "{last:?}");
    let ends = (last.cancelled, last.already_cancelled, last.refused, last.waiting);
    ensure!(ends == (total - already, already, 0, 0), "{last:?}");
    let mut changes: BTreeMap<String, usize> = orders.iter().map(|order| (order.clone(), 0)).collect();
    for order in orders_of_changes(&suite.clients()).await? {
        *changes.entry(order).or_default() += 1;
    }
    let odd: Vec<_> = changes.iter().filter(|(_, changes)| **changes != 1).collect();
    ensure!(odd.is_empty() && changes.len() == count, "not one change each: {odd:?}");
    counts_agree(&suite.clients(), total).await?;
    assert_books_balance(&suite).await?;
    let (placing, all) = (placed_after.as_secs(), started.elapsed().as_secs());
    eprintln!("{} orders, {KILLS} kills: placed in {placing} s, all in {all} s", orders.len());
    Ok(())
}

pub async fn x15_a_dry_run_tells_tenders_labels_and_stock_and_changes_nothing(stage: &Stage) -> Result<()> {
    let suite = stage.suite().await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("RECALLED");
    shop.receive(&sku, 3).await?;
    let mut authorised = shop.order_request(&sku, 2, "10.00", 2_000);
    authorised.tenders = vec![card("tok_approve", 2_000, false)];
    let order = shop.create(authorised).await?;
    shop.charge_elsewhere(&[(format!("{sku}-0"), 200)]).await?;
    let brought = placed(&shop, external(&shop, &sku, 0)).await?;
    let request = CreateBatchRequest {
        request_id: shop.request_id(),
        sku: sku.clone(),
        dry_run: true,
        ..CreateBatchRequest::default()
    };

    let batch = shop.clients.batches().create_batch(request).await?.into_inner().batch;
    let batch_id = batch.context("the answer holds no batch")?.batch_id;
    let foreseen = in_state(&shop.clients, &batch_id, BatchState::Estimated).await?;

    let totals = foreseen.totals.clone().unwrap_or_default();
    let tenders: Vec<(String, i64, i64)> = totals
        .tenders
        .iter()
        .map(|tender| (tender.gateway.clone(), tender.refund_minor, tender.void_minor))
        .collect();
    ensure!(tenders == [("sandbox".to_owned(), 200, 2_000)], "{tenders:?}");
    ensure!(totals.tenders_unknown == 0 && totals.labels.is_empty(), "{totals:?}");
    let back: Vec<(&str, i64)> = totals.stock.iter().map(|one| (one.sku.as_str(), one.units)).collect();
    ensure!(back == [(sku.as_str(), 3)], "{back:?}");
    for id in [&order.order_id, &brought.order_id] {
        ensure!(shop.order(id).await?.change_in_progress.is_empty(), "a dry run held an order");
    }

    let request = ResumeBatchRequest { request_id: shop.request_id(), batch_id: batch_id.clone() };
    shop.clients.batches().resume_batch(request).await?;
    let done = in_state(&shop.clients, &batch_id, BatchState::Completed).await?;
    ensure!(done.cancelled == 2, "{done:?}");
    ensure!(shop.stock(&sku).await?.available == 3, "everything is back");
    Ok(())
}

fn orders_wanted() -> Result<usize> {
    match std::env::var(ORDERS) {
        Ok(text) => text.parse().with_context(|| format!("{ORDERS} is a number of orders")),
        Err(_) => Ok(ORDERS_DEFAULT),
    }
}

/// Orders that were paid elsewhere.
async fn place(shop: &Shop, count: usize) -> Result<Vec<String>> {
    let sku = shop.sku("MANY");
    shop.receive(&sku, i64::try_from(count)?).await?;
    let charges: Vec<(String, i64)> = (0..count).map(|number| (format!("{sku}-{number}"), 200)).collect();
    for some in charges.chunks(500) {
        shop.charge_elsewhere(some).await?;
    }
    let requests = (0..count).map(|number| external(shop, &sku, number));
    stream::iter(requests)
        .map(|request| async move { Ok(placed(shop, request).await?.order_id) })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// On a busy machine an answer may be late; asking again under the same name is the same order.
async fn placed(shop: &Shop, request: CreateOrderRequest) -> Result<Order> {
    let mut tries = 1;
    loop {
        match shop.create(request.clone()).await {
            Ok(order) => return Ok(order),
            Err(_) if tries < TRIES => tries += 1,
            Err(status) => return Err(status).context("placing an order"),
        }
    }
}

fn external(shop: &Shop, sku: &str, number: usize) -> CreateOrderRequest {
    CreateOrderRequest {
        lines: vec![line(sku, 1, "2.00")],
        tenders: Vec::new(),
        external_payments: vec![ExternalPaymentInput {
            gateway: "sandbox".to_owned(),
            reference: format!("{sku}-{number}"),
            authorised_minor: 200,
            captured_minor: 200,
            attested: false,
        }],
        ..shop.order_request(sku, 1, "2.00", 200)
    }
}

async fn cancel_each(shop: &Shop, orders: &[&String]) -> Result<()> {
    stream::iter(orders)
        .map(|order| async move { shop.submit(shop.cancel_request(order, &[])).await })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await
        .context("cancelling an order before the batch")?;
    Ok(())
}

/// The client asks for the batch and watches it; at random items both it and the order service are killed, and the
/// client asks for the same again.
async fn cut_and_go_on(suite: &Suite, file: &Path, count: usize) -> Result<Batch> {
    let mut client = start_client(suite, file)?;
    for at in kill_points(count) {
        let seen = eventually_past(&suite.clients(), i64::try_from(at)?).await?;
        client.kill().and_then(|()| client.wait()).context("killing the client")?;
        suite.kill(Service::Order)?;
        suite.restart(Service::Order).await?;
        client = start_client(suite, file)?;
        if seen.state() == BatchState::Completed {
            break;
        }
    }
    let output = tokio::task::spawn_blocking(move || client.wait_with_output()).await??;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    only_batch(&suite.clients()).await?.context("there is no batch")
}

fn start_client(suite: &Suite, file: &Path) -> Result<Child> {
    Command::new(binary("countermand")?)
        .args([
            "--json",
            "batch",
            "cancel",
            "--request-id",
            "recall",
            "--reason",
            "CUSTOMER_REQUEST",
            "--file",
        ])
        .arg(file)
        .args(suite.address_arguments())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting the client")
}

/// Items after which everything is cut, in their order.
fn kill_points(count: usize) -> Vec<usize> {
    let mut state = SEED;
    let mut next = || {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % 1_000_000).unwrap_or_default() * count / 1_000_000
    };
    let mut points: Vec<usize> = (0..KILLS).map(|_| next()).collect();
    points.sort_unstable();
    points
}

/// Waits until so many items are through.
async fn eventually_past(clients: &Clients, items: i64) -> Result<Batch> {
    let started = Instant::now();
    loop {
        if let Some(batch) = only_batch(clients).await?
            && (batch.items - batch.waiting >= items || batch.state() == BatchState::Completed)
        {
            return Ok(batch);
        }
        ensure!(started.elapsed() < BATCH_MAX, "{items} items were never through");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The batch of this suite, as soon as there is one.
async fn only_batch(clients: &Clients) -> Result<Option<Batch>> {
    Ok(clients.batches().list_batches(ListBatchesRequest::default()).await?.into_inner().batches.pop())
}

async fn in_state(clients: &Clients, batch_id: &str, state: BatchState) -> Result<Batch> {
    eventually(&format!("batch {batch_id} is {}", state.as_str_name()), async || {
        let request = GetBatchRequest { batch_id: batch_id.to_owned() };
        let batch = clients.batches().get_batch(request).await?.into_inner().batch;
        Ok(batch.filter(|batch| batch.state() == state))
    })
    .await
}

/// The order of every change in the books.
async fn orders_of_changes(clients: &Clients) -> Result<Vec<String>> {
    let mut stream =
        clients.audit(Service::Order).export_books(ExportBooksRequest::default()).await?.into_inner();
    let mut orders = Vec::new();
    while let Some(message) = stream.message().await? {
        if message.book != "change_order" {
            continue;
        }
        let column = message.columns.iter().position(|column| column == "order_id");
        let column = column.context("the book of changes names the order")?;
        orders.extend(message.rows.iter().filter_map(|row| match &row.cells[column].value {
            Some(Cell::Text(order)) => Some(order.clone()),
            Some(Cell::Number(_) | Cell::Data(_)) | None => None,
        }));
    }
    Ok(orders)
}

/// The report counts what the books hold.
async fn counts_agree(clients: &Clients, total: i64) -> Result<()> {
    let request = GetCancellationStatsRequest { by: StatsDimension::Channel.into(), ..Default::default() };
    let stats = clients.reports().get_cancellation_stats(request).await?.into_inner();
    let all = stats.total.unwrap_or_default();
    ensure!((all.changes, all.orders, all.units) == (total, total, total), "{all:?}");
    let back: i64 = all.amounts.iter().map(|amount| amount.amount_minor).sum();
    ensure!(back == total * 200, "{all:?}");
    Ok(())
}

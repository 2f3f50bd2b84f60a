//! Orders brought in from another system by file, and rows taken out.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use proto::common::v1::ExternalReference;
use proto::inventory::v1::GetStockRequest;
use proto::order::v1::{ListChangeOrdersRequest, ListOrdersRequest, OrderState, OrderSummary};
use proto::payment::v1::{GetMoneyPositionRequest, ListRefundsRequest, RefundState};
use serde_json::{Value, json};
use tests::process::binary;
use tests::{Clients, Shop, Suite, assert_books_balance};
use types::{Clock, EventId, Ids};

use crate::Stage;

const ORDERS: usize = 300;
const SYSTEM: &str = "oldshop";
const SKU: &str = "MOVED";

/// Five units at 2.00; by its number an order is open, shipped or cancelled in part or wholly, delivered, refunded.
fn record(number: usize) -> Value {
    let (shipped, delivered, cancelled, refunded) = match number % 6 {
        0 => (0, 0, 0, "0"),
        1 => (2, 0, 0, "0"),
        2 => (0, 0, 1, "2.00"),
        3 => (0, 0, 5, "10.00"),
        4 => (5, 5, 0, "0"),
        _ => (2, 1, 2, "1.50"),
    };
    json!({
        "reference": format!("{number}"), "number": format!("OLD-{number}"), "currency": "GBP",
        "lines": [{ "sku": SKU, "quantity": 5, "unit_price": "2.00",
                    "shipped": shipped, "delivered": delivered, "cancelled": cancelled }],
        "payments": [{ "gateway": "sandbox", "reference": format!("ch_{number}"), "captured": "10.00",
                       "refunded": refunded }],
    })
}

fn import(suite: &Suite, file: &Path, more: &[&str]) -> Result<Command> {
    let mut command = Command::new(binary("countermand")?);
    command
        .args(["--json", "--as", "ivy:platform", "import", "--with-stock", "--system", SYSTEM])
        .args(more)
        .args(suite.address_arguments())
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(command)
}

async fn ended(child: Child) -> Result<Output> {
    Ok(tokio::task::spawn_blocking(move || child.wait_with_output()).await??)
}

/// What an import says it did: brought in, already there, refused.
fn told(output: &Output) -> Result<[u64; 3]> {
    let text = String::from_utf8_lossy(&output.stdout);
    let told: Value = serde_json::from_str(&text)
        .with_context(|| format!("{text}{}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(["brought_in", "already_there", "refused"].map(|name| told[name].as_u64().unwrap_or_default()))
}

async fn imported(clients: &Clients) -> Result<Vec<OrderSummary>> {
    let mut orders = Vec::new();
    let mut request = ListOrdersRequest {
        page_size: 200,
        external_system: SYSTEM.to_owned(),
        ..ListOrdersRequest::default()
    };
    loop {
        let page = clients.orders().list_orders(request.clone()).await?.into_inner();
        orders.extend(page.orders);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(orders);
        }
    }
}

pub async fn an_import_that_is_cut_is_resumed_and_repeating_it_changes_nothing(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let clients = suite.clients();
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("orders.jsonl");
    let lines: Vec<String> = (1..=ORDERS).map(|number| record(number).to_string()).collect();
    std::fs::write(&file, lines.join("\n"))?;

    // Cut somewhere, anywhere: the clock is as good as dice.
    let dice =
        Ids::random(Clock::System).mint::<EventId>().to_string().bytes().map(usize::from).sum::<usize>();
    let cut_at = 1 + dice % (ORDERS - 20);
    let mut first = import(&suite, &file, &[])?.spawn().context("starting the import")?;
    while imported(&clients).await?.len() < cut_at {
        ensure!(first.try_wait()?.is_none(), "the import ended before it was cut at {cut_at}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    first.kill().context("killing the import")?;
    first.wait()?;

    let second = ended(import(&suite, &file, &[])?.spawn()?).await?;
    let [brought_in, already_there, refused] = told(&second)?;
    ensure!(second.status.success() && refused == 0, "{}", String::from_utf8_lossy(&second.stderr));
    ensure!(brought_in + already_there == ORDERS as u64, "{brought_in} and {already_there}");
    let after = imported(&clients).await?;
    stands_as_in_the_file(&clients, &after).await?;

    let third = ended(import(&suite, &file, &[])?.spawn()?).await?;
    ensure!(told(&third)? == [0, ORDERS as u64, 0], "cut at {cut_at}: {:?}", told(&third)?);
    ensure!(imported(&clients).await? == after, "a repeated import moves nothing");
    assert_books_balance(&suite).await
}

async fn stands_as_in_the_file(clients: &Clients, orders: &[OrderSummary]) -> Result<()> {
    ensure!(orders.len() == ORDERS, "{} orders", orders.len());
    let mut open = 0;
    for order in orders {
        let number: usize = order.external_references[0].reference.parse()?;
        let (state, cancelled, left) = match number % 6 {
            0 => (OrderState::Confirmed, 0, 5),
            1 => (OrderState::PartiallyShipped, 0, 3),
            2 => (OrderState::Confirmed, 1, 4),
            3 => (OrderState::Cancelled, 5, 0),
            4 => (OrderState::Delivered, 0, 0),
            _ => (order.state(), 2, 1),
        };
        ensure!(order.state() == state && order.units_cancelled == cancelled, "{order:?}");
        open += left;
        let request = GetMoneyPositionRequest { order_id: order.order_id.clone() };
        let position = clients.payments().get_money_position(request).await?.into_inner().position;
        let position = position.context("the answer holds no position")?;
        // Six sixths: what was not refunded of two cancelled units is owed, and nothing was sent.
        let owed = if number % 6 == 5 { 250 } else { 0 };
        ensure!(position.owed_minor == owed && position.in_flight_minor == 0, "{number}: {position:?}");
    }
    let request = GetStockRequest { sku: SKU.to_owned(), warehouse_id: String::new() };
    let stock = clients.stock().get_stock(request).await?.into_inner().stock;
    let stock = stock.first().context("the article has a stock row")?;
    ensure!((stock.on_hand, stock.reserved) == (open, open), "{stock:?}, {open} open");
    let request = ListRefundsRequest { page_size: 200, ..ListRefundsRequest::default() };
    let refunds = clients.refunds().list_refunds(request).await?.into_inner().refunds;
    ensure!(
        refunds.len() == ORDERS / 2 && refunds.iter().all(|refund| refund.state() == RefundState::External)
    );
    Ok(())
}

pub async fn a_dry_run_tells_what_is_wrong_line_by_line_and_writes_nothing(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("orders.csv");
    let header = "reference,currency,sku,quantity,unit_price,shipped,gateway,payment_reference,captured\n";
    let rows = "1,GBP,A,2,3.00,1,sandbox,ch_1,6.00\n2,GBP,A,2,3.00,3,sandbox,ch_2,6.00\n3,GBP,A,1,3.00,,sandbox,ch_3,2.00\n1,GBP,A,1,3.00,,sandbox,ch_4,3.00\n";
    std::fs::write(&file, format!("{header}{rows}"))?;

    let output = ended(import(&suite, &file, &["--dry-run"])?.spawn()?).await?;

    ensure!(told(&output)? == [1, 0, 3] && !output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for line in
        ["line 3  2: its line 1 shipped 3", "line 4  3: its payments", "line 5  1: reference 1 stands"]
    {
        ensure!(said.contains(line), "{line} is not in {said}");
    }
    ensure!(imported(&suite.clients()).await?.is_empty());
    Ok(())
}

/// The rows of a CSV without line ends in its cells, by column.
fn columns(text: &str, names: &[&str]) -> Result<Vec<Vec<String>>> {
    let mut lines = text.split_terminator("\r\n");
    let header: Vec<&str> = lines.next().context("an export has a header")?.split(',').collect();
    let place = |name: &&str| header.iter().position(|column| column == name);
    let places = names.iter().map(place).collect::<Option<Vec<_>>>().context("a column is missing")?;
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        places.iter().map(|&place| cells[place].to_owned()).collect()
    };
    Ok(lines.map(row).collect())
}

async fn export(suite: &Suite, what: &str) -> Result<String> {
    let mut command = Command::new(binary("countermand")?);
    command.args(["export", what]).args(suite.address_arguments()).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

pub async fn exports_agree_with_the_books(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    shop.receive("A", 600).await?;
    for number in 0..4 {
        let order = shop.placed("A", 3).await?;
        let mut request = shop.cancel_request(&order.order_id, &[(1, 1 + number % 2)]);
        "=1+1".clone_into(&mut request.change.get_or_insert_default().note);
        shop.submit(request).await?;
    }

    let changes = columns(&export(&suite, "changes").await?, &["change_order_id", "amount", "note"])?;
    let request = ListChangeOrdersRequest { page_size: 200, ..ListChangeOrdersRequest::default() };
    let listed = shop.clients.changes().list_change_orders(request).await?.into_inner().change_orders;
    let decimal = |minor: i64| format!("{}.{:02}", minor / 100, minor % 100);
    let expected: Vec<Vec<String>> = listed
        .iter()
        .map(|change| {
            let amount = change.amounts.unwrap_or_default().amount_minor;
            vec![change.change_order_id.clone(), decimal(amount), "'=1+1".to_owned()]
        })
        .collect();
    ensure!(changes == expected && changes.len() == 4, "{changes:?} instead of {expected:?}");

    let refunds = columns(&export(&suite, "refunds").await?, &["refund_id", "state", "amount"])?;
    let request = ListRefundsRequest { page_size: 200, ..ListRefundsRequest::default() };
    let listed = shop.clients.refunds().list_refunds(request).await?.into_inner().refunds;
    ensure!(refunds.len() == listed.len() && refunds.iter().all(|row| row[1] == "SUCCEEDED"), "{refunds:?}");

    let money =
        columns(&export(&suite, "money").await?, &["order_id", "captured", "confirmed", "kept", "worth"])?;
    ensure!(money.len() == 4, "{money:?}");
    for row in money {
        let request = GetMoneyPositionRequest { order_id: row[0].clone() };
        let position = shop.clients.payments().get_money_position(request).await?.into_inner().position;
        let position = position.context("the answer holds no position")?;
        let books = [position.captured_minor, position.confirmed_minor, position.position_minor].map(decimal);
        ensure!(row[1..4] == books && row[3] == row[4], "{row:?} instead of {books:?}");
    }
    Ok(())
}

/// The same name in another system is another order; in this one it is there already.
pub async fn a_reference_brings_an_order_in_once(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("orders.jsonl");
    std::fs::write(&file, record(3).to_string())?;
    ensure!(told(&ended(import(&suite, &file, &[])?.spawn()?).await?)? == [1, 0, 0]);

    let again = ended(import(&suite, &file, &[])?.spawn()?).await?;
    // Whoever sends it as a new order is refused, and it stays cancelled.
    let shop = Shop::open(suite.clients()).await?;
    let mut request = shop.order_request("A", 1, "2.00", 200);
    request.external_references =
        vec![ExternalReference { system: SYSTEM.to_owned(), reference: "3".to_owned() }];

    ensure!(told(&again)? == [0, 1, 0]);
    ensure!(shop.create(request).await.is_err());
    let orders = imported(&suite.clients()).await?;
    ensure!(orders.len() == 1 && orders[0].state() == OrderState::Cancelled, "{orders:?}");
    Ok(())
}

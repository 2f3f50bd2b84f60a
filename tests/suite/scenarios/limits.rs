//! What a client may get wrong on the wire: time, size, shape and enum values. Each has one precise answer.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use prost::Message as _;
use proto::common::v1::Wait;
use proto::order::v1::{ChangeInput, ChangeOrderState, ListOrdersRequest};
use tests::raw::{call, frame};
use tests::shop::{line, refused};
use tests::{Service, Shop, assert_books_balance, eventually};
use tonic::{Code, Request, Status};

use super::input::names_field;
use crate::Stage;

const CREATE_ORDER: &str = "/countermand.order.v1.OrderService/CreateOrder";

pub async fn an_expired_deadline_is_said_and_the_request_may_be_repeated(stage: &Stage) -> Result<()> {
    let suite = stage.suite().await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 5).await?;
    let request = shop.order_request(&sku, 2, "10.00", 2_000);
    let address = suite.public_address(Service::Order);
    let body = frame(&request.encode_to_vec())?;

    let expired = call(&address, CREATE_ORDER, &[("grpc-timeout", "1n")], body.clone()).await?;
    let unreadable = call(&address, CREATE_ORDER, &[("grpc-timeout", "soon")], body).await?;

    refused::<()>(Err(expired), Code::DeadlineExceeded, "DEADLINE_EXCEEDED")?;
    names_field(&unreadable, "grpc-timeout")?;
    // Whether the first try was carried out is unknown; the same request id makes one order all the same.
    let order = shop.create(request.clone()).await?;
    ensure!(shop.create(request).await?.order_id == order.order_id, "one request id, one order");
    ensure!(shop.stock(&sku).await?.reserved == 2, "reserved once");
    Ok(())
}

/// Nobody has to poll: a wait that outlasts its call is answered with how far the change is.
pub async fn a_wait_ends_with_the_deadline_and_answers_the_state(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 2).await?;
    suite.kill(Service::Inventory)?;
    let mut request = Request::new(shop.cancel_request(&order.order_id, &[]));
    request.set_timeout(Duration::from_secs(5));

    let answer = shop.clients.changes().submit_change_order(request).await?.into_inner();

    let change = answer.change_order.context("the answer holds no change order")?;
    ensure!(change.state() == ChangeOrderState::Executing, "{change:?}");
    suite.restart(Service::Inventory).await?;
    let completed = async || {
        let change = shop.change(&change.change_order_id).await?;
        Ok((change.state() == ChangeOrderState::Completed).then_some(()))
    };
    eventually("the change completes when the inventory is back", completed).await?;
    assert_books_balance(&suite).await
}

pub async fn a_message_too_large_or_unreadable_is_the_callers_fault(stage: &Stage) -> Result<()> {
    let suite = stage.suite().await?;
    let shop = Shop::open(suite.clients()).await?;
    let address = suite.public_address(Service::Order);
    let mut large = shop.order_request(&shop.sku("LAMP"), 1, "1.00", 100);
    large.lines[0].description = "x".repeat(300 * 1024);

    refused(shop.create(large).await, Code::InvalidArgument, "MESSAGE_TOO_LARGE")?;
    let nonsense = call(&address, CREATE_ORDER, &[], frame(&[0xff; 16])?).await?;
    refused::<()>(Err(nonsense), Code::InvalidArgument, "MALFORMED_MESSAGE")?;
    let mut cut = frame(&shop.order_request("x", 1, "1.00", 100).encode_to_vec())?;
    cut.truncate(9);
    let cut = call(&address, CREATE_ORDER, &[], cut).await?;
    refused::<()>(Err(cut), Code::InvalidArgument, "MALFORMED_MESSAGE")?;
    Ok(())
}

pub async fn an_order_has_a_thousand_lines_at_most_and_a_change_a_hundred(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 101).await?;
    let mut request = shop.order_request(&sku, 1, "1.00", 0);
    request.lines = vec![line(&sku, 1, "1.00"); 1_001];
    names_field(&shop.create(request.clone()).await.err().context("1,001 lines were accepted")?, "lines")?;

    request.lines.truncate(101);
    request.tenders = vec![tests::shop::card("tok_approve", 10_100, true)];
    let order = shop.create(request).await?;
    let every_line: Vec<(i64, i64)> = (1..=101).map(|number| (number, 1)).collect();
    let answer = shop.submit(shop.cancel_request(&order.order_id, &every_line)).await;
    refused(answer, Code::InvalidArgument, "TOO_MANY_LINES")?;
    let change = shop.submit(shop.cancel_request(&order.order_id, &every_line[..100])).await?;
    ensure!(change.amounts.unwrap_or_default().amount_minor == 10_000, "{:?}", change.amounts);
    ensure!(shop.stock(&sku).await?.reserved == 1, "the same article on a hundred lines sums right");
    Ok(())
}

/// What to spoil, and the field that must be named.
type Spoilt = (&'static str, fn(&mut ChangeInput));

const UNKNOWN: [Spoilt; 3] = [
    ("change.type", |change| change.r#type = 99),
    ("change.settlement", |change| change.settlement = -1),
    ("change.label_action", |change| change.label_action = i32::MAX),
];

pub async fn an_unknown_enum_value_is_refused_with_its_field(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let accepted = |field: &str| format!("an unknown {field} was accepted");
    for (field, spoil) in UNKNOWN {
        let mut request = shop.cancel_request(&order.order_id, &[]);
        spoil(request.change.as_mut().context("the request has a change")?);
        let status = shop.submit(request).await.err().with_context(|| accepted(field))?;
        names_field(&status, field)?;
    }
    let mut request = shop.cancel_request(&order.order_id, &[]);
    request.wait = 99;
    names_field(&shop.submit(request).await.err().with_context(|| accepted("wait"))?, "wait")?;
    let mut request = shop.order_request(&shop.sku("LAMP"), 1, "1.00", 100);
    request.wait = Wait::Completed as i32 + 99;
    names_field(&shop.create(request).await.err().with_context(|| accepted("wait"))?, "wait")?;

    ensure!(shop.order(&order.order_id).await? == order, "refusals leave no trace");
    Ok(())
}

pub async fn a_page_is_bounded_and_its_token_is_checked(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    for _ in 0..3 {
        shop.placed(&shop.sku("LAMP"), 1).await?;
    }
    let list = async |page_size: i32, token: &str| -> Result<_, Status> {
        let request =
            ListOrdersRequest { page_size, page_token: token.to_owned(), ..ListOrdersRequest::default() };
        Ok(shop.clients.orders().list_orders(request).await?.into_inner())
    };

    let first = list(2, "").await?;
    let second = list(2, &first.next_page_token).await?;

    ensure!(first.orders.len() == 2 && !second.orders.is_empty(), "{first:?} {second:?}");
    let seen = |id: &str| first.orders.iter().any(|order| order.order_id == id);
    ensure!(second.orders.iter().all(|order| !seen(&order.order_id)), "no order stands on two pages");
    refused(list(2, "made up").await, Code::InvalidArgument, "PAGE_TOKEN_INVALID")?;
    names_field(&list(-1, "").await.err().context("a negative page was accepted")?, "page_size")?;
    Ok(())
}

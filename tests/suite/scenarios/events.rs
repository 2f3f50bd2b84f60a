//! The stream of all events: enough to know every order without asking, and no event lost or doubled by a crash.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use prost::Message as _;
use proto::events::v1::{LineFigures, MovedOrder};
use proto::order::v1::{
    GetOrderRequest, Order, OrderEvent, OrderTotals, SubscribeRequest, SubscribeResponse,
};
use tests::clients::{Caller, Clients};
use tests::{Service, Shop};
use tokio_stream::StreamExt as _;
use tonic::Code;

use crate::Stage;

pub async fn an_order_is_known_from_its_events_alone(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 3).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;
    let request =
        SubscribeRequest { order_id: order.order_id.clone(), until_now: true, ..SubscribeRequest::default() };

    let events = read(&shop.clients, request).await?;

    let (totals, lines) = rebuilt(events.iter().filter_map(|answer| answer.event.as_ref()))?;
    let known = get(&shop.clients, &order.order_id).await?;
    ensure!(Some(totals) == known.totals, "{totals:?} was told, {:?} is so", known.totals);
    for line in &known.lines {
        let told = lines.get(&line.line_number).context("a line was not told")?;
        ensure!(told.quantities == line.quantities, "{told:?} was told, {line:?} is so");
    }
    Ok(())
}

pub async fn a_subscriber_loses_nothing_when_the_service_is_killed(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");
    let first = shop.placed(&sku, 1).await?;
    let mut live = shop.clients.events().subscribe(SubscribeRequest::default()).await?.into_inner();
    let seen = live.next().await.context("the stream ended early")??;

    suite.kill(Service::Order)?;
    while let Some(Ok(_)) = live.next().await {}
    suite.restart(Service::Order).await?;
    let second = shop.placed(&sku, 1).await?;
    let request = |token: &str| SubscribeRequest {
        resume_token: token.to_owned(),
        until_now: true,
        ..SubscribeRequest::default()
    };
    let all = read(&shop.clients, request("")).await?;
    let rest = read(&shop.clients, request(&seen.resume_token)).await?;

    ensure!(all[0] == seen && all[1..] == rest, "a stream that goes on is the same stream");
    for order in [first, second] {
        let of_order = all.iter().filter_map(|answer| answer.event.as_ref());
        let sequences: Vec<i64> =
            of_order.filter(|event| event.subject == order.order_id).map(|event| event.sequence).collect();
        ensure!(sequences.iter().zip(1..).all(|(sequence, place)| *sequence == place), "{sequences:?}");
        ensure!(!sequences.is_empty(), "every order was told of");
    }
    Ok(())
}

pub async fn a_stream_goes_on_with_what_happens_next(stage: &Stage) -> Result<()> {
    let clients = stage.suite().await?.clients();
    let caller = Caller { tenant: "followed".to_owned(), ..Caller::default() };
    let shop = Shop::open(clients.acting_as(caller)).await?;
    let types = vec!["OrderPlaced".to_owned()];
    let request = SubscribeRequest { types, only_new: true, ..SubscribeRequest::default() };
    let mut live = shop.clients.events().subscribe(request).await?.into_inner();

    let order = shop.placed(&shop.sku("LAMP"), 1).await?;

    let told = live.next().await.context("the stream ended early")??.event.context("no event")?;
    ensure!((told.subject.as_str(), told.sequence) == (order.order_id.as_str(), 1), "{told:?}");
    Ok(())
}

pub async fn a_party_of_the_business_is_not_shown_everybodys_orders(stage: &Stage) -> Result<()> {
    let clients = stage.suite().await?.clients();
    let buyer = clients.acting_as(Caller { role: "buyer".to_owned(), ..Caller::default() });

    let refused = buyer.events().subscribe(SubscribeRequest::default()).await;

    ensure!(refused.is_err_and(|status| status.code() == Code::PermissionDenied));
    let token = SubscribeRequest { resume_token: "7".to_owned(), ..SubscribeRequest::default() };
    let refused = clients.events().subscribe(token).await;
    ensure!(refused.is_err_and(|status| status.code() == Code::InvalidArgument));
    Ok(())
}

async fn read(clients: &Clients, request: SubscribeRequest) -> Result<Vec<SubscribeResponse>> {
    let stream = clients.events().subscribe(request).await?.into_inner();
    Ok(stream.collect::<Result<Vec<_>, _>>().await?)
}

async fn get(clients: &Clients, order_id: &str) -> Result<Order> {
    let request = GetOrderRequest { order_id: order_id.to_owned(), ..GetOrderRequest::default() };
    clients.orders().get_order(request).await?.into_inner().order.context("the answer holds no order")
}

/// What somebody knows who has only ever read the events of one order.
fn rebuilt<'a>(
    events: impl Iterator<Item = &'a OrderEvent>,
) -> Result<(OrderTotals, BTreeMap<i64, LineFigures>)> {
    let (mut totals, mut lines) = (OrderTotals::default(), BTreeMap::new());
    for (event, place) in events.zip(1..) {
        ensure!(event.sequence == place, "{} is number {place}", event.sequence);
        let movement = MovedOrder::decode(event.data.as_slice())?.movement.context("nothing moved")?;
        let was = movement.before.and_then(|before| before.totals);
        ensure!(was.is_none_or(|was| was == totals), "the events form a chain");
        let after = movement.after.context("an event says what is after it")?;
        totals = after.totals.context("an order has totals")?;
        lines.extend(after.lines.into_iter().map(|line| (line.line_number, line)));
    }
    Ok((totals, lines))
}

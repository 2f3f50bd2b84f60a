//! Rows about finding orders and following a change: I12, I13, S2, S15, S16, B9, D6.

use anyhow::{Context, Result, ensure};
use proto::common::v1::{ExternalReference, Wait};
use proto::order::v1::{
    ChangeOrderState, ListOrdersRequest, OrderState, OrderSummary, OrderView, Parties,
    WatchChangeOrderRequest,
};
use tests::Shop;
use tests::clients::Caller;
use tests::shop::refused;
use tonic::Code;

use crate::scenarios::scenarios;
use crate::{Scenario, Stage};

pub const ALL: &[(&str, Scenario)] = scenarios![
    i12_a_cancelled_order_leaves_the_active_view_at_once,
    i13_an_order_is_found_by_its_jobs_reference,
    s2_an_order_is_found_by_number_and_by_customer,
    s15_a_change_is_watched_step_by_step,
    s16_a_change_order_with_a_number_is_made,
    b9_a_buyer_pages_through_its_own_orders_only,
    d6_cancelled_orders_have_a_view_of_their_own,
];

async fn listed(shop: &Shop, request: ListOrdersRequest) -> Result<Vec<OrderSummary>> {
    Ok(shop.clients.orders().list_orders(request).await?.into_inner().orders)
}

pub async fn i12_a_cancelled_order_leaves_the_active_view_at_once(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let customer = shop.sku("CUSTOMER");
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 2).await?;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let request = shop.order_request(&sku, 1, "10.00", 1_000);
        ids.push(
            shop.create(proto::order::v1::CreateOrderRequest { customer_id: customer.clone(), ..request })
                .await?
                .order_id,
        );
    }
    let active = ListOrdersRequest {
        customer_id: customer.clone(),
        view: OrderView::Active.into(),
        ..ListOrdersRequest::default()
    };
    ensure!(listed(&shop, active.clone()).await?.len() == 2, "both are active");

    shop.submit(shop.cancel_request(&ids[0], &[])).await?;

    let left = listed(&shop, active.clone()).await?;
    ensure!(left.len() == 1 && left[0].order_id == ids[1], "{left:?}");
    let wrong = ListOrdersRequest { states: vec![OrderState::Cancelled.into()], ..active };
    refused(shop.clients.orders().list_orders(wrong).await, Code::InvalidArgument, "FIELD_INVALID")?;
    Ok(())
}

pub async fn i13_an_order_is_found_by_its_jobs_reference(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 2).await?;
    let job = ExternalReference { system: "job".to_owned(), reference: shop.sku("J-1") };
    let mut request = shop.order_request(&sku, 1, "10.00", 1_000);
    request.external_references = vec![job.clone()];
    let order = shop.create(request).await?;

    let by_job = ListOrdersRequest { external_reference: Some(job.clone()), ..ListOrdersRequest::default() };
    let found = listed(&shop, by_job).await?;

    ensure!(found.len() == 1 && found[0].order_id == order.order_id, "{found:?}");
    let mut twin = shop.order_request(&sku, 1, "10.00", 1_000);
    twin.external_references = vec![job];
    refused(shop.create(twin).await, Code::AlreadyExists, "EXTERNAL_REFERENCE_TAKEN")?;
    Ok(())
}

pub async fn s2_an_order_is_found_by_number_and_by_customer(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    let mut request = shop.order_request(&sku, 1, "10.00", 1_000);
    (request.number, request.customer_id) = (shop.sku("N-1"), shop.sku("ANN"));
    let order = shop.create(request).await?;

    let by_number = ListOrdersRequest { number: shop.sku("N-1"), ..ListOrdersRequest::default() };
    let by_customer = ListOrdersRequest { customer_id: shop.sku("ANN"), ..ListOrdersRequest::default() };
    for request in [by_number, by_customer] {
        let found = listed(&shop, request).await?;
        ensure!(found.len() == 1 && found[0].order_id == order.order_id, "{found:?}");
    }
    let nobody = ListOrdersRequest { customer_id: shop.sku("BOB"), ..ListOrdersRequest::default() };
    ensure!(listed(&shop, nobody).await?.is_empty(), "nobody else's");
    let when = ListOrdersRequest { created_from: "yesterday".to_owned(), ..ListOrdersRequest::default() };
    refused(shop.clients.orders().list_orders(when).await, Code::InvalidArgument, "FIELD_INVALID")?;
    Ok(())
}

pub async fn s15_a_change_is_watched_step_by_step(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 2).await?;
    let mut request = shop.cancel_request(&order.order_id, &[]);
    request.wait = Wait::Unspecified.into();
    let change = shop.submit(request).await?;

    let watch = WatchChangeOrderRequest {
        change_order_id: change.change_order_id.clone(),
        ..WatchChangeOrderRequest::default()
    };
    let mut stream = shop.clients.changes().watch_change_order(watch).await?.into_inner();
    let mut last = None;
    while let Some(message) = stream.message().await? {
        let seen = message.change_order.context("the message holds no change order")?;
        ensure!(seen.steps_done <= seen.steps_total && seen.steps_total > 0, "{seen:?}");
        last = Some(seen);
    }

    let last = last.context("nothing was sent")?;
    ensure!(last.state() == ChangeOrderState::Completed, "{last:?}");
    ensure!(last.steps_done == last.steps_total && last.current_step.is_empty(), "{last:?}");
    let unknown = WatchChangeOrderRequest {
        change_order_id: "chg_none".to_owned(),
        ..WatchChangeOrderRequest::default()
    };
    refused(
        shop.clients.changes().watch_change_order(unknown).await,
        Code::InvalidArgument,
        "FIELD_INVALID",
    )?;
    Ok(())
}

pub async fn s16_a_change_order_with_a_number_is_made(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 2).await?;

    let one = shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;
    let two = shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;

    ensure!(one.number.starts_with("CO-") && one.number != two.number, "{} {}", one.number, two.number);
    let stored = shop.change(&one.change_order_id).await?;
    ensure!(stored.number == one.number && stored.order_number == order.number, "{stored:?}");
    let again = shop.submit(shop.cancel_request(&order.order_id, &[])).await;
    refused(again, Code::FailedPrecondition, "NOTHING_TO_CANCEL")?;
    Ok(())
}

pub async fn b9_a_buyer_pages_through_its_own_orders_only(stage: &Stage) -> Result<()> {
    let clients = stage.suite().await?.clients();
    let shop = Shop::open(clients.clone()).await?;
    let (sku, ours, theirs) = (shop.sku("LAMP"), shop.sku("ACME"), shop.sku("OTHER"));
    shop.receive(&sku, 4).await?;
    let mut placed = Vec::new();
    for buyer in [&ours, &theirs, &ours, &ours] {
        let mut request = shop.order_request(&sku, 1, "10.00", 1_000);
        request.parties = Some(Parties { buyer: buyer.clone(), ..Parties::default() });
        let order = shop.create(request).await?;
        placed.extend((*buyer == ours).then_some(order.order_id));
    }
    let buyer = Caller { organisation: ours.clone(), role: "buyer".to_owned(), ..Caller::default() };
    let orders = clients.acting_as(buyer).orders();

    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListOrdersRequest { page_size: 2, page_token, ..ListOrdersRequest::default() };
        let page = orders.clone().list_orders(request).await?.into_inner();
        found.extend(page.orders.into_iter().map(|order| order.order_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }

    ensure!(found == placed, "{found:?} {placed:?}");
    let forged = ListOrdersRequest { page_token: "forged".to_owned(), ..ListOrdersRequest::default() };
    refused(orders.clone().list_orders(forged).await, Code::InvalidArgument, "PAGE_TOKEN_INVALID")?;
    Ok(())
}

pub async fn d6_cancelled_orders_have_a_view_of_their_own(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let customer = shop.sku("CUSTOMER");
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    let mut request = shop.order_request(&sku, 1, "10.00", 1_000);
    request.customer_id.clone_from(&customer);
    let order = shop.create(request).await?;
    let cancelled = ListOrdersRequest {
        customer_id: customer,
        view: OrderView::Cancelled.into(),
        ..ListOrdersRequest::default()
    };
    ensure!(listed(&shop, cancelled.clone()).await?.is_empty(), "it stands");

    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    let found = listed(&shop, cancelled.clone()).await?;
    ensure!(found.len() == 1 && found[0].state() == OrderState::Cancelled, "{found:?}");
    let unknown = ListOrdersRequest { view: 99, ..cancelled };
    refused(shop.clients.orders().list_orders(unknown).await, Code::InvalidArgument, "FIELD_INVALID")?;
    Ok(())
}

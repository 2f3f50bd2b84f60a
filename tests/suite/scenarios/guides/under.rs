//! A shop of a tenant of its own, under the policy of one guide.

use anyhow::{Context, Result, ensure};
use proto::order::v1::{
    ActivatePolicyRequest, CreateOrderRequest, GetCancelabilityRequest, GetCancelabilityResponse,
    GetPolicyRequest, GetTimelineRequest, Order, Parties, PolicySelector, PolicySelectorKind,
    StartProcessingRequest, TimelineEntry, UpsertPolicyRequest,
};
use tests::Shop;
use tests::clients::Caller;
use types::{Clock, EventId, Ids};

use crate::{Stage, inversions};

/// Opens a shop and puts all its orders under a preset, with the data that the stage wants.
pub async fn under(stage: &Stage, preset: &str) -> Result<Shop> {
    let id = Ids::random(Clock::System).mint::<EventId>().to_string();
    let tenant = format!("guide-{}", &id[id.len() - 12..]);
    let clients = stage.suite().await?.clients().acting_as(Caller { tenant, ..Caller::default() });
    let shop = Shop::open(clients).await?;
    inversions::write(&shop, preset, stage.data).await?;
    activate(&shop, preset).await?;
    Ok(shop)
}

/// Puts all orders of the shop under the latest version of a policy, and answers that version.
pub async fn activate(shop: &Shop, policy: &str) -> Result<String> {
    let request = ActivatePolicyRequest {
        request_id: shop.request_id(),
        policy_id: policy.to_owned(),
        version: 0,
        selector: Some(PolicySelector { kind: PolicySelectorKind::Tenant.into(), value: String::new() }),
    };
    let answer = shop.clients.policies().activate_policy(request).await?.into_inner();
    Ok(answer.policy.context("the answer holds no policy")?.policy_version)
}

/// Writes a policy like another one but for a piece of its text, and puts all orders under it.
pub async fn rewritten(shop: &Shop, policy: &str, from: &str, to: &str) -> Result<String> {
    let request = GetPolicyRequest { policy_id: policy.to_owned(), version: 0 };
    let written = shop.clients.policies().get_policy(request).await?.into_inner().policy;
    let document = written.context("the answer holds no policy")?.document;
    ensure!(document.contains(from), "{from} is not in {document}");
    let request = UpsertPolicyRequest {
        request_id: shop.request_id(),
        policy_id: policy.to_owned(),
        document: document.replacen(from, to, 1),
    };
    shop.clients.policies().upsert_policy(request).await?;
    activate(shop, policy).await
}

/// An order request of two lines between a bistro, a mill and a router.
pub fn order_request(shop: &Shop) -> CreateOrderRequest {
    let mut request = shop.order_request(&shop.sku("TEAPOT"), 2, "10.00", 2_400);
    request.lines.push(tests::shop::line(&shop.sku("CUP"), 4, "1.00"));
    request.parties = Some(Parties {
        buyer: "bistro".to_owned(),
        supplier: "mill".to_owned(),
        source_router: "router".to_owned(),
        client_contact: String::new(),
    });
    request
}

/// Places that order, as whoever the shop acts for.
pub async fn placed(shop: &Shop) -> Result<Order> {
    let desk = shop.as_user("stock", "shop", "staff");
    desk.receive(&shop.sku("TEAPOT"), 2).await?;
    desk.receive(&shop.sku("CUP"), 4).await?;
    Ok(shop.create(order_request(shop)).await?)
}

/// Begins to work on an order.
pub async fn processing(shop: &Shop, order: &Order) -> Result<()> {
    let request = StartProcessingRequest { request_id: shop.request_id(), order_id: order.order_id.clone() };
    shop.clients.orders().start_processing(request).await?;
    Ok(())
}

pub async fn can(shop: &Shop, order: &Order) -> Result<GetCancelabilityResponse> {
    let request = GetCancelabilityRequest { order_id: order.order_id.clone() };
    Ok(shop.clients.changes().get_cancelability(request).await?.into_inner())
}

/// Everything of an order's timeline that the shop's caller may see.
pub async fn timeline(shop: &Shop, order: &Order) -> Result<Vec<TimelineEntry>> {
    let request =
        GetTimelineRequest { order_id: order.order_id.clone(), page_size: 200, ..Default::default() };
    Ok(shop.clients.orders().get_timeline(request).await?.into_inner().entries)
}

/// Fails unless the order stands as it stood.
pub async fn unchanged(shop: &Shop, before: &Order) -> Result<()> {
    let now = shop.order(&before.order_id).await?;
    ensure!(now == *before, "a refusal leaves no trace: {now:?}");
    Ok(())
}

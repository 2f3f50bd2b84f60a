//! Row S23: what a tenant may use is a matter of its edition.

use anyhow::{Context, Result, ensure};
use proto::order::v1::{
    Capability, GetTenantCapabilitiesRequest, PreviewChangeOrderRequest, SetTenantCapabilitiesRequest,
    TenantCapabilities,
};
use tests::Shop;
use tests::shop::refused;
use tonic::{Code, Status};

use super::under::{self, can, unchanged};
use crate::scenarios::scenarios;
use crate::{Scenario, Stage};

pub const ALL: &[(&str, Scenario)] = scenarios![s23_an_edition_refuses_and_names_what_it_does_not_hold];

async fn put_on(shop: &Shop, edition: &str, withheld: &[Capability]) -> Result<TenantCapabilities, Status> {
    let request = SetTenantCapabilitiesRequest {
        request_id: shop.request_id(),
        edition: edition.to_owned(),
        withheld: withheld.iter().map(|capability| (*capability).into()).collect(),
    };
    let answer = shop.clients.policies().set_tenant_capabilities(request).await?.into_inner();
    answer.capabilities.ok_or_else(|| Status::internal("the answer holds no capabilities"))
}

async fn edition(shop: &Shop) -> Result<TenantCapabilities> {
    let request = GetTenantCapabilitiesRequest {};
    let answer = shop.clients.policies().get_tenant_capabilities(request).await?.into_inner();
    answer.capabilities.context("the answer holds no capabilities")
}

async fn s23_an_edition_refuses_and_names_what_it_does_not_hold(stage: &Stage) -> Result<()> {
    let shop = under::under(stage, "default").await?;
    let order = shop.placed(&shop.sku("LAMP"), 3).await?;
    let platform = shop.as_user("ops", "shop", "platform");
    let all = edition(&shop).await?;
    ensure!(all.edition == "full" && all.capabilities.iter().all(|part| part.included), "{all:?}");
    let buyer = shop.as_user("ann", "acme", "buyer");
    let stranger = put_on(&buyer, "basic", &[]).await;
    refused(stranger, Code::PermissionDenied, "PERMISSION_DENIED")?;
    let withheld = [Capability::PartialCancellation, Capability::Batches, Capability::Goodwill];
    let twice = put_on(&platform, "basic", &[Capability::Batches, Capability::Batches]).await;
    refused(twice, Code::InvalidArgument, "FIELD_INVALID")?;

    let set = put_on(&platform, "basic", &withheld).await?;

    ensure!(set.edition == "basic" && set == edition(&shop).await?, "{set:?}");
    let before = shop.order(&order.order_id).await?;
    let part = shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await;
    refused(part, Code::FailedPrecondition, "CAPABILITY_NOT_INCLUDED")?;
    unchanged(&shop, &before).await?;
    let request =
        PreviewChangeOrderRequest { change: shop.cancel_request(&order.order_id, &[(1, 1)]).change };
    let shown = shop.clients.changes().preview_change_order(request).await?.into_inner();
    ensure!(!shown.allowed && shown.blockers[0].reason == "CAPABILITY_NOT_INCLUDED", "{shown:?}");
    let named = can(&shop, &order).await?;
    ensure!(named.allowed, "an order as a whole is cancelled in every edition: {named:?}");
    ensure!(named.edition_blockers.len() == 3, "{named:?}");
    let blocker = &named.edition_blockers[0];
    ensure!(
        blocker.reason == "CAPABILITY_NOT_INCLUDED" && blocker.message.contains("partial"),
        "{blocker:?}"
    );

    put_on(&platform, "complete", &[]).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;
    let left = shop.order(&order.order_id).await?.lines[0].quantities.unwrap_or_default();
    ensure!(left.cancelled == 1 && left.open == 2, "{left:?}");
    put_on(&platform, "basic", &withheld).await?;
    let whole = shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    ensure!(whole.refund_owed_minor == 0, "{whole:?}");
    Ok(())
}

//! Each permission beside the one to cancel: who has it may, who has not is refused by its name, and nothing has moved.

use anyhow::{Context as _, Result, ensure};
use proto::common::v1::{Role, Wait};
use proto::inventory::v1::{CreateFulfillmentRequest, FulfillmentLineSelection, ListWarehousesRequest};
use proto::notification::v1::{ListDeliveriesRequest, ListNotificationsRequest};
use proto::order::v1::{
    AbortBeforePivotRequest, ChangeOrder, ChangeOrderState, LabelAction, ListRolesRequest, OrderState,
    RetryStepRequest, SimulatePolicyRequest, SubmitChangeOrderRequest, UpsertRolesRequest,
};
use proto::payment::v1::ListRefundsRequest;
use tests::shop::{WAREHOUSE, card, detail, refused};
use tests::{Service, Shop, assert_books_balance, eventually};
use tonic::{Code, Status};

use super::guides::under::{placed, rewritten, unchanged, under};
use super::restore::{cancelled, restore};
use crate::Stage;

/// Somebody who may cancel any order and nothing else.
fn clerk(shop: &Shop) -> Shop {
    shop.as_user("cleo", "shop", "clerk")
}

/// Grants clerks what the policy then takes away, and puts a shop's orders under a policy that knows them.
async fn with_clerks(shop: &Shop, policy: &str) -> Result<()> {
    let listed = shop.clients.roles().list_roles(ListRolesRequest {}).await?.into_inner().roles;
    let staff = listed.into_iter().find(|role| role.role == "staff").context("staff is a role")?;
    let clerk = Role { role: "clerk".to_owned(), ..staff };
    let request = UpsertRolesRequest { request_id: shop.request_id(), roles: vec![clerk] };
    shop.clients.roles().upsert_roles(request).await?;
    let clerks = "\"roles\":{\"clerk\":[\"cancel.request\",\"cancel.any\"],";
    rewritten(shop, policy, "\"roles\":{", clerks).await?;
    Ok(())
}

async fn shop(stage: &Stage) -> Result<Shop> {
    let shop = under(stage, "default").await?;
    with_clerks(&shop, "default").await?;
    Ok(shop)
}

fn denied<T: std::fmt::Debug>(answer: Result<T, Status>, rule: &str) -> Result<()> {
    let status = refused(answer, Code::PermissionDenied, "PERMISSION_DENIED")?;
    ensure!(detail(&status, "rule_id") == rule, "{status:?}");
    Ok(())
}

pub async fn what_a_role_may_is_known_by_every_service_and_holds_up_no_event(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let outsider = clerk(&shop);
    let at_each = async || -> [Option<Code>; 3] {
        let list = ListWarehousesRequest::default();
        let stock = outsider.clients.stock().list_warehouses(list).await;
        let refunds = outsider.clients.refunds().list_refunds(ListRefundsRequest::default()).await;
        let list = ListDeliveriesRequest::default();
        let deliveries = outsider.clients.deliveries().list_deliveries(list).await;
        let code = |status: Status| status.code();
        [stock.err().map(code), refunds.err().map(code), deliveries.err().map(code)]
    };
    ensure!(at_each().await == [Some(Code::PermissionDenied); 3], "nobody has said what a clerk may do");

    with_clerks(&shop, "default").await?;
    eventually("every service knows the role", async || Ok((at_each().await == [None; 3]).then_some(())))
        .await?;

    // What the clerk could do is told before anybody tries.
    let tried = SimulatePolicyRequest {
        policy_id: "default".to_owned(),
        show_roles: vec!["clerk".to_owned()],
        ..SimulatePolicyRequest::default()
    };
    let able = shop.clients.policies().simulate_policy(tried.clone()).await?.into_inner().roles;
    let calls = |call: &str| able.iter().any(|role| role.calls.iter().any(|path| path.ends_with(call)));
    ensure!(calls("/ListWarehouses") && !calls("/UpsertRoles"), "{able:?}");
    let unlisted = SimulatePolicyRequest { show_roles: vec!["janitor".to_owned()], ..tried };
    refused(shop.clients.policies().simulate_policy(unlisted).await, Code::InvalidArgument, "FIELD_INVALID")?;

    // The events of orders go out beside those of roles.
    let order = shop.placed(&shop.sku("LAMP"), 2).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    eventually("the shop is told of the cancellation", async || {
        let request = ListNotificationsRequest {
            order_id: order.order_id.clone(),
            ..ListNotificationsRequest::default()
        };
        let told = shop.clients.notifications().list_notifications(request).await?.into_inner().notifications;
        Ok((!told.is_empty()).then_some(()))
    })
    .await?;
    assert_books_balance(stage.suite().await?).await
}

pub async fn restoring_needs_its_permission(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let order = cancelled(&shop, &shop.sku("LAMP"), 2).await?;
    let tenders = || vec![card("tok_approve", 2_000, true)];

    denied(restore(&clerk(&shop), &order.order_id, tenders()).await, "restore")?;
    unchanged(&shop, &order).await?;

    let change = restore(&shop, &order.order_id, tenders()).await?;
    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    Ok(())
}

pub async fn steering_a_saga_needs_the_permission_to_resolve(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    with_clerks(&shop, "default").await?;
    super::guides::under::activate(&shop, "default").await?;
    let order = shop.placed(&shop.sku("LAMP"), 2).await?;
    suite.kill(Service::Inventory)?;
    let mut request = shop.cancel_request(&order.order_id, &[]);
    request.wait = Wait::Unspecified.into();
    let change = shop.submit(request).await?;
    let abort = |shop: &Shop| AbortBeforePivotRequest {
        request_id: shop.request_id(),
        saga_id: change.saga_id.clone(),
        note: String::new(),
    };

    let outsider = clerk(&shop);
    let retry = RetryStepRequest {
        request_id: shop.request_id(),
        saga_id: change.saga_id.clone(),
        note: String::new(),
    };
    denied(outsider.clients.operations().retry_step(retry).await, "resolve")?;
    denied(outsider.clients.operations().abort_before_pivot(abort(&outsider)).await, "resolve")?;
    ensure!(shop.change(&change.change_order_id).await?.state() == ChangeOrderState::Executing);

    shop.clients.operations().abort_before_pivot(abort(&shop)).await?;
    suite.restart(Service::Inventory).await?;
    eventually("the change is put back", async || {
        let change = shop.change(&change.change_order_id).await?;
        Ok((change.state() == ChangeOrderState::Rejected).then_some(()))
    })
    .await
}

pub async fn cancelling_the_rest_of_a_shipment_needs_its_permission(stage: &Stage) -> Result<()> {
    let shop = under(stage, "marketplace").await?;
    with_clerks(&shop, "marketplace").await?;
    let manager = shop.as_user("max", "shop", "manager");
    let order = placed(&manager).await?;
    let selection = FulfillmentLineSelection { line_id: order.lines[0].line_id.clone(), quantity: 1 };
    let request = CreateFulfillmentRequest {
        request_id: shop.request_id(),
        order_id: order.order_id.clone(),
        warehouse_id: WAREHOUSE.to_owned(),
        lines: vec![selection],
        ..CreateFulfillmentRequest::default()
    };
    let made = manager.clients.fulfillments().create_fulfillment(request).await?.into_inner().fulfillment;
    manager.ship(&made.unwrap_or_default().fulfillment_id).await?;
    let shipped = eventually("the order hears of the shipment", async || {
        let order = manager.order(&order.order_id).await?;
        Ok((order.state() == OrderState::PartiallyShipped).then_some(order))
    })
    .await?;
    let cancel = |shop: &Shop| {
        let mut request = shop.cancel_request(&order.order_id, &[(1, 1)]);
        let change = request.change.get_or_insert_default();
        (change.supplier_contacted, change.confirm) = (true, true);
        request
    };

    let outsider = clerk(&shop);
    denied(outsider.submit(cancel(&outsider)).await, "b5-rest-of-a-shipment")?;
    unchanged(&manager, &shipped).await?;

    completed(manager.submit(cancel(&manager)).await)
}

pub async fn store_credit_needs_its_permission(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let order = shop.placed(&shop.sku("LAMP"), 2).await?;
    let cancel = |shop: &Shop| {
        let mut request = shop.cancel_request(&order.order_id, &[]);
        request.change.get_or_insert_default().store_credit_fallback = true;
        request
    };

    let outsider = clerk(&shop);
    denied(outsider.submit(cancel(&outsider)).await, "refund.store_credit")?;
    unchanged(&shop, &order).await?;

    completed(shop.submit(cancel(&shop)).await)
}

pub async fn voiding_a_label_needs_its_permission(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let (order, _) = shop.labelled("lbl_ok").await?;
    let cancel = |shop: &Shop| -> SubmitChangeOrderRequest {
        let mut request = shop.cancel_request(&order.order_id, &[]);
        request.change.get_or_insert_default().label_action = LabelAction::Void.into();
        request
    };

    let outsider = clerk(&shop);
    denied(outsider.submit(cancel(&outsider)).await, "label.void")?;
    unchanged(&shop, &order).await?;

    completed(shop.submit(cancel(&shop)).await)
}

fn completed(answer: Result<ChangeOrder, Status>) -> Result<()> {
    let change = answer?;
    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    Ok(())
}

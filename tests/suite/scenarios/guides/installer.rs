//! Rows I1 to I13: cancelling by role and organisation, with reasons and a shared timeline.

use anyhow::{Context, Result, ensure};
use proto::order::v1::{
    CancelReason, ChangeOrderState, Channel, FulfilmentStage, ListReasonsRequest, OrderState,
    PreviewChangeOrderRequest, ReasonFamily, UpsertReasonRequest,
};
use tests::Shop;
use tests::shop::refused;
use tonic::Code;

use super::under::{can, placed, rewritten, timeline, unchanged, under};
use crate::scenarios::scenarios;
use crate::{Scenario, Stage};

pub const ALL: &[(&str, Scenario)] = scenarios![
    i1_both_families_of_reasons_cancel_an_order,
    i2_the_current_role_decides,
    i3_creator_cancels_only_from_the_source_router,
    i4_every_entry_point_is_the_same_operation,
    i5_the_action_is_offered_where_it_makes_sense,
    i6_reason_must_be_chosen,
    i7_the_stated_reasons_are_offered_and_can_be_extended,
    i8_a_dismissed_dialog_has_no_effect,
    i9_reason_and_user_stand_in_the_timeline,
    i11_each_decision_keeps_the_version_of_its_policy,
];

async fn reasons(shop: &Shop, language: &str) -> Result<Vec<CancelReason>> {
    let request = ListReasonsRequest { language: language.to_owned(), include_retired: false };
    Ok(shop.clients.policies().list_reasons(request).await?.into_inner().reasons)
}

pub async fn i1_both_families_of_reasons_cancel_an_order(stage: &Stage) -> Result<()> {
    let shop = under(stage, "installer").await?;
    for family in [ReasonFamily::NoLongerNeeded, ReasonFamily::CannotBeCompleted] {
        let reason = reasons(&shop, "en").await?.into_iter().find(|reason| reason.family() == family);
        let order = placed(&shop).await?;
        let mut request = shop.cancel_request(&order.order_id, &[]);
        request.change.get_or_insert_default().reason_code = reason.unwrap_or_default().code;

        let change = shop.submit(request).await?;

        ensure!(change.state() == ChangeOrderState::Completed, "{family:?}: {change:?}");
        ensure!(shop.order(&order.order_id).await?.state() == OrderState::Cancelled);
    }
    let order = placed(&shop).await?;
    let mut request = shop.cancel_request(&order.order_id, &[]);
    "JUST_BECAUSE".clone_into(&mut request.change.get_or_insert_default().reason_code);
    refused(shop.submit(request).await, Code::InvalidArgument, "FIELD_INVALID")?;
    unchanged(&shop, &order).await
}

pub async fn i2_the_current_role_decides(stage: &Stage) -> Result<()> {
    let shop = under(stage, "installer").await?;
    let order = placed(&shop).await?;

    let visitor = shop.as_user("tester", "shop", "buyer");
    let status = refused(
        visitor.submit(shop.cancel_request(&order.order_id, &[])).await,
        Code::PermissionDenied,
        "PERMISSION_DENIED",
    )?;
    ensure!(format!("{:?}", status.details()).len() > 2, "the refusal names rule and policy");
    unchanged(&shop, &order).await?;

    // The same person, in another role now.
    let change = shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    ensure!(change.granted_by == "role" && change.policy_version.starts_with("installer-"), "{change:?}");
    ensure!(change.requested_by.unwrap_or_default().role == "manager", "the role of that moment is stored");
    Ok(())
}

pub async fn i3_creator_cancels_only_from_the_source_router(stage: &Stage) -> Result<()> {
    let shop = under(stage, "installer").await?;
    // Her role map lets no installer state a price.
    let order = placed(&shop.as_user("ines", "router", "staff")).await?;
    let creator = shop.as_user("ines", "router", "installer");

    let colleague = shop.as_user("otto", "router", "installer");
    let answer = colleague.submit(shop.cancel_request(&order.order_id, &[])).await;
    refused(answer, Code::PermissionDenied, "PERMISSION_DENIED")?;
    // An installer sees the orders of its own source router; elsewhere there is none.
    let elsewhere = shop.as_user("ines", "elsewhere", "installer");
    let answer = elsewhere.submit(shop.cancel_request(&order.order_id, &[])).await;
    refused(answer, Code::NotFound, "RESOURCE_NOT_FOUND")?;
    unchanged(&shop, &order).await?;

    let change = creator.submit(shop.cancel_request(&order.order_id, &[])).await?;
    ensure!(change.granted_by == "creator_at_source_router", "{change:?}");
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Cancelled);
    Ok(())
}

pub async fn i4_every_entry_point_is_the_same_operation(stage: &Stage) -> Result<()> {
    let shop = under(stage, "installer").await?;
    for channel in [Channel::Details, Channel::Timeline, Channel::Api] {
        let order = placed(&shop).await?;
        let mut request = shop.cancel_request(&order.order_id, &[]);
        request.change.get_or_insert_default().channel = channel.into();
        let change = shop.submit(request).await?;

        ensure!((change.channel(), change.state()) == (channel, ChangeOrderState::Completed), "{change:?}");
    }
    let order = placed(&shop).await?;
    let mut request = shop.cancel_request(&order.order_id, &[]);
    request.change.get_or_insert_default().channel = Channel::Rule.into();
    refused(shop.submit(request).await, Code::InvalidArgument, "FIELD_INVALID")?;
    unchanged(&shop, &order).await
}

pub async fn i5_the_action_is_offered_where_it_makes_sense(stage: &Stage) -> Result<()> {
    let shop = under(stage, "installer").await?;
    let order = placed(&shop).await?;
    let offered = |actions: &[String]| actions.iter().any(|action| action == "SubmitChangeOrder");

    let first = can(&shop, &order).await?;
    ensure!(offered(&first.allowed_actions), "somebody who may is offered it");
    let step = first.steps.first().context("something stands at a step")?;
    ensure!(step.stage() == FulfilmentStage::Unallocated && step.units > 0, "{step:?}");
    ensure!(offered(&step.allowed_actions), "inside the step it stands at: {step:?}");
    let visitor = shop.as_user("vera", "bistro", "buyer");
    ensure!(!offered(&can(&visitor, &order).await?.allowed_actions), "somebody who may not is not");
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    let done = can(&shop, &order).await?;
    ensure!(!offered(&done.allowed_actions) && done.steps.is_empty(), "nor anybody when it is done");
    Ok(())
}

pub async fn i6_reason_must_be_chosen(stage: &Stage) -> Result<()> {
    let shop = under(stage, "installer").await?;
    let order = placed(&shop).await?;
    let mut request = shop.cancel_request(&order.order_id, &[]);
    request.change.get_or_insert_default().reason_code = String::new();

    refused(shop.submit(request.clone()).await, Code::InvalidArgument, "REASON_REQUIRED")?;
    unchanged(&shop, &order).await?;

    "NO_CAPACITY".clone_into(&mut request.change.get_or_insert_default().reason_code);
    let change = shop.submit(request).await?;
    ensure!(shop.change(&change.change_order_id).await?.reason_code == "NO_CAPACITY");
    Ok(())
}

pub async fn i7_the_stated_reasons_are_offered_and_can_be_extended(stage: &Stage) -> Result<()> {
    let shop = under(stage, "installer").await?;
    let offered = reasons(&shop, "de").await?;
    for stated in ["CUSTOMER_NOT_RESPONDING", "OFFER_REJECTED", "NO_CAPACITY", "OTHER"] {
        let reason = offered.iter().find(|reason| reason.code == stated);
        ensure!(reason.is_some_and(|reason| !reason.label.is_empty() && reason.label != stated), "{stated}");
    }
    let order = placed(&shop).await?;
    let mut request = shop.cancel_request(&order.order_id, &[]);
    "ROAD_CLOSED".clone_into(&mut request.change.get_or_insert_default().reason_code);
    refused(shop.submit(request.clone()).await, Code::InvalidArgument, "FIELD_INVALID")?;
    unchanged(&shop, &order).await?;

    let reason = CancelReason {
        code: "ROAD_CLOSED".to_owned(),
        family: ReasonFamily::CannotBeCompleted.into(),
        labels: [("en".to_owned(), "The road is closed".to_owned())].into(),
        note_required: true,
        ..CancelReason::default()
    };
    let upsert = UpsertReasonRequest { request_id: shop.request_id(), reason: Some(reason) };
    shop.clients.policies().upsert_reason(upsert).await?;
    refused(shop.submit(request.clone()).await, Code::InvalidArgument, "FIELD_REQUIRED")?;
    "until spring".clone_into(&mut request.change.get_or_insert_default().note);
    ensure!(shop.submit(request).await?.reason_code == "ROAD_CLOSED");
    Ok(())
}

pub async fn i8_a_dismissed_dialog_has_no_effect(stage: &Stage) -> Result<()> {
    let shop = under(stage, "installer").await?;
    let order = placed(&shop).await?;
    let told = timeline(&shop, &order).await?;
    let mut change = shop.cancel_request(&order.order_id, &[]).change;

    let preview = PreviewChangeOrderRequest { change: change.clone() };
    let shown = shop.clients.changes().preview_change_order(preview).await?.into_inner();
    ensure!(shown.allowed && shown.blockers.is_empty(), "{shown:?}");
    change.get_or_insert_default().reason_code = String::new();
    let preview = PreviewChangeOrderRequest { change };
    let refused = shop.clients.changes().preview_change_order(preview).await?.into_inner();
    ensure!(!refused.allowed && refused.blockers[0].reason == "REASON_REQUIRED", "{refused:?}");

    unchanged(&shop, &order).await?;
    ensure!(timeline(&shop, &order).await? == told, "nothing is told of what was only looked at");
    Ok(())
}

pub async fn i9_reason_and_user_stand_in_the_timeline(stage: &Stage) -> Result<()> {
    let shop = under(stage, "installer").await?;
    let order = placed(&shop).await?;
    let visitor = shop.as_user("vera", "bistro", "buyer");
    refused(
        visitor.submit(shop.cancel_request(&order.order_id, &[])).await,
        Code::PermissionDenied,
        "PERMISSION_DENIED",
    )?;
    ensure!(!timeline(&shop, &order).await?.iter().any(|entry| !entry.reason_code.is_empty()));

    shop.as_user("max", "shop", "manager").submit(shop.cancel_request(&order.order_id, &[])).await?;
    let told = timeline(&shop, &order).await?;
    let by_max = told.iter().find(|entry| entry.actor.clone().unwrap_or_default().user == "max");
    ensure!(by_max.is_some_and(|entry| entry.reason_code == "CUSTOMER_REQUEST"), "{told:?}");
    Ok(())
}

pub async fn i11_each_decision_keeps_the_version_of_its_policy(stage: &Stage) -> Result<()> {
    let shop = under(stage, "installer").await?;
    let (first, second) = (placed(&shop).await?, placed(&shop).await?);
    let before = shop.submit(shop.cancel_request(&first.order_id, &[])).await?;

    // The operator forbids what was allowed, without a build.
    let version = rewritten(&shop, "installer", "\"effect\":\"allow\"", "\"effect\":\"forbid\"").await?;
    ensure!(version == "installer-2", "{version}");
    let answer = shop.submit(shop.cancel_request(&second.order_id, &[])).await;
    refused(answer, Code::PermissionDenied, "PERMISSION_DENIED")?;
    unchanged(&shop, &second).await?;

    rewritten(&shop, "installer", "\"effect\":\"forbid\"", "\"effect\":\"allow\"").await?;
    let after = shop.submit(shop.cancel_request(&second.order_id, &[])).await?;
    ensure!(after.policy_version == "installer-3" && after.rule_id == before.rule_id, "{after:?}");
    ensure!(shop.change(&before.change_order_id).await?.policy_version == "installer-1");
    Ok(())
}

//! Rows O13 to O21: what each of the hub's named partners takes and wants.

use anyhow::{Context as _, Result, ensure};
use proto::inventory::v1::{Confirmation, PartnerMethod, PartnerTaskState, PartnerWord};
use proto::order::v1::{
    CancelReason, ChangeOrderState, OrderState, PropagationState, ReasonFamily, UpsertReasonRequest,
};
use tests::partner::Behaviour;
use tests::shop::{detail, refused};
use tests::{FakePartner, Shop, eventually};
use tonic::Code;

use super::order_desk::{begin, ended, leg, shop};
use crate::scenarios::scenarios;
use crate::{Scenario, Stage};

pub const ALL: &[(&str, Scenario)] = scenarios![
    o13_amazon_marketplace_has_a_button,
    o14_amazon_mcf_wants_a_follow_up,
    o15_bay_photo_has_a_button,
    o16_bdlinx_has_a_button_and_may_be_triggered_by_a_rule,
    o17_commercehub_wants_a_reason_that_it_knows,
    o18_mww_button_for_two_minutes_then_email,
    o19_oia_global_is_asked_by_email,
    o20_hp_site_flow_has_a_button,
    o21_progressive_solutions_has_a_button,
];

/// A partner with a button: what it accepts is cancelled, what it rejects stays alive.
async fn button(stage: &Stage, key: &str) -> Result<()> {
    let shop = shop(stage).await?;
    let accepting = FakePartner::start(Behaviour::Accepts).await?;
    shop.connect_partner(key, &accepting).await?;
    let (order, _) = shop.at_partner("PO-1").await?;

    let change = begin(&shop, &order.order_id, "OTHER").await?;
    let change = ended(&shop, &change).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    ensure!(accepting.asked().len() == 1, "{:?}", accepting.asked());
    ensure!(accepting.asked()[0].starts_with("POST /orders/PO-1/cancel"), "{:?}", accepting.asked());
    leg(&shop, &order.order_id, PropagationState::Acked).await?;

    let rejecting = FakePartner::start(Behaviour::Rejects).await?;
    shop.connect_partner(key, &rejecting).await?;
    let (order, _) = shop.at_partner("PO-2").await?;
    let change = begin(&shop, &order.order_id, "OTHER").await?;
    let change = ended(&shop, &change).await?;

    ensure!(change.state() == ChangeOrderState::Rejected, "{change:?}");
    ensure!(change.cause.as_ref().is_some_and(|cause| cause.reason == "PARTNER_REJECTED"), "{change:?}");
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Processing, "it is still wanted");
    leg(&shop, &order.order_id, PropagationState::Rejected).await
}

async fn o13_amazon_marketplace_has_a_button(stage: &Stage) -> Result<()> {
    button(stage, "amazon_marketplace").await
}

async fn o14_amazon_mcf_wants_a_follow_up(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let program = FakePartner::start(Behaviour::Accepts).await?;
    shop.connect_partner("amazon_mcf", &program).await?;
    let (order, _) = shop.at_partner("").await?;

    let change = begin(&shop, &order.order_id, "OTHER").await?;
    let task = shop.task(&order.order_id, |task| task.sent).await?;

    ensure!(shop.change(&change.change_order_id).await?.finished_at.is_empty(), "the button is not enough");
    shop.respond(&task.task_id, PartnerWord::Accepted).await?;
    ensure!(ended(&shop, &change).await?.state() == ChangeOrderState::Completed, "confirmed");
    ensure!(shop.integration("amazon_mcf").await?.confirmation() == Confirmation::Required, "as seeded");
    Ok(())
}

async fn o15_bay_photo_has_a_button(stage: &Stage) -> Result<()> {
    button(stage, "bay_photo").await
}

async fn o16_bdlinx_has_a_button_and_may_be_triggered_by_a_rule(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    ensure!(shop.integration("bdlinx").await?.rule_triggerable, "a rule may cancel there");
    ensure!(!shop.integration("bay_photo").await?.rule_triggerable, "and not there");
    button(stage, "bdlinx").await
}

async fn o17_commercehub_wants_a_reason_that_it_knows(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let program = FakePartner::start(Behaviour::Accepts).await?;
    shop.connect_partner("commercehub", &program).await?;
    let (order, _) = shop.at_partner("").await?;

    let mut unmapped = shop.cancel_request(&order.order_id, &[]);
    let change = unmapped.change.as_mut().context("it asks for a change")?;
    "WEATHER".clone_into(&mut change.reason_code);
    (change.confirm, change.supplier_contacted) = (true, true);
    shop.clients.policies().upsert_reason(weather(&shop)).await?;
    eventually("the order knows its partner", async || {
        let actions = shop.cancelability(&order.order_id).await?.allowed_actions;
        Ok(actions.iter().any(|action| action == "StopPartnerByApi").then_some(()))
    })
    .await?;
    // It is refused in the call, before anything is held.
    let status = refused(shop.submit(unmapped).await, Code::InvalidArgument, "REASON_REQUIRED")?;
    ensure!(detail(&status, "known").contains("NO_CAPACITY"), "{status:?}");
    ensure!(shop.order(&order.order_id).await?.change_in_progress.is_empty(), "nothing holds the order");

    let mapped = begin(&shop, &order.order_id, "NO_CAPACITY").await?;
    let mapped = ended(&shop, &mapped).await?;
    ensure!(mapped.state() == ChangeOrderState::Completed, "{mapped:?}");
    ensure!(program.asked().len() == 1, "{:?}", program.asked());
    ensure!(program.asked()[0].contains("\"reason\": \"out_of_stock\""), "{:?}", program.asked());
    Ok(())
}

/// A reason of the tenant's own, which no partner was told of.
fn weather(shop: &Shop) -> UpsertReasonRequest {
    let reason = CancelReason {
        code: "WEATHER".to_owned(),
        family: ReasonFamily::CannotBeCompleted.into(),
        labels: [("en".to_owned(), "The weather".to_owned())].into(),
        ..CancelReason::default()
    };
    UpsertReasonRequest { request_id: shop.request_id(), reason: Some(reason) }
}

async fn o18_mww_button_for_two_minutes_then_email(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let program = FakePartner::start(Behaviour::Accepts).await?;
    shop.connect_partner("mww", &program).await?;
    let seeded = shop.integration("mww").await?;
    ensure!(seeded.methods[0].window_seconds == 120, "{seeded:?}");
    let (early, _) = shop.at_partner("").await?;
    let change = begin(&shop, &early.order_id, "OTHER").await?;
    ensure!(ended(&shop, &change).await?.state() == ChangeOrderState::Completed, "within the window");

    let mut brief = seeded;
    brief.methods[0].window_seconds = 1;
    "orders@mww.example".clone_into(&mut brief.methods[1].address);
    shop.put_profile(brief).await?;
    let (late, _) = shop.at_partner("").await?;
    eventually("the window closes", async || {
        let actions = shop.cancelability(&late.order_id).await?.allowed_actions;
        Ok((!actions.iter().any(|action| action == "StopPartnerByApi")).then_some(()))
    })
    .await?;
    let change = begin(&shop, &late.order_id, "OTHER").await?;
    let task = shop.task(&late.order_id, |task| task.method() == PartnerMethod::Email).await?;
    ensure!(task.sent && task.needs_person && program.asked().len() == 1, "{task:?}");
    ensure!(shop.change(&change.change_order_id).await?.finished_at.is_empty(), "a mail is no word");
    shop.respond(&task.task_id, PartnerWord::Accepted).await?;
    ensure!(ended(&shop, &change).await?.state() == ChangeOrderState::Completed, "confirmed");
    Ok(())
}

async fn o19_oia_global_is_asked_by_email(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let mut addressed = shop.integration("oia_global").await?;
    "orders@oia.example".clone_into(&mut addressed.methods[0].address);
    shop.put_profile(addressed).await?;
    shop.partner("oia_global").await?;
    let (order, _) = shop.at_partner("").await?;

    let change = begin(&shop, &order.order_id, "OTHER").await?;
    let task = shop.task(&order.order_id, |task| task.sent).await?;

    ensure!(task.method() == PartnerMethod::Email, "{task:?}");
    shop.respond(&task.task_id, PartnerWord::Rejected).await?;
    let change = ended(&shop, &change).await?;
    ensure!(change.state() == ChangeOrderState::Rejected, "{change:?}");
    let change = begin(&shop, &order.order_id, "OTHER").await?;
    let task = shop.task(&order.order_id, |task| task.state() == PartnerTaskState::Requested).await?;
    shop.respond(&task.task_id, PartnerWord::Accepted).await?;
    ensure!(ended(&shop, &change).await?.state() == ChangeOrderState::Completed, "confirmed");
    Ok(())
}

async fn o20_hp_site_flow_has_a_button(stage: &Stage) -> Result<()> {
    button(stage, "hp_site_flow").await
}

async fn o21_progressive_solutions_has_a_button(stage: &Stage) -> Result<()> {
    button(stage, "progressive_solutions").await
}

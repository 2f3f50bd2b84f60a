//! Rows O1 to O12, O23 and O24: a hub between carts and fulfilment partners.

use anyhow::{Context as _, Result, ensure};
use proto::common::v1::Wait;
use proto::inventory::v1::{
    Integration, ListIntegrationsRequest, PartnerMethod, PartnerTaskState, PartnerWord,
    ReportPartnerShipmentRequest,
};
use proto::order::v1::{ChangeOrder, ChangeOrderState, OrderState, PropagationState};
use tests::outside::{connector, profile};
use tests::partner::Behaviour;
use tests::shop::refused;
use tests::{FakePartner, Shop, eventually};
use tonic::Code;

use super::under::under;
use crate::scenarios::scenarios;
use crate::{Scenario, Stage};

pub const ALL: &[(&str, Scenario)] = scenarios![
    o1_cancel_reaches_the_partner_and_shows_its_own_state,
    o2_each_integration_has_its_own_requirements,
    o7_partner_without_a_program_is_a_task_for_a_person,
    o9_button_is_there_only_after_submission,
    o10_button_is_meant_for_the_first_seconds,
    o11_stop_that_was_taken_is_followed_up_until_the_word,
    o12_silence_is_shown_and_never_called_cancelled,
    o23_number_a_partner_has_seen_is_burned,
    o24_capabilities_are_listed_for_programs,
    partner_that_lies_is_written_down_and_shown,
    partner_that_delays_is_asked_again_with_the_same_key,
];

pub(super) async fn shop(stage: &Stage) -> Result<Shop> {
    under(stage, "default").await
}

/// Accepted, without waiting for anybody.
pub(super) async fn begin(shop: &Shop, order_id: &str, reason: &str) -> Result<ChangeOrder> {
    let mut request = shop.cancel_request(order_id, &[]);
    request.wait = Wait::Unspecified.into();
    if let Some(change) = &mut request.change {
        reason.clone_into(&mut change.reason_code);
        "as the customer asked".clone_into(&mut change.note);
        change.confirm = true;
        change.supplier_contacted = true;
    }
    Ok(shop.submit(request).await?)
}

pub(super) async fn ended(shop: &Shop, change: &ChangeOrder) -> Result<ChangeOrder> {
    eventually("the change has ended", async || {
        let change = shop.change(&change.change_order_id).await?;
        Ok((!change.finished_at.is_empty()).then_some(change))
    })
    .await
}

/// The leg as the order tells it, once it is so.
pub(super) async fn leg(shop: &Shop, order_id: &str, wanted: PropagationState) -> Result<()> {
    eventually("the order shows the partner's state", async || {
        let order = shop.order(order_id).await?;
        Ok(order.propagation.iter().any(|leg| leg.state() == wanted).then_some(()))
    })
    .await
}

async fn o1_cancel_reaches_the_partner_and_shows_its_own_state(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let program = FakePartner::start(Behaviour::Accepts).await?;
    shop.connect_partner("bay_photo", &program).await?;
    let (order, _) = shop.at_partner("").await?;
    ensure!(order.propagation.is_empty(), "nobody was told of anything");

    let change = begin(&shop, &order.order_id, "OTHER").await?;
    let change = ended(&shop, &change).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    leg(&shop, &order.order_id, PropagationState::Acked).await?;
    let change = shop.change(&change.change_order_id).await?;
    ensure!(change.external_confirmed && change.propagation[0].target == "bay_photo", "{change:?}");

    let unasked = shop.placed(&shop.sku("LAMP"), 1).await?;
    let change = begin(&shop, &unasked.order_id, "OTHER").await?;
    let change = ended(&shop, &change).await?;
    ensure!(change.propagation.is_empty(), "our own warehouse is nobody outside: {change:?}");
    Ok(())
}

async fn o2_each_integration_has_its_own_requirements(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let mut own = profile("my_printer", &[(PartnerMethod::Phone, 0, 3_600)]);
    own.needs_reason = true;
    own.reason_map = [("OTHER".to_owned(), "x1".to_owned())].into();
    shop.put_profile(own.clone()).await?;

    let kept = shop.integration("my_printer").await?;
    ensure!(kept.needs_reason && !kept.seeded && kept.methods[0].deadline_seconds == 3_600, "{kept:?}");
    let broken = shop.put_profile(Integration { methods: Vec::new(), ..own.clone() }).await;
    refused(broken, Code::InvalidArgument, "FIELD_REQUIRED")?;
    let nonsense = Integration {
        connector: Some(proto::inventory::v1::Connector {
            url: "http://127.0.0.1/{{ number".to_owned(),
            ..Default::default()
        }),
        ..own
    };
    refused(shop.put_profile(nonsense).await, Code::InvalidArgument, "FIELD_INVALID")?;
    Ok(())
}

async fn o7_partner_without_a_program_is_a_task_for_a_person(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    shop.partner("default_unknown").await?;
    let (order, _) = shop.at_partner("").await?;

    let change = begin(&shop, &order.order_id, "OTHER").await?;
    let task = shop.task(&order.order_id, |task| task.needs_person).await?;

    ensure!(task.method() == PartnerMethod::ManualPortal, "{task:?}");
    leg(&shop, &order.order_id, PropagationState::Manual).await?;
    ensure!(shop.change(&change.change_order_id).await?.finished_at.is_empty(), "no word, no end");
    shop.respond(&task.task_id, PartnerWord::Accepted).await?;
    ensure!(ended(&shop, &change).await?.state() == ChangeOrderState::Completed, "the word ends it");
    let again = shop.respond(&task.task_id, PartnerWord::Rejected).await;
    refused(again, Code::FailedPrecondition, "ALREADY_DECIDED")?;
    Ok(())
}

async fn o9_button_is_there_only_after_submission(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let program = FakePartner::start(Behaviour::Accepts).await?;
    shop.connect_partner("hp_site_flow", &program).await?;
    let has_button = async |order_id: &str| -> Result<bool> {
        let actions = shop.cancelability(order_id).await?.allowed_actions;
        Ok(actions.iter().any(|action| action == "StopPartnerByApi"))
    };
    let (order, fulfillment_id) = shop.allocated_at_partner().await?;
    ensure!(!has_button(&order.order_id).await?, "the partner has nothing yet");

    shop.hand_over(&fulfillment_id, "").await?;

    eventually("the button appears", async || Ok(has_button(&order.order_id).await?.then_some(()))).await?;
    shop.partner("oia_global").await?;
    let (by_mail, _) = shop.at_partner("").await?;
    ensure!(!has_button(&by_mail.order_id).await?, "this partner has no button");
    Ok(())
}

async fn o10_button_is_meant_for_the_first_seconds(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let program = FakePartner::start(Behaviour::Accepts).await?;
    let generic = shop.integration("generic_button").await?;
    ensure!(generic.methods[0].window_seconds == 30, "{generic:?}");
    let mut brief = profile("brief", &[(PartnerMethod::Api, 1, 0), (PartnerMethod::ManualPortal, 0, 0)]);
    brief.connector = Some(connector(&program));
    shop.put_profile(brief).await?;
    shop.partner("brief").await?;
    let (order, _) = shop.at_partner("").await?;
    ensure!(!order.partner_handovers[0].window_closes_at.is_empty(), "{order:?}");

    eventually("the button goes away", async || {
        let actions = shop.cancelability(&order.order_id).await?.allowed_actions;
        Ok((!actions.iter().any(|action| action == "StopPartnerByApi")).then_some(()))
    })
    .await?;
    let change = begin(&shop, &order.order_id, "OTHER").await?;
    let task = shop.task(&order.order_id, |task| task.method() == PartnerMethod::ManualPortal).await?;

    ensure!(program.asked().is_empty(), "too late for the button");
    shop.respond(&task.task_id, PartnerWord::Accepted).await?;
    ensure!(ended(&shop, &change).await?.state() == ChangeOrderState::Completed, "a person asked");
    Ok(())
}

async fn o11_stop_that_was_taken_is_followed_up_until_the_word(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let program = FakePartner::start(Behaviour::Accepts).await?;
    shop.connect_partner("generic_button", &program).await?;
    let (order, _) = shop.at_partner("").await?;

    let change = begin(&shop, &order.order_id, "OTHER").await?;
    let task = shop.task(&order.order_id, |task| task.sent).await?;

    ensure!(task.needs_person && task.state() == PartnerTaskState::Requested, "{task:?}");
    leg(&shop, &order.order_id, PropagationState::Sent).await?;
    ensure!(!shop.change(&change.change_order_id).await?.external_confirmed, "taken is not confirmed");
    shop.respond(&task.task_id, PartnerWord::Rejected).await?;
    let change = ended(&shop, &change).await?;
    ensure!(change.state() == ChangeOrderState::Rejected, "its word counts, not its program: {change:?}");
    Ok(())
}

async fn o12_silence_is_shown_and_never_called_cancelled(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    shop.put_profile(profile("silent", &[(PartnerMethod::Phone, 0, 1)])).await?;
    shop.partner("silent").await?;
    let (order, _) = shop.at_partner("").await?;

    let change = begin(&shop, &order.order_id, "OTHER").await?;
    let change = ended(&shop, &change).await?;

    ensure!(change.state() == ChangeOrderState::CompletedWithExceptions, "{change:?}");
    ensure!(change.exceptions[0].reason == "PARTNER_UNCONFIRMED", "{change:?}");
    leg(&shop, &order.order_id, PropagationState::Unconfirmed).await?;
    ensure!(!shop.change(&change.change_order_id).await?.external_confirmed, "its part is not cancelled");
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Cancelled, "ours is");
    let task = shop.task(&order.order_id, |task| task.needs_person).await?;
    let item = shop.attention(&order.order_id).await?.pop().context("nobody is asked to look")?;
    ensure!(item.subject_id == task.task_id && item.allowed_actions == ["ResolvePartnerTask"], "{item:?}");
    shop.respond(&task.task_id, PartnerWord::Accepted).await?;
    leg(&shop, &order.order_id, PropagationState::Acked).await?;
    let closed = async || Ok(shop.attention(&order.order_id).await?.is_empty().then_some(()));
    eventually("its word closes the item", closed).await
}

async fn o23_number_a_partner_has_seen_is_burned(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let program = FakePartner::start(Behaviour::Accepts).await?;
    shop.connect_partner("bay_photo", &program).await?;
    let (order, _) = shop.at_partner("PO-77").await?;
    let change = begin(&shop, &order.order_id, "OTHER").await?;
    ended(&shop, &change).await?;

    let (_, fulfillment_id) = shop.allocated_at_partner().await?;
    let burned = shop.hand_over(&fulfillment_id, "PO-77").await;

    refused(burned, Code::AlreadyExists, "EXTERNAL_NUMBER_BURNED")?;
    let taken = shop.hand_over(&fulfillment_id, "PO-78").await?;
    ensure!(taken.external_number == "PO-78", "{taken:?}");
    Ok(())
}

async fn o24_capabilities_are_listed_for_programs(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let listed = shop.clients.integrations().list_integrations(ListIntegrationsRequest::default()).await?;
    let listed = listed.into_inner().integrations;
    ensure!(listed.len() >= 12, "{listed:?}");
    ensure!(listed.iter().all(|profile| !profile.methods.is_empty()), "each says how it is reached");
    ensure!(listed.iter().any(|profile| profile.key == "generic_cart" && profile.rule_required), "a cart");
    let request = ListIntegrationsRequest { key: "nobody".to_owned() };
    let unknown = shop.clients.integrations().list_integrations(request).await;
    refused(unknown, Code::NotFound, "RESOURCE_NOT_FOUND")?;

    shop.partner("generic_button").await?;
    let (order, _) = shop.at_partner("").await?;
    let shown = shop.cancelability(&order.order_id).await?.partner_handovers;
    ensure!(shown.len() == 1 && shown[0].confirmation_required, "{shown:?}");
    Ok(())
}

async fn partner_that_lies_is_written_down_and_shown(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let program = FakePartner::start(Behaviour::Accepts).await?;
    shop.connect_partner("bay_photo", &program).await?;
    let (order, fulfillment) = shop.at_partner("").await?;
    let change = begin(&shop, &order.order_id, "OTHER").await?;
    ended(&shop, &change).await?;

    let request = ReportPartnerShipmentRequest {
        request_id: shop.request_id(),
        fulfillment_id: fulfillment.fulfillment_id,
        tracking_number: "T-1".to_owned(),
        ..ReportPartnerShipmentRequest::default()
    };
    let reported = shop.clients.integrations().report_partner_shipment(request).await?.into_inner();

    ensure!((reported.shipped, reported.shipped_after_cancel) == (0, 2), "{reported:?}");
    ensure!(shop.integration("bay_photo").await?.shipped_after_cancel == 1, "it is counted");
    eventually("the order asks for attention", async || {
        let order = shop.order(&order.order_id).await?;
        let lied = order.propagation.iter().any(|leg| leg.shipped_after_cancel);
        Ok((lied && order.attention_open).then_some(()))
    })
    .await
}

async fn partner_that_delays_is_asked_again_with_the_same_key(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let program = FakePartner::start(Behaviour::Delays(1)).await?;
    shop.connect_partner("bay_photo", &program).await?;
    let (order, _) = shop.at_partner("").await?;

    let change = begin(&shop, &order.order_id, "OTHER").await?;
    let change = ended(&shop, &change).await?;

    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    let keys: Vec<String> = program
        .asked()
        .iter()
        .filter_map(|request| {
            request.lines().find(|line| line.starts_with("idempotency-key")).map(str::to_owned)
        })
        .collect();
    ensure!(keys.len() == 2 && keys[0] == keys[1], "{keys:?}");
    Ok(())
}

//! Rows O1, O5, O6, O7 and O8 on the side of the cart that sold the order, and of the partner that is reached by mail.

use anyhow::{Context, Result, ensure};
use proto::common::v1::ExternalReference;
use proto::inventory::v1::{Integration, PartnerMethod, PartnerWord};
use proto::notification::v1::{Delivery, ListDeliveriesRequest};
use proto::order::v1::rule_action::{Action, PropagateTo, SubmitCancel};
use proto::order::v1::{
    AcknowledgeAttentionRequest, ApproveChangeOrderRequest, ChangeOrderState, CreateOrderRequest, Folder,
    ListAttentionItemsRequest, ListRuleRunsRequest, MoveOrderRequest, Order, OrderState, Parties,
    PreviewChangeOrderRequest, PropagationForecast, PropagationState, PropagationTarget,
    RequestWithdrawalRequest, Rule, RuleAction, RuleOutcome, RuleRun, RuleTrigger, UpsertFolderRequest,
    UpsertRuleRequest,
};
use tests::outside::{PARTNER, connector, profile};
use tests::partner::Behaviour;
use tests::shop::{card, refused};
use tests::{FakePartner, Shop, eventually};
use tonic::{Code, Status};

use super::order_desk::{begin, ended, leg, shop};
use crate::scenarios::restore::restore;
use crate::scenarios::scenarios;
use crate::{Scenario, Stage};

pub const ALL: &[(&str, Scenario)] = scenarios![
    o1_cart_and_partner_have_each_their_own_state,
    o5_cart_is_not_told_by_a_move,
    o6_a_rule_tells_the_cart_once,
    o7_partner_by_mail_is_written_to_and_its_word_awaited,
    o8_cart_that_needs_a_rule_is_told_by_none_without_one,
    partner_without_a_word_is_remembered_once,
];

/// The seeded cart: told of a cancellation where a rule says so.
const CART: &str = "generic_cart";

/// The cart, with a program that stands for it.
async fn connect_cart(shop: &Shop, program: &FakePartner) -> Result<()> {
    let seeded = shop.integration(CART).await?;
    Ok(shop.put_profile(Integration { connector: Some(connector(program)), ..seeded }).await?)
}

/// As [`connect_cart`], for one that is told without a rule.
async fn connect_open_cart(shop: &Shop, program: &FakePartner) -> Result<()> {
    connect_cart(shop, program).await?;
    let open = Integration { rule_required: false, ..shop.integration(CART).await? };
    Ok(shop.put_profile(open).await?)
}

/// The same order request, brought in from the cart.
fn sold_by_cart(shop: &Shop, request: CreateOrderRequest) -> CreateOrderRequest {
    let name = ExternalReference { system: CART.to_owned(), reference: shop.sku("WEB-1001") };
    CreateOrderRequest { external_references: vec![name], ..request }
}

async fn sold(shop: &Shop) -> Result<Order> {
    shop.receive(&shop.sku("LAMP"), 2).await?;
    Ok(shop.create(sold_by_cart(shop, shop.order_request(&shop.sku("LAMP"), 2, "10.00", 2_000))).await?)
}

/// The cart's part, as the order shows it.
fn upstream(targets: &[PropagationTarget]) -> Result<PropagationTarget> {
    let found: Vec<&PropagationTarget> = targets.iter().filter(|target| target.upstream).collect();
    ensure!(found.len() == 1, "one cart sold it: {targets:?}");
    Ok(found[0].clone())
}

async fn cart_is(shop: &Shop, order_id: &str, state: PropagationState) -> Result<PropagationTarget> {
    eventually("the order shows the cart's state", async || {
        let target = upstream(&shop.order(order_id).await?.propagation)?;
        Ok((target.state() == state).then_some(target))
    })
    .await
}

async fn forecast(shop: &Shop, order_id: &str, lines: &[(i64, i64)]) -> Result<PropagationForecast> {
    let request = PreviewChangeOrderRequest { change: shop.cancel_request(order_id, lines).change };
    let shown = shop.clients.changes().preview_change_order(request).await?.into_inner();
    ensure!(!shown.propagation_unavailable, "the inventory answers");
    shown.propagation.into_iter().find(|target| target.upstream).context("the cart is not foreseen")
}

async fn rule(shop: &Shop, name: &str, trigger: RuleTrigger, actions: Vec<Action>) -> Result<Rule, Status> {
    let rule = Rule {
        name: shop.sku(name),
        trigger: trigger.into(),
        actions: actions.into_iter().map(|action| RuleAction { action: Some(action) }).collect(),
        enabled: true,
        ..Rule::default()
    };
    let request = UpsertRuleRequest { request_id: shop.request_id(), rule: Some(rule) };
    let stored = shop.clients.rules().upsert_rule(request).await?.into_inner().rule;
    stored.ok_or_else(|| Status::internal("the answer holds no rule"))
}

fn tell_cart() -> Action {
    Action::PropagateTo(PropagateTo { target: CART.to_owned() })
}

async fn runs(shop: &Shop, rule: &Rule, count: usize) -> Result<Vec<RuleRun>> {
    eventually("the rule has run", async || {
        let request = ListRuleRunsRequest { rule_id: rule.rule_id.clone(), ..Default::default() };
        let runs = shop.clients.rules().list_rule_runs(request).await?.into_inner().runs;
        Ok((runs.len() >= count).then_some(runs))
    })
    .await
}

async fn filed(shop: &Shop, order_id: &str, name: &str) -> Result<()> {
    let folder = Folder { name: shop.sku(name), ..Folder::default() };
    let request = UpsertFolderRequest { request_id: shop.request_id(), folder: Some(folder) };
    let made = shop.clients.folders().upsert_folder(request).await?.into_inner().folder.unwrap_or_default();
    let request = MoveOrderRequest {
        request_id: shop.request_id(),
        order_id: order_id.to_owned(),
        folder_id: made.folder_id,
    };
    shop.clients.folders().move_order(request).await?;
    Ok(())
}

async fn o1_cart_and_partner_have_each_their_own_state(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let (partner, web) =
        (FakePartner::start(Behaviour::Accepts).await?, FakePartner::start(Behaviour::Rejects).await?);
    shop.connect_partner("bay_photo", &partner).await?;
    connect_open_cart(&shop, &web).await?;
    let mut request = sold_by_cart(&shop, shop.order_request(&shop.sku("KITE"), 2, "10.00", 2_000));
    PARTNER.clone_into(&mut request.lines[0].warehouse_id);
    let order = shop.create(request).await?;
    let fulfillment_id = shop.allocate_at_partner(&order.order_id).await?;
    shop.hand_over(&fulfillment_id, "").await?;
    ensure!(upstream(&order.propagation)?.state() == PropagationState::NotSent, "{order:?}");

    let change = begin(&shop, &order.order_id, "OTHER").await?;
    let change = ended(&shop, &change).await?;

    ensure!(change.r#type() == proto::order::v1::ChangeOrderType::CancelOrder, "{change:?}");
    leg(&shop, &order.order_id, PropagationState::Acked).await?;
    let target = cart_is(&shop, &order.order_id, PropagationState::Rejected).await?;
    ensure!(target.external_number == shop.sku("WEB-1001"), "{target:?}");
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Cancelled, "a cart has no say in it");
    let shown = shop.change(&change.change_order_id).await?.propagation;
    ensure!(upstream(&shown)?.state() == PropagationState::Rejected && shown.len() == 2, "{shown:?}");
    ensure!(web.asked().len() == 1 && web.asked()[0].contains(&shop.sku("WEB-1001")), "asked once");
    let open = ListAttentionItemsRequest::default();
    let open = shop.clients.operations().list_attention_items(open).await?.into_inner().items;
    ensure!(open.iter().any(|item| item.order_id == order.order_id), "somebody is told of the cart's no");
    Ok(())
}

async fn o5_cart_is_not_told_by_a_move(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let web = FakePartner::start(Behaviour::Accepts).await?;
    connect_open_cart(&shop, &web).await?;
    let order = sold(&shop).await?;
    // A rule that moves is no rule that tells.
    let actions = vec![Action::PropagateTo(PropagateTo { target: CART.to_owned() })];
    let telling = rule(&shop, "tell the cart", RuleTrigger::OrderFolderChanged, actions).await?;

    filed(&shop, &order.order_id, "Cancelled").await?;

    let run = runs(&shop, &telling, 1).await?.remove(0);
    ensure!(run.outcome() == RuleOutcome::Refused, "nothing is cancelled, so nobody is told so: {run:?}");
    let after = shop.order(&order.order_id).await?;
    ensure!(after.state() == OrderState::Confirmed, "{after:?}");
    let target = upstream(&after.propagation)?;
    ensure!(target.state() == PropagationState::NotSent && target.task_id.is_empty(), "{target:?}");
    ensure!(web.asked().is_empty(), "{:?}", web.asked());
    Ok(())
}

async fn o6_a_rule_tells_the_cart_once(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let web = FakePartner::start(Behaviour::Accepts).await?;
    connect_cart(&shop, &web).await?;
    let order = sold(&shop).await?;
    let cancel = SubmitCancel { reason_code: "OTHER".to_owned(), note: "filed so".to_owned() };
    let filing = rule(
        &shop,
        "cancel and tell",
        RuleTrigger::OrderFolderChanged,
        vec![Action::SubmitCancel(cancel), tell_cart()],
    )
    .await?;
    let settled = rule(&shop, "tell again", RuleTrigger::ChangeCompleted, vec![tell_cart()]).await?;
    let nowhere = Action::PropagateTo(PropagateTo { target: String::new() });
    let empty = rule(&shop, "tell nobody", RuleTrigger::ChangeCompleted, vec![nowhere]).await;
    refused(empty, Code::InvalidArgument, "FIELD_REQUIRED")?;

    filed(&shop, &order.order_id, "Cancelled").await?;

    let run = runs(&shop, &filing, 1).await?.remove(0);
    ensure!(run.outcome() == RuleOutcome::Done && run.resource_ids.len() == 2, "{run:?}");
    let again = runs(&shop, &settled, 1).await?.remove(0);
    ensure!(again.outcome() == RuleOutcome::Done, "{again:?}");
    ensure!(again.resource_ids == run.resource_ids[1..], "the task that is there already: {again:?}");
    let target = cart_is(&shop, &order.order_id, PropagationState::Acked).await?;
    ensure!(target.task_id == again.resource_ids[0], "{target:?}");
    ensure!(web.asked().len() == 1, "{:?}", web.asked());
    Ok(())
}

async fn deliveries(shop: &Shop, order_id: &str) -> Result<Vec<Delivery>> {
    let request = ListDeliveriesRequest { order_id: order_id.to_owned(), ..ListDeliveriesRequest::default() };
    Ok(shop.clients.deliveries().list_deliveries(request).await?.into_inner().deliveries)
}

async fn o7_partner_by_mail_is_written_to_and_its_word_awaited(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    shop.put_profile(profile("printer", &[(PartnerMethod::Email, 0, 0)])).await?;
    shop.partner("printer").await?;
    let (order, _) = shop.at_partner("PO-9").await?;

    let change = begin(&shop, &order.order_id, "OTHER").await?;

    let mail = eventually("the partner is written to", async || {
        let mails = deliveries(&shop, &order.order_id).await?;
        Ok(mails.into_iter().find(|mail| mail.template == "partner.request"))
    })
    .await?;
    ensure!(mail.recipient == "orders@partner.example", "{mail:?}");
    leg(&shop, &order.order_id, PropagationState::Sent).await?;
    ensure!(shop.change(&change.change_order_id).await?.finished_at.is_empty(), "a mail is no word");
    let task = shop.task(&order.order_id, |task| task.sent).await?;
    shop.respond(&task.task_id, PartnerWord::Accepted).await?;
    ended(&shop, &change).await?;
    let written = deliveries(&shop, &order.order_id).await?;
    let count = written.iter().filter(|mail| mail.template == "partner.request").count();
    ensure!(count == 1, "it is written to once: {written:?}");
    let again = shop.respond(&task.task_id, PartnerWord::Rejected).await;
    refused(again, Code::FailedPrecondition, "ALREADY_DECIDED")?;
    Ok(())
}

async fn o8_cart_that_needs_a_rule_is_told_by_none_without_one(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let web = FakePartner::start(Behaviour::Accepts).await?;
    connect_cart(&shop, &web).await?;
    let untold = sold(&shop).await?;
    let foreseen = forecast(&shop, &untold.order_id, &[]).await?;
    ensure!(!foreseen.told && foreseen.message == "will not be told: no rule", "{foreseen:?}");
    let shown = shop.cancelability(&untold.order_id).await?.propagation;
    ensure!(shown.len() == 1 && shown[0].why_not == "NO_RULE", "{shown:?}");

    let change = begin(&shop, &untold.order_id, "OTHER").await?;
    ended(&shop, &change).await?;

    let target = upstream(&shop.change(&change.change_order_id).await?.propagation)?;
    ensure!(target.state() == PropagationState::NotSent, "{target:?}");
    ensure!(web.asked().is_empty(), "without a rule nobody tells it: {:?}", web.asked());

    rule(&shop, "tell the cart", RuleTrigger::ChangeCommitted, vec![tell_cart()]).await?;
    let other = shop.sku("WEB-1002");
    let request = shop.order_request(&shop.sku("LAMP"), 2, "10.00", 2_000);
    let name = ExternalReference { system: CART.to_owned(), reference: other.clone() };
    let told = shop.create(CreateOrderRequest { external_references: vec![name], ..request }).await?;
    let part = forecast(&shop, &told.order_id, &[(1, 1)]).await?;
    ensure!(part.why_not == "UNITS_ARE_LEFT", "a cart hears of cancelled orders only: {part:?}");
    let foreseen = forecast(&shop, &told.order_id, &[]).await?;
    ensure!(foreseen.told && foreseen.by_rule && foreseen.method == "api", "{foreseen:?}");
    let change = begin(&shop, &told.order_id, "OTHER").await?;
    ended(&shop, &change).await?;
    let target = cart_is(&shop, &told.order_id, PropagationState::Acked).await?;
    ensure!(
        target.change_order_id == change.change_order_id && target.external_number == other,
        "{target:?}"
    );
    ensure!(web.asked().len() == 1, "{:?}", web.asked());
    Ok(())
}

async fn partner_without_a_word_is_remembered_once(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    shop.put_profile(profile("silent", &[(PartnerMethod::Phone, 0, 1)])).await?;
    shop.partner("silent").await?;
    let (order, _) = shop.at_partner("").await?;
    let change = begin(&shop, &order.order_id, "OTHER").await?;
    ended(&shop, &change).await?;

    let reminders = eventually("somebody is reminded", async || {
        let open = ListAttentionItemsRequest::default();
        let open = shop.clients.operations().list_attention_items(open).await?.into_inner().items;
        let mine = open.into_iter().filter(|item| item.order_id == order.order_id);
        let found: Vec<String> = mine.filter_map(|item| item.cause.map(|cause| cause.reason)).collect();
        Ok(found.iter().any(|reason| reason == "NO_ANSWER_IN_TIME").then_some(found))
    })
    .await?;
    let count = reminders.iter().filter(|reason| *reason == "NO_ANSWER_IN_TIME").count();
    ensure!(count == 1, "{reminders:?}");
    Ok(())
}

/// An order that another cart's customer withdraws from is cancelled there, too; one that stands again is set right by a
/// person, because a cart takes no word for that.
pub async fn x28_a_cart_hears_of_a_withdrawal_and_somebody_of_a_restoration(stage: &Stage) -> Result<()> {
    let shop = shop(stage).await?;
    let web = FakePartner::start(Behaviour::Accepts).await?;
    connect_open_cart(&shop, &web).await?;
    shop.receive(&shop.sku("LAMP"), 2).await?;
    let mut request = sold_by_cart(&shop, shop.order_request(&shop.sku("LAMP"), 2, "10.00", 2_000));
    let parties = request.parties.unwrap_or_default();
    request.parties = Some(Parties { client_contact: "eve@example.org".to_owned(), ..parties });
    let order = shop.create(request).await?;

    let request = RequestWithdrawalRequest {
        request_id: shop.request_id(),
        order_number: order.number.clone(),
        client_contact: "eve@example.org".to_owned(),
        note: String::new(),
    };
    let received = shop.clients.proposals().request_withdrawal(request).await?.into_inner();
    ensure!(web.asked().is_empty(), "receipt is not acceptance");
    let request = ApproveChangeOrderRequest {
        request_id: shop.request_id(),
        change_order_id: received.change_order_id,
        ..ApproveChangeOrderRequest::default()
    };
    shop.clients.proposals().approve_change_order(request).await?;
    cart_is(&shop, &order.order_id, PropagationState::Acked).await?;
    ensure!(web.asked().len() == 1, "{:?}", web.asked());

    let back = restore(&shop, &order.order_id, vec![card("tok_approve", 2_000, true)]).await?;
    ensure!(back.state() == ChangeOrderState::Completed, "{back:?}");
    let raised = async || {
        let items = shop.attention(&order.order_id).await?;
        Ok(items.into_iter().find(|item| item.subject_type == "cart"))
    };
    let item = eventually("somebody is asked to set the cart right", raised).await?;
    let acknowledge = AcknowledgeAttentionRequest {
        request_id: shop.request_id(),
        attention_id: item.attention_id,
        note: "set right by hand".to_owned(),
    };
    shop.clients.operations().acknowledge_attention(acknowledge).await?;
    ensure!(!shop.order(&order.order_id).await?.attention_open);
    Ok(())
}

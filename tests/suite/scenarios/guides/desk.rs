//! Rows about what people keep beside orders: I10, O3 to O6, B13, D7.

use anyhow::{Context, Result, ensure};
use proto::order::v1::rule_action::{Action, MoveToFolder, SubmitCancel};
use proto::order::v1::{
    AddNoteRequest, CreateOrderRequest, DeleteFolderRequest, Folder, GetChangeOrderRequest, GetOrderRequest,
    GetTimelineRequest, ListChangeOrdersRequest, ListFoldersRequest, ListNotesRequest, ListRuleRunsRequest,
    MoveOrderRequest, Note, Order, OrderState, Parties, Rule, RuleAction, RuleOutcome, RuleTrigger,
    TimelineEntry, TimelineVisibility, UpsertFolderRequest, UpsertRuleRequest,
};
use tests::clients::{Caller, Clients};
use tests::shop::refused;
use tests::{Shop, eventually};
use tonic::{Code, Status};

use crate::scenarios::scenarios;
use crate::{Scenario, Stage};

pub const ALL: &[(&str, Scenario)] = scenarios![
    i10_all_parties_see_it_and_nobody_else,
    o3_moving_to_the_folder_of_cancelled_ones_triggers_nothing,
    o4_folders_are_made_renamed_and_deleted_by_users,
    o5_a_move_tells_nobody_that_the_order_is_cancelled,
    o6_a_rule_cancels_what_is_moved_to_a_folder_once,
    b13_a_message_reaches_the_supplier_and_is_a_proof,
    d7_who_when_and_what_comment_are_kept,
];

fn party(organisation: &str, role: &str) -> Caller {
    Caller { organisation: organisation.to_owned(), role: role.to_owned(), ..Caller::default() }
}

/// An order between a buyer and a supplier of this shop alone.
async fn between(shop: &Shop) -> Result<Order> {
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    let parties = Parties { buyer: shop.sku("ACME"), supplier: shop.sku("MILL"), ..Parties::default() };
    let request = shop.order_request(&sku, 1, "10.00", 1_000);
    Ok(shop
        .create(CreateOrderRequest { parties: Some(parties), customer_id: shop.sku("CAROL"), ..request })
        .await?)
}

async fn timeline(clients: &Clients, order_id: &str) -> Result<Vec<TimelineEntry>> {
    let request =
        GetTimelineRequest { order_id: order_id.to_owned(), page_size: 200, page_token: String::new() };
    Ok(clients.orders().get_timeline(request).await?.into_inner().entries)
}

async fn folder(shop: &Shop, name: &str) -> Result<Folder> {
    let folder = Folder { name: shop.sku(name), ..Folder::default() };
    let request = UpsertFolderRequest { request_id: shop.request_id(), folder: Some(folder) };
    let answer = shop.clients.folders().upsert_folder(request).await?.into_inner();
    answer.folder.context("the answer holds no folder")
}

async fn move_to(shop: &Shop, order_id: &str, folder_id: &str) -> Result<(), Status> {
    let request = MoveOrderRequest {
        request_id: shop.request_id(),
        order_id: order_id.to_owned(),
        folder_id: folder_id.to_owned(),
    };
    shop.clients.folders().move_order(request).await.map(|_| ())
}

async fn write(clients: &Clients, shop: &Shop, order_id: &str, text: &str) -> Result<Note, Status> {
    let request = AddNoteRequest {
        request_id: shop.request_id(),
        order_id: order_id.to_owned(),
        visibility: TimelineVisibility::Parties.into(),
        text: text.to_owned(),
        change_order_id: String::new(),
    };
    let answer = clients.conversation().add_note(request).await?.into_inner();
    answer.note.ok_or_else(|| Status::internal("the answer holds no note"))
}

async fn changes(shop: &Shop, order_id: &str) -> Result<usize> {
    let request = ListChangeOrdersRequest { order_id: order_id.to_owned(), ..Default::default() };
    Ok(shop.clients.changes().list_change_orders(request).await?.into_inner().change_orders.len())
}

pub async fn i10_all_parties_see_it_and_nobody_else(stage: &Stage) -> Result<()> {
    let clients = stage.suite().await?.clients();
    let shop = Shop::open(clients.clone()).await?;
    let order = between(&shop).await?;
    let change = shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    let client = Caller { user: shop.sku("CAROL"), ..party("", "client") };
    let parties = [party(&shop.sku("ACME"), "buyer"), party(&shop.sku("MILL"), "supplier"), client];
    for caller in parties {
        let seen = timeline(&clients.acting_as(caller.clone()), &order.order_id).await?;
        ensure!(seen.iter().any(|entry| entry.event == "change_order.accepted"), "{caller:?} {seen:?}");
        ensure!(
            seen.iter().all(|entry| entry.visibility() != TimelineVisibility::Internal),
            "{caller:?} sees what is our own"
        );
    }
    for stranger in [party(&shop.sku("ELSE"), "buyer"), party(&shop.sku("ACME"), "supplier")] {
        let theirs = clients.acting_as(stranger);
        let request = GetTimelineRequest { order_id: order.order_id.clone(), ..Default::default() };
        refused(theirs.orders().get_timeline(request).await, Code::NotFound, "RESOURCE_NOT_FOUND")?;
        let by_id = GetOrderRequest { order_id: order.order_id.clone(), ..Default::default() };
        refused(theirs.orders().get_order(by_id).await, Code::NotFound, "RESOURCE_NOT_FOUND")?;
        let of_order = GetChangeOrderRequest { change_order_id: change.change_order_id.clone() };
        refused(theirs.changes().get_change_order(of_order).await, Code::NotFound, "RESOURCE_NOT_FOUND")?;
        let listed = ListChangeOrdersRequest { order_id: order.order_id.clone(), ..Default::default() };
        let listed = theirs.changes().list_change_orders(listed).await?.into_inner().change_orders;
        ensure!(listed.is_empty(), "{listed:?}");
    }
    let all = timeline(&clients, &order.order_id).await?;
    ensure!(all.iter().any(|entry| entry.visibility() == TimelineVisibility::Internal), "we see all");
    Ok(())
}

pub async fn o3_moving_to_the_folder_of_cancelled_ones_triggers_nothing(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let cancelled = folder(&shop, "Cancelled").await?;

    move_to(&shop, &order.order_id, &cancelled.folder_id).await?;

    let after = shop.order(&order.order_id).await?;
    ensure!(after.state() == OrderState::Confirmed && after.version == order.version, "{after:?}");
    ensure!(changes(&shop, &order.order_id).await? == 0, "no change was made");
    ensure!(shop.refunds(&order.order_id).await?.is_empty(), "no money moved");
    let nowhere = move_to(&shop, &order.order_id, "fld_01h455vb4pex5vsknk084sn02q").await;
    refused(nowhere, Code::NotFound, "RESOURCE_NOT_FOUND")?;
    Ok(())
}

pub async fn o4_folders_are_made_renamed_and_deleted_by_users(stage: &Stage) -> Result<()> {
    let clients = stage.suite().await?.clients();
    let shop = Shop::open(clients.clone()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let made = folder(&shop, "Late").await?;
    move_to(&shop, &order.order_id, &made.folder_id).await?;
    let renamed = Folder { name: shop.sku("Very late"), ..made.clone() };
    let rename = UpsertFolderRequest { request_id: shop.request_id(), folder: Some(renamed) };
    clients.folders().upsert_folder(rename).await?;
    let find = async || -> Result<Option<Folder>> {
        let folders = clients.folders().list_folders(ListFoldersRequest {}).await?.into_inner().folders;
        Ok(folders.into_iter().find(|folder| folder.folder_id == made.folder_id))
    };
    let kept = find().await?.context("the folder is not listed")?;
    ensure!(kept.name == shop.sku("Very late") && kept.order_count == 1, "{kept:?}");

    let delete = DeleteFolderRequest { request_id: shop.request_id(), folder_id: made.folder_id.clone() };
    clients.folders().delete_folder(delete).await?;

    ensure!(find().await?.is_none(), "it is gone");
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Confirmed, "its order is not");
    folder(&shop, "Once").await?;
    let twin = Folder { name: shop.sku("Once"), ..Folder::default() };
    let twin = UpsertFolderRequest { request_id: shop.request_id(), folder: Some(twin) };
    refused(clients.folders().upsert_folder(twin).await, Code::AlreadyExists, "EXTERNAL_REFERENCE_TAKEN")?;
    let buyer = clients.acting_as(party("acme", "buyer")).folders().list_folders(ListFoldersRequest {}).await;
    refused(buyer, Code::PermissionDenied, "PERMISSION_DENIED")?;
    Ok(())
}

pub async fn o5_a_move_tells_nobody_that_the_order_is_cancelled(stage: &Stage) -> Result<()> {
    let clients = stage.suite().await?.clients();
    let shop = Shop::open(clients.clone()).await?;
    let order = between(&shop).await?;
    let cancelled = folder(&shop, "Cancelled").await?;

    move_to(&shop, &order.order_id, &cancelled.folder_id).await?;
    move_to(&shop, &order.order_id, "").await?;

    let buyer = clients.acting_as(party(&shop.sku("ACME"), "buyer"));
    let seen = timeline(&buyer, &order.order_id).await?;
    ensure!(seen.iter().all(|entry| !entry.event.starts_with("order.folder")), "{seen:?}");
    let all = timeline(&clients, &order.order_id).await?;
    ensure!(all.iter().filter(|entry| entry.event == "order.folder_changed").count() == 2, "{all:?}");
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Confirmed, "it stands");
    let request = MoveOrderRequest {
        request_id: shop.request_id(),
        order_id: order.order_id,
        folder_id: String::new(),
    };
    refused(buyer.folders().move_order(request).await, Code::PermissionDenied, "PERMISSION_DENIED")?;
    Ok(())
}

pub async fn o6_a_rule_cancels_what_is_moved_to_a_folder_once(stage: &Stage) -> Result<()> {
    let clients = stage.suite().await?.clients();
    let shop = Shop::open(clients.clone()).await?;
    let (order, other) =
        (shop.placed(&shop.sku("LAMP"), 1).await?, shop.placed(&shop.sku("CABLE"), 1).await?);
    let (cancelled, done) = (folder(&shop, "Cancelled").await?, folder(&shop, "Done").await?);
    let cancel = SubmitCancel { reason_code: "CUSTOMER_REQUEST".to_owned(), note: "filed so".to_owned() };
    let then = MoveToFolder { folder_id: done.folder_id.clone() };
    let rule = Rule {
        name: shop.sku("cancel what is filed so"),
        trigger: RuleTrigger::OrderFolderChanged.into(),
        condition: format!("event.folder == '{}'", cancelled.name),
        actions: vec![
            RuleAction { action: Some(Action::SubmitCancel(cancel)) },
            RuleAction { action: Some(Action::MoveToFolder(then)) },
        ],
        enabled: true,
        ..Rule::default()
    };
    let upsert = |rule: Rule| UpsertRuleRequest { request_id: shop.request_id(), rule: Some(rule) };
    let broken = Rule { condition: "order.colour == 'red'".to_owned(), ..rule.clone() };
    let mistake =
        refused(clients.rules().upsert_rule(upsert(broken)).await, Code::InvalidArgument, "FIELD_INVALID")?;
    ensure!(mistake.message().contains("line 1, column 6"), "{}", mistake.message());
    let stored = clients.rules().upsert_rule(upsert(rule)).await?.into_inner().rule.unwrap_or_default();

    move_to(&shop, &other.order_id, &done.folder_id).await?;
    move_to(&shop, &order.order_id, &cancelled.folder_id).await?;

    eventually("the rule cancels the order", async || {
        let order = shop.order(&order.order_id).await?;
        Ok((order.state() == OrderState::Cancelled).then_some(()))
    })
    .await?;
    let runs = eventually("the run is recorded", async || {
        let request = ListRuleRunsRequest { rule_id: stored.rule_id.clone(), ..Default::default() };
        let runs = clients.rules().list_rule_runs(request).await?.into_inner().runs;
        Ok((!runs.is_empty()).then_some(runs))
    })
    .await?;
    ensure!(runs.len() == 1 && runs[0].outcome() == RuleOutcome::Done, "{runs:?}");
    ensure!(changes(&shop, &order.order_id).await? == 1, "exactly one change");
    ensure!(shop.order(&other.order_id).await?.state() == OrderState::Confirmed, "the other stands");
    Ok(())
}

pub async fn b13_a_message_reaches_the_supplier_and_is_a_proof(stage: &Stage) -> Result<()> {
    let clients = stage.suite().await?.clients();
    let shop = Shop::open(clients.clone()).await?;
    let order = between(&shop).await?;
    let buyer = clients.acting_as(party(&shop.sku("ACME"), "buyer"));
    let supplier = clients.acting_as(party(&shop.sku("MILL"), "supplier"));

    let note = write(&buyer, &shop, &order.order_id, "can you still stop it?").await?;

    ensure!(note.message_id.starts_with("msg_"), "{note:?}");
    let read = ListNotesRequest { order_id: order.order_id.clone(), ..Default::default() };
    let notes = supplier.conversation().list_notes(read).await?.into_inner().notes;
    ensure!(notes.len() == 1 && notes[0].text == "can you still stop it?", "{notes:?}");
    let seen = timeline(&supplier, &order.order_id).await?;
    ensure!(seen.iter().any(|entry| entry.event == "note.added" && entry.note == note.text), "{seen:?}");
    let stranger = clients.acting_as(party(&shop.sku("ELSE"), "buyer"));
    let outside = write(&stranger, &shop, &order.order_id, "hello").await;
    refused(outside, Code::NotFound, "RESOURCE_NOT_FOUND")?;
    Ok(())
}

pub async fn d7_who_when_and_what_comment_are_kept(stage: &Stage) -> Result<()> {
    let clients = stage.suite().await?.clients();
    let shop = Shop::open(clients.clone()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let clerk = clients.acting_as(Caller { user: "nora".to_owned(), ..Caller::default() });
    let mut request = shop.cancel_request(&order.order_id, &[]);
    "the box was wet".clone_into(&mut request.change.get_or_insert_default().note);

    clerk.changes().submit_change_order(request).await?;

    let entries = timeline(&clients, &order.order_id).await?;
    let accepted = entries.iter().find(|entry| entry.event == "change_order.accepted");
    let accepted = accepted.context("the timeline does not tell of it")?;
    ensure!(accepted.actor.clone().unwrap_or_default().user == "nora", "{accepted:?}");
    ensure!(accepted.note == "the box was wet" && accepted.at.ends_with('Z'), "{accepted:?}");
    let empty = write(&clients, &shop, &order.order_id, "").await;
    refused(empty, Code::InvalidArgument, "FIELD_REQUIRED")?;
    Ok(())
}

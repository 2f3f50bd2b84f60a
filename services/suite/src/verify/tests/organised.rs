//! What the story does not do: a batch, a rule that acts, a folder, a message; and what is spoiled of their books.

use std::time::Duration;

use proto::common::v1::Wait;
use proto::inventory::v1::{AdjustStockRequest, StockAdjustment};
use proto::order::v1::rule_action::{Action, WriteNote};
use proto::order::v1::{
    AddNoteRequest, BatchState, CreateBatchRequest, CreateOrderRequest, Folder, GetBatchRequest, LineInput,
    ListRuleRunsRequest, MoveOrderRequest, Rule, RuleAction, RuleTrigger, TenderInput, TimelineVisibility,
    UpsertFolderRequest, UpsertRuleRequest,
};

use super::{Change, Corruption, at, plus_one};
use crate::clients::Clients;
use crate::clients::Service::{Notification, Order};

const SKU: &str = "SPARE";

/// A decision that a change came of.
const DECIDED: (&str, &str) = ("rule", "confirmed-contact-first");

pub const CORRUPTIONS: &[Corruption] = &[
    plus_one(Order, "batch_item", "amount_minor", "I18"),
    plus_one(Order, "batch_item", "units", "I18"),
    plus_one(Order, "batch", "items", "I18"),
    at(Order, "batch_item", ("state", "cancelled"), "state", Change::Text("waiting"), "I18"),
    at(Order, "batch_item", ("state", "cancelled"), "order_id", Change::Text("ord_0"), "I18"),
    at(Order, "batch_item", ("state", "cancelled"), "change_order_id", Change::Text("chg_0"), "I18"),
    at(Order, "batch_item", ("", ""), "", Change::Gone, "I18"),
    at(Order, "batch_item", ("", ""), "", Change::Twice, "I18"),
    at(Order, "change_order", ("channel", "api"), "channel", Change::Text("batch"), "I18"),
    at(Order, "rule_run", ("", ""), "", Change::Twice, "I18"),
    at(Order, "rule_run", ("", ""), "event_id", Change::Text("evt_0"), "I18"),
    at(Order, "rule_run", ("outcome", "done"), "outcome", Change::Text("failed"), "I18"),
    at(Order, "rule_run", ("", ""), "change_order_id", Change::Text("chg_0"), "I18"),
    at(Order, "rule", ("", ""), "", Change::Gone, "I18"),
    at(Order, "change_order", ("state", "completed"), "state", Change::Text("requested"), "I16"),
    at(Order, "folder", ("", ""), "", Change::Gone, "I19"),
    at(Order, "order_folder", ("", ""), "folder_id", Change::Text("fld_0"), "I19"),
    at(Order, "message", ("", ""), "order_id", Change::Text("ord_0"), "I19"),
    at(Order, "message", ("", ""), "change_order_id", Change::Text("chg_0"), "I19"),
    at(Order, "event_log", ("", ""), "", Change::Gone, "I20"),
    at(Order, "event_log", ("", ""), "", Change::Twice, "I20"),
    at(Order, "event_log", ("", ""), "event_id", Change::Text("evt_0"), "I20"),
    plus_one(Order, "event_log", "order_seq", "I20"),
    plus_one(Order, "event_log_head", "last_position", "I20"),
    at(Order, "decision", DECIDED, "", Change::Twice, "I24"),
    at(Order, "decision", DECIDED, "rule", Change::Text("another"), "I24"),
    at(Order, "decision", DECIDED, "policy_version", Change::Text("another-1"), "I24"),
    at(Order, "decision", DECIDED, "asked_by_user", Change::Text("somebody"), "I24"),
    at(Order, "decision", DECIDED, "change_order_id", Change::Text(""), "I24"),
    at(
        Notification,
        "webhook_attempt",
        ("", ""),
        "",
        Change::Added(&[("delivery_id", "dlv_0"), ("attempt", "1"), ("status", "200")]),
        "I21",
    ),
];

/// Three orders: one is cancelled by a batch, one is filed and spoken of, one is moved and sets a rule off.
pub async fn organise(clients: &Clients) {
    let adjustment = StockAdjustment { warehouse_id: "main".to_owned(), sku: SKU.to_owned(), delta: 3 };
    let request = AdjustStockRequest { request_id: "spare".to_owned(), adjustments: vec![adjustment] };
    clients.stock().adjust_stock(request).await.unwrap();
    let batch_of = place(clients, "one").await;
    let filed = place(clients, "two").await;
    let moved = place(clients, "three").await;

    let folder = Folder { name: "Late".to_owned(), ..Folder::default() };
    let request = UpsertFolderRequest { request_id: "late".to_owned(), folder: Some(folder) };
    let folder = clients.folders().upsert_folder(request).await.unwrap().into_inner().folder.unwrap();
    file(clients, &filed, &folder.folder_id).await;
    let note = AddNoteRequest {
        request_id: "note".to_owned(),
        order_id: filed,
        text: "it is late".to_owned(),
        ..AddNoteRequest::default()
    };
    clients.conversation().add_note(note).await.unwrap();
    act_on_moves(clients).await;
    file(clients, &moved, &folder.folder_id).await;
    until_the_rule_has_run(clients).await;

    let request = CreateBatchRequest {
        request_id: "batch".to_owned(),
        orders: vec![batch_of],
        reason_code: "CUSTOMER_REQUEST".to_owned(),
        ..CreateBatchRequest::default()
    };
    let batch = clients.batches().create_batch(request).await.unwrap().into_inner().batch.unwrap();
    until_completed(clients, &batch.batch_id).await;
}

async fn place(clients: &Clients, name: &str) -> String {
    let request = CreateOrderRequest {
        request_id: name.to_owned(),
        currency_code: "GBP".to_owned(),
        lines: vec![LineInput {
            sku: SKU.to_owned(),
            quantity: 1,
            unit_price: "2.00".to_owned(),
            ..LineInput::default()
        }],
        tenders: vec![TenderInput {
            gateway: "sandbox".to_owned(),
            payment_token: "tok_approve".to_owned(),
            amount_minor: 200,
            capture_now: true,
        }],
        wait: Wait::Completed.into(),
        ..CreateOrderRequest::default()
    };
    clients.orders().create_order(request).await.unwrap().into_inner().order.unwrap().order_id
}

async fn file(clients: &Clients, order_id: &str, folder_id: &str) {
    let request = MoveOrderRequest {
        request_id: format!("file {order_id}"),
        order_id: order_id.to_owned(),
        folder_id: folder_id.to_owned(),
    };
    clients.folders().move_order(request).await.unwrap();
}

async fn act_on_moves(clients: &Clients) {
    let note = WriteNote { visibility: TimelineVisibility::Internal.into(), text: "moved".to_owned() };
    let rule = Rule {
        name: "say so".to_owned(),
        trigger: RuleTrigger::OrderFolderChanged.into(),
        actions: vec![RuleAction { action: Some(Action::WriteNote(note)) }],
        enabled: true,
        ..Rule::default()
    };
    let request = UpsertRuleRequest { request_id: "rule".to_owned(), rule: Some(rule) };
    clients.rules().upsert_rule(request).await.unwrap();
}

async fn until_the_rule_has_run(clients: &Clients) {
    for _ in 0..200 {
        let runs = clients.rules().list_rule_runs(ListRuleRunsRequest::default()).await.unwrap().into_inner();
        if !runs.runs.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the rule never ran");
}

async fn until_completed(clients: &Clients, batch_id: &str) {
    for _ in 0..200 {
        let request = GetBatchRequest { batch_id: batch_id.to_owned() };
        let batch = clients.batches().get_batch(request).await.unwrap().into_inner().batch.unwrap();
        if batch.state() == BatchState::Completed {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the batch never ended");
}

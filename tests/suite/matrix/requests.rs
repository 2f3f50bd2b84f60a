//! What is asked for: an order between five parties, and one well-formed request of every RPC that is about it.

use anyhow::{Context as _, Result};
use prost::Message;
use proto::order::v1::{
    AcceptReturnLineInput, AcceptReturnRequest, AddNoteRequest, ApproveChangeOrderRequest,
    CloseReturnRequest, ConfirmOrderRequest, DeclineChangeOrderRequest, GetCancelabilityRequest,
    GetChangeOrderRequest, GetOrderRequest, GetReturnRequest, GetTimelineRequest, ListChangeOrdersRequest,
    ListNotesRequest, ListOrdersRequest, ListReturnsRequest, MoveOrderRequest, OpenReturnRequest, OwedPayOut,
    Parties, PayOrderRequest, PayOutRequest, PreviewChangeOrderRequest, PreviewPayOutRequest,
    PreviewProposalRequest, ReceiveReturnRequest, RefundOrderRequest, ReissueOrderRequest, ReissuePrices,
    RejectReturnRequest, RestoreOrderRequest, ReturnLineInput, ShortShipLine, ShortShipRequest,
    StartProcessingRequest, SubmitChangeOrderRequest, TimelineVisibility, WatchChangeOrderRequest,
    WatchTimelineRequest, WithdrawChangeOrderRequest, preview_proposal_request,
};
use tests::Shop;
use tests::clients::Caller;
use tests::shop::card;
use types::{ChangeOrderId, Ids, OrderId, ReturnId};

use super::golden::Relation;
use crate::scenarios::proposals::{fewer, propose};
use crate::scenarios::returns;

/// What all calls are about.
pub struct Subject {
    pub tenant: String,
    order_id: String,
    change_order_id: String,
    /// Of another order between the same.
    return_id: String,
    returned_order_id: String,
}

impl Subject {
    /// User and organisation of somebody who stands so to the orders, and not otherwise.
    pub fn whoever_is(relation: Relation) -> (String, String) {
        let (user, organisation) = match relation {
            Relation::Stranger => ("nobody", "nowhere"),
            Relation::Buyer => ("bea", "bistro"),
            Relation::Supplier => ("sam", "mill"),
            Relation::SourceRouter => ("rob", "router"),
            Relation::Customer => ("carl", "nowhere"),
            Relation::Creator => ("mia", "makers"),
        };
        (user.to_owned(), organisation.to_owned())
    }

    /// As many orders that nobody has placed.
    pub fn made_up(&self, ids: &Ids) -> Self {
        Self {
            tenant: self.tenant.clone(),
            order_id: ids.mint::<OrderId>().to_string(),
            change_order_id: ids.mint::<ChangeOrderId>().to_string(),
            return_id: ids.mint::<ReturnId>().to_string(),
            returned_order_id: ids.mint::<OrderId>().to_string(),
        }
    }

    /// What was said, whichever of the orders it was about.
    pub fn without_ids(&self, said: &str) -> String {
        let ids = [&self.order_id, &self.change_order_id, &self.return_id, &self.returned_order_id];
        ids.into_iter().fold(said.to_owned(), |said, id| said.replace(id.as_str(), "ID"))
    }

    /// Whether a list's answer has one of the orders.
    pub fn is_in(&self, message: &[u8]) -> bool {
        [&self.order_id, &self.returned_order_id]
            .into_iter()
            .any(|id| message.windows(id.len()).any(|window| window == id.as_bytes()))
    }
}

/// Places the orders, as their creator.
pub async fn stand(shop: &Shop) -> Result<Subject> {
    let creator = shop.as_user("mia", "makers", "staff");
    let parties = Parties {
        buyer: "bistro".to_owned(),
        supplier: "mill".to_owned(),
        source_router: "router".to_owned(),
        client_contact: String::new(),
    };
    let place = async |units: i64| {
        let sku = shop.sku("LAMP");
        shop.receive(&sku, units).await?;
        let mut request = shop.order_request(&sku, units, "10.00", 0);
        request.tenders = vec![card("tok_approve", units * 1_000, true)];
        (request.parties, request.customer_id) = (Some(parties.clone()), "carl".to_owned());
        anyhow::Ok(creator.create(request).await?)
    };
    let returned = place(2).await?;
    returns::deliver(shop, &returned.order_id).await?;
    let opened = returns::open(shop, &returned.order_id, 1, 0).await?;
    let order = place(4).await?;
    let supplier = shop.clients.as_user("sam", "mill", "supplier");
    let proposal = propose(&supplier, fewer(shop, &order.order_id, 3)).await.context("proposing")?;
    Ok(Subject {
        tenant: Caller::default().tenant,
        order_id: order.order_id,
        change_order_id: proposal.change_order_id,
        return_id: opened.return_id,
        returned_order_id: returned.order_id,
    })
}

/// A request of an RPC about the order; of any other RPC an empty one.
pub fn body(shop: &Shop, subject: &Subject, method: &str) -> Vec<u8> {
    let request_id = shop.request_id();
    let Subject { order_id, change_order_id, return_id, .. } = subject;
    let (order_id, change_order_id) = (order_id.clone(), change_order_id.clone());
    match method.split_once('/') {
        Some(("OrderService" | "ConversationService" | "FolderService", rpc)) => {
            of_the_order(rpc, request_id, order_id)
        }
        Some(("ChangeOrderService" | "ProposalService", rpc)) => {
            of_the_change(shop, rpc, request_id, order_id, change_order_id)
        }
        Some(("RemedyService", rpc)) => of_its_money(rpc, request_id, order_id),
        Some(("ReturnService", rpc)) => {
            of_the_return(rpc, request_id, subject.returned_order_id.clone(), return_id.clone())
        }
        Some(_) | None => Vec::new(),
    }
}

fn of_the_order(rpc: &str, request_id: String, order_id: String) -> Vec<u8> {
    match rpc {
        "GetOrder" => GetOrderRequest { order_id, ..Default::default() }.encode_to_vec(),
        "GetTimeline" => GetTimelineRequest { order_id, ..Default::default() }.encode_to_vec(),
        "WatchTimeline" => WatchTimelineRequest { order_id, ..Default::default() }.encode_to_vec(),
        "ListOrders" => ListOrdersRequest { page_size: 200, ..Default::default() }.encode_to_vec(),
        "ConfirmOrder" => ConfirmOrderRequest { request_id, order_id }.encode_to_vec(),
        "StartProcessing" => StartProcessingRequest { request_id, order_id }.encode_to_vec(),
        "ListNotes" => ListNotesRequest { order_id, ..Default::default() }.encode_to_vec(),
        "AddNote" => AddNoteRequest {
            request_id,
            order_id,
            visibility: TimelineVisibility::Parties.into(),
            text: "seen".to_owned(),
            change_order_id: String::new(),
        }
        .encode_to_vec(),
        "MoveOrder" => MoveOrderRequest { request_id, order_id, folder_id: String::new() }.encode_to_vec(),
        _ => Vec::new(),
    }
}

fn of_the_change(
    shop: &Shop,
    rpc: &str,
    request_id: String,
    order_id: String,
    change_order_id: String,
) -> Vec<u8> {
    let change = shop.cancel_request(&order_id, &[]).change;
    match rpc {
        "GetCancelability" => GetCancelabilityRequest { order_id }.encode_to_vec(),
        "ListChangeOrders" => ListChangeOrdersRequest { order_id, ..Default::default() }.encode_to_vec(),
        "GetChangeOrder" => GetChangeOrderRequest { change_order_id }.encode_to_vec(),
        "WatchChangeOrder" => {
            WatchChangeOrderRequest { change_order_id, ..WatchChangeOrderRequest::default() }.encode_to_vec()
        }
        "PreviewChangeOrder" => PreviewChangeOrderRequest { change }.encode_to_vec(),
        "SubmitChangeOrder" => {
            SubmitChangeOrderRequest { request_id, change, ..Default::default() }.encode_to_vec()
        }
        "WithdrawChangeOrder" => {
            WithdrawChangeOrderRequest { request_id, change_order_id, note: String::new() }.encode_to_vec()
        }
        "ApproveChangeOrder" => {
            ApproveChangeOrderRequest { request_id, change_order_id, ..Default::default() }.encode_to_vec()
        }
        "DeclineChangeOrder" => {
            DeclineChangeOrderRequest { request_id, change_order_id, note: String::new() }.encode_to_vec()
        }
        "ProposeChangeOrder" => fewer(shop, &order_id, 2).encode_to_vec(),
        "PreviewProposal" => {
            let of = preview_proposal_request::Of::Proposal(fewer(shop, &order_id, 2));
            PreviewProposalRequest { of: Some(of) }.encode_to_vec()
        }
        _ => Vec::new(),
    }
}

fn of_its_money(rpc: &str, request_id: String, order_id: String) -> Vec<u8> {
    let pay_out = Some(OwedPayOut { amount_minor: 1, ..OwedPayOut::default() });
    let reason_code = "CUSTOMER_REQUEST".to_owned();
    match rpc {
        "PayOrder" => {
            let tenders = vec![card("tok_approve", 1, true)];
            PayOrderRequest { request_id, order_id, tenders, ..Default::default() }.encode_to_vec()
        }
        "PayOut" => {
            PayOutRequest { request_id, order_id, pay_out, reason_code, ..Default::default() }.encode_to_vec()
        }
        "PreviewPayOut" => PreviewPayOutRequest { order_id, pay_out }.encode_to_vec(),
        "RefundOrder" => {
            RefundOrderRequest { request_id, order_id, amount_minor: 1, reason_code, ..Default::default() }
                .encode_to_vec()
        }
        "ReissueOrder" => {
            let prices = ReissuePrices::Frozen.into();
            ReissueOrderRequest { request_id, order_id, copy_lines: true, prices, ..Default::default() }
                .encode_to_vec()
        }
        "RestoreOrder" => {
            RestoreOrderRequest { request_id, order_id, reason_code, ..Default::default() }.encode_to_vec()
        }
        "ShortShip" => {
            let lines = vec![ShortShipLine { line_id: String::new(), line_number: 1, quantity: 1 }];
            ShortShipRequest { request_id, order_id, lines, reason_code, ..Default::default() }
                .encode_to_vec()
        }
        _ => Vec::new(),
    }
}

fn of_the_return(rpc: &str, request_id: String, order_id: String, return_id: String) -> Vec<u8> {
    let lines = vec![ReturnLineInput { line_id: String::new(), line_number: 1, quantity: 1 }];
    match rpc {
        "ListReturns" => ListReturnsRequest { order_id, ..Default::default() }.encode_to_vec(),
        "GetReturn" => GetReturnRequest { return_id }.encode_to_vec(),
        "OpenReturn" => {
            let reason_code = "DAMAGED".to_owned();
            OpenReturnRequest { request_id, order_id, lines, reason_code, ..Default::default() }
                .encode_to_vec()
        }
        "ReceiveReturn" => {
            ReceiveReturnRequest { request_id, return_id, lines, note: String::new() }.encode_to_vec()
        }
        "RejectReturn" => {
            RejectReturnRequest { request_id, return_id, lines, note: "worn".to_owned() }.encode_to_vec()
        }
        "AcceptReturn" => {
            let line = AcceptReturnLineInput { line_number: 1, write_off: 1, ..Default::default() };
            AcceptReturnRequest { request_id, return_id, lines: vec![line], ..Default::default() }
                .encode_to_vec()
        }
        "CloseReturn" => CloseReturnRequest { request_id, return_id, note: String::new() }.encode_to_vec(),
        _ => Vec::new(),
    }
}

//! PreviewProposal: the order as it would be. Nothing is written.

use std::collections::BTreeMap;

use kit::{Failure, Principal};
use proto::inventory::v1::{
    ForecastReservationResponse, ReservationForecast, ReserveStock, ReserveStockLine,
};
use proto::order::v1 as wire;
use proto::order::v1::preview_proposal_request::Of;
use tonic::Request;
use types::Refusal;

use super::proposed::proposal;
use crate::api::changes::blocker;
use crate::api::convert::{change_order_id, missing, order_id};
use crate::domain::added_line::AddedLine;
use crate::domain::change::{ChangeOrder, Steps};
use crate::domain::lifecycle::Picture;
use crate::ops::Orders;
use crate::wire::{address, change_order, order};

pub async fn answer(
    orders: &Orders,
    request: Request<wire::PreviewProposalRequest>,
) -> Result<wire::PreviewProposalResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let of = request.into_inner().of.ok_or_else(|| missing("proposal", "there is nothing to look at"))?;
    let (before, pictured) = match &of {
        Of::Proposal(request) => {
            let order_id = order_id("proposal.order_id", &request.order_id)?;
            let proposal = proposal(request, orders.now()).map_err(inside)?;
            orders.preview_proposal(&caller, &order_id, &proposal).await?
        }
        Of::ChangeOrderId(id) => orders.preview_answer(&caller, &change_order_id(id)?).await?,
    };
    let stock = forecast(orders, &caller, &pictured.change).await;
    Ok(shown(before.total_minor(), &before.number, pictured, stock))
}

fn inside(refusal: Refusal) -> Refusal {
    match refusal.field.clone() {
        Some(field) => refusal.field(format!("proposal.{field}")),
        None => refusal,
    }
}

/// What the inventory has of the lines that would come; nothing where it does not answer.
async fn forecast(
    orders: &Orders,
    caller: &Principal,
    change: &ChangeOrder,
) -> Option<ForecastReservationResponse> {
    if change.terms.added.is_empty() {
        return Some(ForecastReservationResponse::default());
    }
    let lines = change.terms.added.iter().map(|line| ReserveStockLine {
        line_id: line.line_id.to_string(),
        sku: line.sku.clone(),
        quantity: line.quantity,
        warehouse_id: line.warehouse_id.clone().unwrap_or_default(),
        ..ReserveStockLine::default()
    });
    let wanted = ReserveStock { lines: lines.collect(), ..ReserveStock::default() };
    orders.forecast_stock(caller, wanted).await.ok()
}

fn shown(
    total_before_minor: i64,
    order_number: &str,
    pictured: Picture,
    stock: Option<ForecastReservationResponse>,
) -> wire::PreviewProposalResponse {
    let Picture { change, order: after, difference, blockers } = pictured;
    let drawn = change_order(&change, order_number, after.currency, &Steps::default());
    wire::PreviewProposalResponse {
        change_order: Some(wire::ChangeOrder {
            address: change.in_confidence.address.as_ref().map(address),
            ..drawn
        }),
        order: Some(order(&after)),
        total_before_minor: total_before_minor.max(0),
        total_after_minor: change.new_total_minor.max(0),
        to_pay_minor: difference.to_pay_minor,
        to_give_back_minor: difference.to_give_back_minor,
        stock_unavailable: stock.is_none(),
        stock: stock.map_or_else(Vec::new, |stock| lines(&change.terms.added, stock)),
        blockers: blockers.iter().map(blocker).collect(),
    }
}

fn lines(added: &[AddedLine], stock: ForecastReservationResponse) -> Vec<wire::StockForecast> {
    let found: BTreeMap<String, ReservationForecast> =
        stock.lines.into_iter().map(|line| (line.line_id.clone(), line)).collect();
    let shown = added.iter().map(|line| {
        let has = found.get(line.line_id.as_str()).cloned().unwrap_or_default();
        wire::StockForecast {
            line_id: line.line_id.to_string(),
            sku: line.sku.clone(),
            wanted: line.quantity,
            available: has.available,
            enough: has.enough,
        }
    });
    shown.collect()
}

//! PreviewChangeOrder: the price of a change, held to by a quote. Nothing is written.

use std::collections::BTreeMap;

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use proto::payment::v1::{ForecastRefundResponse, RefundKind};
use tonic::Request;

use super::change_request::change_request;
use crate::domain::cancelability::POLICY_VERSION;
use crate::domain::lifecycle::preview;
use crate::domain::quote::issue;
use crate::ops::Orders;
use crate::wire::{parts, priced_line};

pub async fn answer(
    orders: &Orders,
    request: Request<wire::PreviewChangeOrderRequest>,
) -> Result<wire::PreviewChangeOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let change = change_request(request.get_ref().change.as_ref())?;

    let order = orders.get_order(&caller, &change.order_id).await?;
    let priced = preview(&order, &change)?;
    let quote = issue(orders.quote_key(), &order, &change, &priced, orders.now());
    let forecast = orders.forecast_refund(&caller, &order.order_id, priced.total_after_minor).await;
    Ok(wire::PreviewChangeOrderResponse {
        quote_id: quote.quote_id,
        quote_expires_at: quote.expires_at.to_string(),
        currency_code: order.currency.to_string(),
        lines: priced.lines.iter().map(priced_line).collect(),
        amounts: Some(parts(priced.amounts)),
        total_before_minor: priced.total_before_minor,
        total_after_minor: priced.total_after_minor,
        tenders_unavailable: forecast.is_err(),
        tenders: forecast.map_or_else(|_| Vec::new(), |forecast| tenders(&forecast)),
        policy_version: POLICY_VERSION.to_owned(),
    })
}

/// The forecast's legs by payment.
fn tenders(forecast: &ForecastRefundResponse) -> Vec<wire::TenderForecast> {
    let mut tenders: BTreeMap<&str, wire::TenderForecast> = BTreeMap::new();
    for leg in &forecast.legs {
        let tender = tenders.entry(&leg.payment_id).or_insert_with(|| wire::TenderForecast {
            payment_id: leg.payment_id.clone(),
            ..wire::TenderForecast::default()
        });
        match leg.kind() {
            RefundKind::Void => tender.void_minor += leg.amount_minor,
            // A kind of a newer payment service gives money back in some way, too.
            RefundKind::Refund | RefundKind::Unspecified => tender.refund_minor += leg.amount_minor,
        }
    }
    tenders.into_values().collect()
}

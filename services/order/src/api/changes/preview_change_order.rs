//! PreviewChangeOrder: the price of a change, held to by a quote. Nothing is written.

use std::collections::BTreeMap;

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use proto::payment::v1::{ForecastRefundResponse, RefundKind};
use tonic::Request;

use super::change_request::change_request;
use super::standing::{acks, advice, blocker, impact, warning};
use crate::domain::cancelability::cancelability;
use crate::domain::lifecycle::{Previewed, preview};
use crate::domain::quote::issue;
use crate::ops::{Orders, actor};
use crate::wire::{granted_by, parts, priced_line, settlement, skipped, timestamp};

pub async fn answer(
    orders: &Orders,
    request: Request<wire::PreviewChangeOrderRequest>,
) -> Result<wire::PreviewChangeOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let change = change_request(request.get_ref().change.as_ref())?;

    let order = orders.get_order(&caller, &change.order_id).await?;
    let shelf = orders.shelf(&caller.tenant).await?;
    let actor = actor(&caller);
    let policy = shelf.of(&order);
    let now = orders.now();
    let Previewed { priced, standing, blockers } =
        preview(&order, &change, policy, &shelf.catalogue, &actor, now)?;
    let quote = issue(orders.quote_key(), &order, &change, &priced, now);
    let kept = priced.total_after_minor + order.fees_minor + priced.amounts.fee;
    let forecast = orders.forecast_refund(&caller, &order.order_id, kept).await;
    let whole = cancelability(&order, policy, &actor, now);
    let required_acks = standing.missing_acks(&change);
    Ok(wire::PreviewChangeOrderResponse {
        quote_id: quote.quote_id,
        quote_expires_at: quote.expires_at.to_string(),
        currency_code: order.currency.to_string(),
        lines: priced.lines.iter().map(|line| priced_line(line, &priced.without_parent)).collect(),
        amounts: Some(parts(priced.amounts)),
        total_before_minor: priced.total_before_minor,
        total_after_minor: priced.total_after_minor,
        tenders_unavailable: forecast.is_err(),
        tenders: forecast.map_or_else(|_| Vec::new(), |forecast| tenders(&forecast)),
        policy_version: policy.version_text(),
        allowed: blockers.is_empty(),
        blockers: blockers.iter().map(blocker).collect(),
        warnings: standing.warnings.iter().map(warning).collect(),
        required_acks: acks(&required_acks),
        advice: advice(whole.advice).into(),
        allowed_actions: whole.allowed_actions.into_iter().map(str::to_owned).collect(),
        window_closes_at: timestamp(standing.window_closes_at),
        rule_id: standing.rule.clone(),
        granted_by: granted_by(standing.grant),
        fee_rule: priced.fee_rule,
        skipped: priced.skipped.iter().map(skipped).collect(),
        impact: Some(impact(whole.impact)),
        settlement: settlement(standing.settlement(&change)).into(),
        label_options: crate::wire::outside::label_options(&order.outside),
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

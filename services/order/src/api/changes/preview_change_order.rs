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
use crate::domain::propagation::cancels;
use crate::domain::quote::issue;
use crate::ops::{Orders, actor, plans};
use crate::wire::{granted_by, parts, priced_line, settlement, skipped, tender_strategy, timestamp};

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
    let Previewed { priced, standing, mut blockers } =
        preview(&order, &change, policy, &shelf.catalogue, &actor, now)?;
    let edition = &shelf.edition;
    blockers.extend(edition.check_change(&order, &change, &priced.lines, &priced.skipped).err());
    let kept = priced.total_after_minor + order.fees_minor + priced.amounts.fee;
    let money = standing.money_terms(&change);
    let asked = plans::forecast(&order.order_id, kept, &money, &change.said.tenders);
    let forecast = orders.forecast_refund(&caller, asked).await;
    let moves = forecast.as_ref().ok().map(plans::moves);
    let quote = issue(orders.quote_key(), &order, &change, &priced, moves.as_ref(), (&caller.subject(), now));
    let whole = cancelability(&order, policy, edition, &actor, now);
    let nothing_left = cancels(&order, &priced.lines);
    let foreseen = orders.foresee_targets(&caller, &order, nothing_left).await?;
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
        tenders_shortfall_minor: forecast.as_ref().map_or(0, |forecast| forecast.shortfall_minor),
        tenders: forecast.map_or_else(|_| Vec::new(), |forecast| forecast_tenders(&forecast)),
        tender_strategy: tender_strategy(money.strategy).into(),
        store_credit_fallback: money.store_credit_fallback,
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
        propagation: crate::wire::outside::forecasts(&foreseen.targets),
        propagation_unavailable: !foreseen.is_whole,
    })
}

/// The forecast's legs by payment.
pub fn forecast_tenders(forecast: &ForecastRefundResponse) -> Vec<wire::TenderForecast> {
    let mut tenders: BTreeMap<&str, wire::TenderForecast> = BTreeMap::new();
    for leg in &forecast.legs {
        let tender = tenders.entry(&leg.payment_id).or_insert_with(|| wire::TenderForecast {
            payment_id: leg.payment_id.clone(),
            ..wire::TenderForecast::default()
        });
        match leg.kind() {
            RefundKind::Void => tender.void_minor += leg.amount_minor,
            // A kind of a newer payment service gives money back in some way, too.
            RefundKind::Refund | RefundKind::Unspecified => {
                tender.refund_minor += leg.amount_minor;
                let capture_id = leg.capture_id.clone();
                tender.captures.push(wire::CaptureForecast { capture_id, refund_minor: leg.amount_minor });
            }
        }
    }
    tenders.into_values().collect()
}

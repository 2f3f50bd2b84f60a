//! The payment service's part of a plan: the money of a change.

use std::collections::BTreeMap;

use proto::payment::v1::{
    self as wire, ExplicitTender, ForecastRefundRequest, PriceParts, RefundStrategy, ReserveRefund,
    SettleRefund,
};
use types::{Fingerprint, OrderId};

use crate::domain::change::{
    ChangeOrder, ChangeType, MoneyTerms, Parts, PayOut, PayOutWay, Settlement, TenderRefund,
};
use crate::domain::order::Order;
use crate::domain::policy::TenderStrategy;
use crate::domain::quote::Moves;

/// The reservation of a change's refund. The fees of earlier changes are kept, too.
pub(super) fn reserve(order: &Order, change: &ChangeOrder) -> ReserveRefund {
    let terms = &change.terms;
    ReserveRefund {
        order_id: change.order_id.to_string(),
        change_order_id: change.change_order_id.to_string(),
        new_total_minor: change.new_total_minor,
        fees_minor: order.fees_minor + change.amounts.fee,
        worth_version: order.worth_version + 1,
        move_no_money: change.settlement == Settlement::None,
        strategy: strategy(terms.money.strategy, &terms.tenders).into(),
        tenders: terms.tenders.iter().map(explicit_tender).collect(),
        force: terms.forced,
        // By law a consumer who withdraws gets money, and not store credit.
        store_credit_fallback: terms.money.store_credit_fallback
            && change.change_type != ChangeType::Withdrawal,
        parts: Some(price_parts(&change.amounts)),
        allow_over_refund: !terms.money.over_refund_reason.is_empty(),
        pay_out: terms.pay_out.as_ref().map(paid_out),
        quoted: terms.quoted.as_ref().map(quoted),
        retry_of: terms.retry_of.as_ref().map_or_else(String::new, ToString::to_string),
    }
}

/// The parts that explain a refund. Included tax is part of gross.
fn price_parts(amounts: &Parts) -> PriceParts {
    PriceParts {
        gross_minor: amounts.gross,
        discount_minor: amounts.discount,
        tax_minor: if amounts.tax_included { 0 } else { amounts.tax },
        shipping_minor: amounts.shipping,
        shipping_tax_minor: amounts.shipping_tax,
        fee_minor: amounts.fee,
        included_tax_minor: if amounts.tax_included { amounts.tax } else { 0 },
    }
}

/// The amounts that the preview foresaw, by tender.
pub fn moves(forecast: &wire::ForecastRefundResponse) -> Moves {
    let mut by_tender: BTreeMap<String, i64> = BTreeMap::new();
    for leg in &forecast.legs {
        *by_tender.entry(leg.payment_id.clone()).or_default() += leg.amount_minor;
    }
    Moves { amount_minor: by_tender.values().sum(), fingerprint: Fingerprint::of_amounts(&by_tender) }
}

fn quoted(moves: &Moves) -> wire::QuotedRefund {
    wire::QuotedRefund { amount_minor: moves.amount_minor, fingerprint: moves.fingerprint.to_string() }
}

/// How much of the owed sum is paid out, and in which way.
pub fn paid_out(pay_out: &PayOut) -> wire::PayOut {
    let way = match pay_out.way {
        PayOutWay::Tenders => wire::PayOutWay::Tenders,
        PayOutWay::StoreCredit => wire::PayOutWay::StoreCredit,
        PayOutWay::ByHand => wire::PayOutWay::ByHand,
    };
    wire::PayOut { amount_minor: pay_out.amount_minor.unwrap_or(0), way: way.into() }
}

pub(super) fn paid_by(change: &ChangeOrder, pay_out: &PayOut) -> SettleRefund {
    SettleRefund {
        order_id: change.order_id.to_string(),
        by_hand_reference: pay_out.reference.clone(),
        by_hand_note: change.note.clone(),
    }
}

/// The reservation of a change that goes on with fewer units than were accepted.
pub fn reserve_rest(accepted: ReserveRefund, change: &ChangeOrder, fees_before: i64) -> ReserveRefund {
    ReserveRefund {
        new_total_minor: change.new_total_minor,
        fees_minor: fees_before + change.amounts.fee,
        parts: Some(price_parts(&change.amounts)),
        ..accepted
    }
}

/// What a preview asks the payment service. `kept_minor` is what the order will cost after the change, fees included, in minor
/// units.
pub fn forecast(
    order_id: &OrderId,
    kept_minor: i64,
    money: &MoneyTerms,
    tenders: &[TenderRefund],
) -> ForecastRefundRequest {
    ForecastRefundRequest {
        tenant: String::new(),
        order_id: order_id.to_string(),
        // More may have been taken off than the order cost.
        new_total_minor: kept_minor.max(0),
        strategy: strategy(money.strategy, tenders).into(),
        tenders: tenders.iter().map(explicit_tender).collect(),
        allow_over_refund: !money.over_refund_reason.is_empty(),
        pay_out: None,
    }
}

/// Where a policy wants the caller to name tenders and nobody could, the last tender is refunded first.
fn strategy(strategy: TenderStrategy, named: &[TenderRefund]) -> RefundStrategy {
    match strategy {
        TenderStrategy::Explicit if named.is_empty() => RefundStrategy::Lifo,
        TenderStrategy::Explicit => RefundStrategy::Explicit,
        TenderStrategy::Lifo => RefundStrategy::Lifo,
        TenderStrategy::Fifo => RefundStrategy::Fifo,
        TenderStrategy::Proportional => RefundStrategy::Proportional,
        TenderStrategy::ExactThenSmallestSufficient => RefundStrategy::ExactThenSmallestSufficient,
    }
}

fn explicit_tender(tender: &TenderRefund) -> ExplicitTender {
    ExplicitTender { payment_id: tender.payment_id.to_string(), amount_minor: tender.amount_minor }
}

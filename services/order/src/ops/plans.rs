//! What an accepting commit writes down for the saga that carries it out: the very commands of its steps, every id
//! minted. Nothing is made up on the way, so a step that is asked again says the same thing again.

use prost::Message;
use proto::inventory::v1::{
    CartReference, HoldGoods, HoldGoodsLine, ReleaseGoods, ReserveStock, ReserveStockLine, ReturnedLine,
    StopPartner, UnconfirmedPolicy, VoidLabels,
};
use proto::payment::v1::{
    AuthorisePayments, AuthoriseTender, ExplicitTender, ForecastRefundRequest, PriceParts,
    RecordExternalPayment, RefundStrategy, ReserveRefund,
};
use saga::{Lease, NewSaga};
use types::{OrderId, PaymentId, ReturnId, SagaId};

pub use super::tables::*;
use crate::domain::change::{
    CameBack, ChangeOrder, ChangeType, LabelAction, MoneyTerms, Parts, Settlement, TenderRefund,
};
use crate::domain::order::Order;
use crate::domain::placing::{NewTender, Placed};
use crate::domain::policy::{TenderStrategy, Unconfirmed};

/// What a saga is about, in its row.
pub const SUBJECT_ORDER: &str = "order";
pub const SUBJECT_CHANGE: &str = "change_order";

#[derive(Clone, PartialEq, Message)]
pub struct PlacePlan {
    #[prost(string, tag = "1")]
    pub order_id: String,
    #[prost(message, required, tag = "2")]
    pub reserve: ReserveStock,
    #[prost(message, required, tag = "3")]
    pub authorise: AuthorisePayments,
    /// Confirm with the opening, instead of waiting for somebody to.
    #[prost(bool, tag = "4")]
    pub confirm: bool,
    #[prost(bool, tag = "5")]
    pub capture_now: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct CancelPlan {
    #[prost(string, tag = "1")]
    pub order_id: String,
    #[prost(message, required, tag = "2")]
    pub hold: HoldGoods,
    #[prost(message, required, tag = "3")]
    pub reserve: ReserveRefund,
    #[prost(message, required, tag = "4")]
    pub stop: StopPartner,
    #[prost(message, required, tag = "5")]
    pub void: VoidLabels,
    /// Missing in plans of before carts were told.
    #[prost(message, optional, tag = "16")]
    pub release: Option<ReleaseGoods>,
}

/// What a return says beside what every lowering of a price says. The two stand one behind the other in one text: each is
/// read by its own tags, and skips the other's.
#[derive(Clone, PartialEq, Message)]
pub struct TakeBackPlan {
    #[prost(string, tag = "20")]
    pub return_id: String,
    #[prost(message, repeated, tag = "21")]
    pub lines: Vec<ReturnedLine>,
}

/// What all plans have in common.
#[derive(Clone, PartialEq, Message)]
struct AnyPlan {
    #[prost(string, tag = "1")]
    order_id: String,
}

/// The order a plan is about; nothing for a plan that cannot be read.
pub fn order_of(params: &[u8]) -> Option<OrderId> {
    OrderId::parse(&AnyPlan::decode(params).ok()?.order_id).ok()
}

/// The return a plan takes units of; nothing for any other plan.
pub fn return_of(params: &[u8]) -> Option<ReturnId> {
    ReturnId::parse(&TakeBackPlan::decode(params).ok()?.return_id).ok()
}

/// The saga that takes units of a return back.
pub fn take_back(
    change: &ChangeOrder,
    fees_before: i64,
    lease: Lease,
    traceparent: Option<String>,
) -> NewSaga {
    let plan = TakeBackPlan {
        return_id: change.terms.return_id.as_ref().map_or_else(String::new, ToString::to_string),
        lines: change.terms.came_back.iter().map(returned_line).collect(),
    };
    let mut params = cancel_plan(change, fees_before).encode_to_vec();
    params.extend(plan.encode_to_vec());
    carrying(change, params, lease, traceparent)
}

fn returned_line(line: &CameBack) -> ReturnedLine {
    ReturnedLine {
        line_id: line.line_id.to_string(),
        restock: line.restock,
        write_off: line.write_off,
        warehouse_id: line.warehouse_id.clone(),
    }
}

/// The saga that places an order.
pub fn place(placed: &Placed, id: SagaId, lease: Lease, traceparent: Option<String>) -> NewSaga {
    let order = &placed.order;
    NewSaga {
        tenant: order.tenant.clone(),
        id,
        definition: PLACE,
        version: PLACE_VERSION,
        subject_type: SUBJECT_ORDER,
        subject_id: order.order_id.to_string(),
        params: place_plan(placed).encode_to_vec(),
        traceparent,
        lease: Some(lease),
    }
}

/// The saga that carries out a change which lowers what the order comes to. One that takes no units says nothing of goods.
pub fn cancel(change: &ChangeOrder, fees_before: i64, lease: Lease, traceparent: Option<String>) -> NewSaga {
    carrying(change, cancel_plan(change, fees_before).encode_to_vec(), lease, traceparent)
}

/// The saga that restores a cancelled order. The ids of its payments are minted before.
pub fn restore(
    order: &Order,
    change: &ChangeOrder,
    tenders: &[(PaymentId, NewTender)],
    lease: Lease,
    traceparent: Option<String>,
) -> NewSaga {
    carrying(change, restore_plan(order, change, tenders).encode_to_vec(), lease, traceparent)
}

/// The saga that pays what is missing of a restored order.
pub fn pay(
    order: &Order,
    change: &ChangeOrder,
    tenders: &[(PaymentId, NewTender)],
    lease: Lease,
    traceparent: Option<String>,
) -> NewSaga {
    let plan = PlacePlan {
        reserve: ReserveStock::default(),
        authorise: authorise_again(order, change, tenders, false),
        confirm: false,
        capture_now: tenders.iter().any(|(_, tender)| tender.capture_now),
        order_id: order.order_id.to_string(),
    };
    carrying(change, plan.encode_to_vec(), lease, traceparent)
}

pub(super) fn carrying(
    change: &ChangeOrder,
    params: Vec<u8>,
    lease: Lease,
    traceparent: Option<String>,
) -> NewSaga {
    let (definition, version) = table_of(change);
    NewSaga {
        tenant: change.tenant.clone(),
        id: change.saga_id.clone(),
        definition,
        version,
        subject_type: SUBJECT_CHANGE,
        subject_id: change.change_order_id.to_string(),
        params,
        traceparent,
        lease: Some(lease),
    }
}

fn restore_plan(order: &Order, change: &ChangeOrder, tenders: &[(PaymentId, NewTender)]) -> PlacePlan {
    let order_id = order.order_id.to_string();
    let lines = change.lines.iter().map(|back| {
        let line = order.line(&back.line_id).expect("a restoration was made of the order's own lines");
        ReserveStockLine {
            line_id: back.line_id.to_string(),
            sku: back.sku.clone(),
            quantity: back.quantity,
            warehouse_id: line.warehouse_id.clone().unwrap_or_default(),
        }
    });
    PlacePlan {
        reserve: ReserveStock {
            order_id: order_id.clone(),
            lines: lines.collect(),
            // Until the payment service has said what is missing, nothing may leave.
            until_paid: tenders.is_empty(),
        },
        authorise: authorise_again(order, change, tenders, true),
        confirm: false,
        capture_now: tenders.iter().any(|(_, tender)| tender.capture_now),
        order_id,
    }
}

/// Asks an account that is open for what is missing of the order's price.
pub(super) fn authorise_again(
    order: &Order,
    change: &ChangeOrder,
    tenders: &[(PaymentId, NewTender)],
    pay_later: bool,
) -> AuthorisePayments {
    // Restoring resets the fees; later changes may have brought new ones.
    let fees_minor = if change.change_type == ChangeType::Restore { 0 } else { order.fees_minor };
    AuthorisePayments {
        order_id: order.order_id.to_string(),
        currency_code: order.currency.code().to_owned(),
        // Goodwill may have been more than what is left to pay.
        total_minor: change.new_total_minor.max(0) + fees_minor,
        tenders: tenders.iter().map(authorise_tender).collect(),
        external_payments: Vec::new(),
        change_order_id: change.change_order_id.to_string(),
        pay_later,
    }
}

fn authorise_tender((payment_id, tender): &(PaymentId, NewTender)) -> AuthoriseTender {
    AuthoriseTender {
        payment_id: payment_id.to_string(),
        gateway: tender.gateway.clone(),
        payment_token: tender.payment_token.clone(),
        amount_minor: tender.amount_minor,
        capture_now: tender.capture_now,
    }
}

fn place_plan(placed: &Placed) -> PlacePlan {
    let order = &placed.order;
    let order_id = order.order_id.to_string();
    let lines = order.lines.iter().map(|line| ReserveStockLine {
        line_id: line.line_id.to_string(),
        sku: line.sku.clone(),
        quantity: line.quantities.ordered,
        warehouse_id: line.warehouse_id.clone().unwrap_or_default(),
    });
    let tenders = placed.tenders.iter().map(authorise_tender);
    let external_payments =
        placed.external_payments.iter().map(|(payment_id, payment)| RecordExternalPayment {
            payment_id: payment_id.to_string(),
            gateway: payment.gateway.clone(),
            reference: payment.reference.clone(),
            authorised_minor: payment.authorised_minor,
            captured_minor: payment.captured_minor,
        });
    PlacePlan {
        reserve: ReserveStock {
            order_id: order_id.clone(),
            lines: lines.collect(),
            ..ReserveStock::default()
        },
        authorise: AuthorisePayments {
            order_id: order_id.clone(),
            currency_code: order.currency.code().to_owned(),
            total_minor: order.placed_minor,
            tenders: tenders.collect(),
            external_payments: external_payments.collect(),
            ..AuthorisePayments::default()
        },
        confirm: !placed.confirm_later,
        capture_now: placed.tenders.iter().any(|(_, tender)| tender.capture_now),
        order_id,
    }
}

/// What the refunds are explained with. Tax within the prices is part of gross.
fn price_parts(amounts: &Parts) -> PriceParts {
    PriceParts {
        gross_minor: amounts.gross,
        discount_minor: amounts.discount,
        tax_minor: if amounts.tax_included { 0 } else { amounts.tax },
        shipping_minor: amounts.shipping,
        shipping_tax_minor: amounts.shipping_tax,
        fee_minor: amounts.fee,
    }
}

/// `fees_before` are those of earlier changes: they are kept as well.
pub(super) fn cancel_plan(change: &ChangeOrder, fees_before: i64) -> CancelPlan {
    let order_id = change.order_id.to_string();
    let units = change.lines.iter().filter(|_| change.change_type.takes_units());
    let lines =
        units.map(|line| HoldGoodsLine { line_id: line.line_id.to_string(), quantity: line.quantity });
    CancelPlan {
        hold: HoldGoods {
            order_id: order_id.clone(),
            lines: lines.collect(),
            void_label: change.label_action == LabelAction::Void,
            allow_shipped: change.terms.allow_shipped,
            only_unallocated: change.terms.only_unallocated,
            // A quote promised an amount: then it is all of it, or nothing.
            take_what_is_left: change.change_type == ChangeType::AllEligible && change.quote_id.is_empty(),
            only_here: false,
        },
        stop: StopPartner {
            order_id: order_id.clone(),
            change_order_id: change.change_order_id.to_string(),
            reason_code: change.reason_code.clone(),
            note: change.note.clone(),
            unconfirmed: unconfirmed(change.terms.unconfirmed).into(),
        },
        void: VoidLabels { order_id: order_id.clone(), change_order_id: change.change_order_id.to_string() },
        release: Some(release(change)),
        reserve: ReserveRefund {
            order_id: order_id.clone(),
            change_order_id: change.change_order_id.to_string(),
            new_total_minor: change.new_total_minor,
            fees_minor: fees_before + change.amounts.fee,
            move_no_money: change.settlement == Settlement::None,
            strategy: strategy(change.terms.money.strategy, &change.terms.tenders).into(),
            tenders: change.terms.tenders.iter().map(explicit_tender).collect(),
            force: change.terms.forced,
            store_credit_fallback: change.terms.money.store_credit_fallback,
            parts: Some(price_parts(&change.amounts)),
            allow_over_refund: !change.terms.money.over_refund_reason.is_empty(),
        },
        order_id,
    }
}

/// What has to be reserved for a change that goes on with less than was accepted.
pub fn reserve_rest(accepted: ReserveRefund, change: &ChangeOrder, fees_before: i64) -> ReserveRefund {
    ReserveRefund {
        new_total_minor: change.new_total_minor,
        fees_minor: fees_before + change.amounts.fee,
        parts: Some(price_parts(&change.amounts)),
        ..accepted
    }
}

/// What a preview asks the payment service, of a change that would be accepted on these terms. `kept_minor` is what the
/// order will come to, fees included.
pub fn forecast(
    order_id: &OrderId,
    kept_minor: i64,
    money: &MoneyTerms,
    tenders: &[TenderRefund],
) -> ForecastRefundRequest {
    ForecastRefundRequest {
        tenant: String::new(),
        order_id: order_id.to_string(),
        new_total_minor: kept_minor,
        strategy: strategy(money.strategy, tenders).into(),
        tenders: tenders.iter().map(explicit_tender).collect(),
        allow_over_refund: !money.over_refund_reason.is_empty(),
    }
}

/// Where a policy wants tenders named and nobody could, the latest goes first.
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

/// With the carts that are told of it.
fn release(change: &ChangeOrder) -> ReleaseGoods {
    let carts = change
        .terms
        .carts
        .iter()
        .map(|name| CartReference { system: name.system.clone(), reference: name.reference.clone() });
    ReleaseGoods {
        order_id: change.order_id.to_string(),
        change_order_id: change.change_order_id.to_string(),
        reason_code: change.reason_code.clone(),
        note: change.note.clone(),
        units: change.lines.iter().map(|line| line.quantity).sum(),
        carts: carts.collect(),
    }
}

fn explicit_tender(tender: &TenderRefund) -> ExplicitTender {
    ExplicitTender { payment_id: tender.payment_id.to_string(), amount_minor: tender.amount_minor }
}

fn unconfirmed(policy: Unconfirmed) -> UnconfirmedPolicy {
    match policy {
        Unconfirmed::Commit => UnconfirmedPolicy::Commit,
        Unconfirmed::Wait => UnconfirmedPolicy::Wait,
        Unconfirmed::Reject => UnconfirmedPolicy::Reject,
    }
}

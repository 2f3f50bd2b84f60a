//! What an accepting commit writes down for the saga that carries it out: the very commands of its steps, every id
//! minted. Nothing is made up on the way, so a step that is asked again says the same thing again.

use prost::Message;
use proto::inventory::v1::{
    HoldGoods, HoldGoodsLine, ReserveStock, ReserveStockLine, StopPartner, UnconfirmedPolicy, VoidLabels,
};
use proto::payment::v1::{
    AuthorisePayments, AuthoriseTender, ExplicitTender, PriceParts, RecordExternalPayment, RefundStrategy,
    ReserveRefund,
};
use saga::{Lease, NewSaga, StepName, Version};
use types::{OrderId, PaymentId, SagaId};

use crate::domain::change::{ChangeOrder, ChangeType, LabelAction, Parts, Settlement, TenderRefund};
use crate::domain::order::Order;
use crate::domain::placing::{NewTender, Placed};
use crate::domain::policy::Unconfirmed;

pub const PLACE: StepName = "place";
pub const PLACE_VERSION: Version = Version(1);
pub const CANCEL: StepName = "cancel";
pub const CANCEL_VERSION: Version = Version(1);

pub const RESTORE: StepName = "restore";
pub const RESTORE_VERSION: Version = Version(1);
pub const REFUND_ONLY: StepName = "refund_only";
pub const REFUND_ONLY_VERSION: Version = Version(1);

pub const ADJUST: StepName = "adjust";
pub const ADJUST_VERSION: Version = Version(1);

/// The table that carries a change of this kind out.
pub const fn definition_of(kind: ChangeType) -> (StepName, Version) {
    match kind {
        ChangeType::CancelOrder
        | ChangeType::CancelItems
        | ChangeType::AllEligible
        | ChangeType::EditQuantity
        | ChangeType::Withdrawal => (CANCEL, CANCEL_VERSION),
        ChangeType::ShippingAdjust => (ADJUST, ADJUST_VERSION),
        ChangeType::RefundOnly => (REFUND_ONLY, REFUND_ONLY_VERSION),
        ChangeType::Restore => (RESTORE, RESTORE_VERSION),
    }
}

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

fn carrying(change: &ChangeOrder, params: Vec<u8>, lease: Lease, traceparent: Option<String>) -> NewSaga {
    let (definition, version) = definition_of(change.change_type);
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
        reserve: ReserveStock { order_id: order_id.clone(), lines: lines.collect() },
        authorise: AuthorisePayments {
            order_id: order_id.clone(),
            currency_code: order.currency.code().to_owned(),
            // Goodwill may have been more than what is left to pay.
            total_minor: change.new_total_minor.max(0),
            tenders: tenders.iter().map(authorise_tender).collect(),
            external_payments: Vec::new(),
            change_order_id: change.change_order_id.to_string(),
        },
        confirm: false,
        capture_now: tenders.iter().any(|(_, tender)| tender.capture_now),
        order_id,
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
        reserve: ReserveStock { order_id: order_id.clone(), lines: lines.collect() },
        authorise: AuthorisePayments {
            order_id: order_id.clone(),
            currency_code: order.currency.code().to_owned(),
            total_minor: order.placed_minor,
            tenders: tenders.collect(),
            external_payments: external_payments.collect(),
            change_order_id: String::new(),
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
fn cancel_plan(change: &ChangeOrder, fees_before: i64) -> CancelPlan {
    let order_id = change.order_id.to_string();
    let lines = change
        .lines
        .iter()
        .map(|line| HoldGoodsLine { line_id: line.line_id.to_string(), quantity: line.quantity });
    CancelPlan {
        hold: HoldGoods {
            order_id: order_id.clone(),
            lines: lines.collect(),
            void_label: change.label_action == LabelAction::Void,
            allow_shipped: change.terms.allow_shipped,
        },
        stop: StopPartner {
            order_id: order_id.clone(),
            change_order_id: change.change_order_id.to_string(),
            reason_code: change.reason_code.clone(),
            note: change.note.clone(),
            unconfirmed: unconfirmed(change.terms.unconfirmed).into(),
        },
        void: VoidLabels { order_id: order_id.clone(), change_order_id: change.change_order_id.to_string() },
        reserve: ReserveRefund {
            order_id: order_id.clone(),
            change_order_id: change.change_order_id.to_string(),
            new_total_minor: change.new_total_minor,
            fees_minor: fees_before + change.amounts.fee,
            move_no_money: change.settlement == Settlement::None,
            strategy: match change.settlement {
                Settlement::Explicit => RefundStrategy::Explicit.into(),
                Settlement::Auto | Settlement::None => RefundStrategy::Unspecified.into(),
            },
            tenders: change.terms.tenders.iter().map(explicit_tender).collect(),
            force: change.terms.forced,
            parts: Some(price_parts(&change.amounts)),
            ..ReserveRefund::default()
        },
        order_id,
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

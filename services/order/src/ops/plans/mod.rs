//! Plans: what an accepting commit stores for its saga. A plan holds the commands of all steps, with every id minted. No step computes
//! anything on the way, so a step that is repeated says exactly the same again.

pub mod amend;
mod money;
mod stock;
mod tables;

use prost::Message;
use proto::inventory::v1::{
    CartReference, HoldGoods, HoldGoodsLine, ReleaseGoods, ReserveStock, ReturnedLine, StopPartner,
    UnconfirmedPolicy, VoidLabels,
};
use proto::payment::v1::{
    AuthorisePayments, AuthoriseTender, RecordExternalPayment, ReserveRefund, SettleRefund,
};
use saga::{Lease, NewSaga};
use types::{OrderId, PaymentId, ReturnId, SagaId};

use crate::domain::change::{CameBack, ChangeOrder, ChangeType, LabelAction};
use crate::domain::order::Order;
use crate::domain::placing::{NewTender, Placed};
use crate::domain::policy::Unconfirmed;
pub use money::{forecast, moves, paid_out, reserve_rest};
use stock::reserve_line;
pub use stock::restored;
pub use tables::*;

/// The types of a saga's subject, as its row holds them.
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
    /// Confirm the order when it opens, instead of waiting for ConfirmOrder.
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
    /// Missing in plans that are older than carts.
    #[prost(message, optional, tag = "16")]
    pub release: Option<ReleaseGoods>,
    /// How a person pays out what was reserved. Missing where the payment service does it.
    #[prost(message, optional, tag = "17")]
    pub settle: Option<SettleRefund>,
}

/// What the plan of a return holds beside the common part. Both are encoded one after the other into the same bytes; each has its own
/// tags and skips the other's.
#[derive(Clone, PartialEq, Message)]
pub struct TakeBackPlan {
    #[prost(string, tag = "20")]
    pub return_id: String,
    #[prost(message, repeated, tag = "21")]
    pub lines: Vec<ReturnedLine>,
}

/// The part that all plans have in common.
#[derive(Clone, PartialEq, Message)]
struct AnyPlan {
    #[prost(string, tag = "1")]
    order_id: String,
}

/// The order of a plan. None for a plan that cannot be parsed.
pub fn order_of(params: &[u8]) -> Option<OrderId> {
    OrderId::parse(&AnyPlan::decode(params).ok()?.order_id).ok()
}

/// The return whose units the plan takes back. None for any other plan.
pub fn return_of(params: &[u8]) -> Option<ReturnId> {
    ReturnId::parse(&TakeBackPlan::decode(params).ok()?.return_id).ok()
}

/// The saga that takes units of a return back.
pub fn take_back(order: &Order, change: &ChangeOrder, lease: Lease, traceparent: Option<String>) -> NewSaga {
    let plan = TakeBackPlan {
        return_id: change.terms.return_id.as_ref().map_or_else(String::new, ToString::to_string),
        lines: change.terms.came_back.iter().map(returned_line).collect(),
    };
    let mut params = cancel_plan(order, change).encode_to_vec();
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

/// The saga of a change that makes the order cheaper. Without units in it the plan has no part for the inventory.
pub fn cancel(order: &Order, change: &ChangeOrder, lease: Lease, traceparent: Option<String>) -> NewSaga {
    carrying(change, cancel_plan(order, change).encode_to_vec(), lease, traceparent)
}

/// The saga that restores a cancelled order. The ids of its payments were minted before.
pub fn restore(
    order: &Order,
    change: &ChangeOrder,
    tenders: &[(PaymentId, NewTender)],
    lease: Lease,
    traceparent: Option<String>,
) -> NewSaga {
    carrying(change, restore_plan(order, change, tenders).encode_to_vec(), lease, traceparent)
}

/// The saga that pays the missing amount of a restored order.
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
    PlacePlan {
        reserve: ReserveStock {
            // No unit may leave until the payment service has said what is missing.
            until_paid: tenders.is_empty(),
            ..restored(order)
        },
        authorise: authorise_again(order, change, tenders, true),
        confirm: false,
        capture_now: tenders.iter().any(|(_, tender)| tender.capture_now),
        order_id,
    }
}

/// Asks the payment account for what is missing of the order's price.
pub(super) fn authorise_again(
    order: &Order,
    change: &ChangeOrder,
    tenders: &[(PaymentId, NewTender)],
    pay_later: bool,
) -> AuthorisePayments {
    // A restoration resets the fees; later changes may have added new ones.
    let fees_minor = if change.change_type == ChangeType::Restore { 0 } else { order.fees_minor };
    AuthorisePayments {
        order_id: order.order_id.to_string(),
        currency_code: order.currency.code().to_owned(),
        // Goodwill may exceed what is left to pay.
        total_minor: (change.new_total_minor + fees_minor).max(0),
        tenders: tenders.iter().map(authorise_tender).collect(),
        external_payments: Vec::new(),
        change_order_id: change.change_order_id.to_string(),
        pay_later,
        worth_version: order.worth_version + 1,
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
    let lines = order.lines.iter().map(|line| reserve_line(order, line, line.quantities.ordered));
    let tenders = placed.tenders.iter().map(authorise_tender);
    let external_payments =
        placed.external_payments.iter().map(|(payment_id, payment)| RecordExternalPayment {
            payment_id: payment_id.to_string(),
            gateway: payment.gateway.clone(),
            reference: payment.reference.clone(),
            authorised_minor: payment.authorised_minor,
            captured_minor: payment.captured_minor,
            attested: payment.attested,
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
            worth_version: order.worth_version,
            ..AuthorisePayments::default()
        },
        confirm: !placed.confirm_later,
        capture_now: placed.tenders.iter().any(|(_, tender)| tender.capture_now),
        order_id,
    }
}

/// The fees of earlier changes are kept, too.
pub(super) fn cancel_plan(order: &Order, change: &ChangeOrder) -> CancelPlan {
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
            // A quote promised an amount, so the change takes all units or none.
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
        settle: change.terms.pay_out.as_ref().map(|pay_out| money::paid_by(change, pay_out)),
        reserve: money::reserve(order, change),
        order_id,
    }
}

/// Adds the carts that are told of the change.
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

fn unconfirmed(policy: Unconfirmed) -> UnconfirmedPolicy {
    match policy {
        Unconfirmed::Commit => UnconfirmedPolicy::Commit,
        Unconfirmed::Wait => UnconfirmedPolicy::Wait,
        Unconfirmed::Reject => UnconfirmedPolicy::Reject,
    }
}

//! What an accepting commit writes down for the saga that carries it out: the very commands of its steps, every id
//! minted. Nothing is made up on the way, so a step that is asked again says the same thing again.

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
    /// How a person pays what was reserved; missing where the payment service does.
    #[prost(message, optional, tag = "17")]
    pub settle: Option<SettleRefund>,
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

/// The saga that carries out a change which lowers what the order comes to. One that takes no units says nothing of goods.
pub fn cancel(order: &Order, change: &ChangeOrder, lease: Lease, traceparent: Option<String>) -> NewSaga {
    carrying(change, cancel_plan(order, change).encode_to_vec(), lease, traceparent)
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
    PlacePlan {
        reserve: ReserveStock {
            // Until the payment service has said what is missing, nothing may leave.
            until_paid: tenders.is_empty(),
            ..restored(order)
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

/// The fees of earlier changes are kept as well.
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
        settle: change.terms.pay_out.as_ref().map(|pay_out| money::paid_by(change, pay_out)),
        reserve: money::reserve(order, change),
        order_id,
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

fn unconfirmed(policy: Unconfirmed) -> UnconfirmedPolicy {
    match policy {
        Unconfirmed::Commit => UnconfirmedPolicy::Commit,
        Unconfirmed::Wait => UnconfirmedPolicy::Wait,
        Unconfirmed::Reject => UnconfirmedPolicy::Reject,
    }
}

//! The plans of changes that both sides have agreed on.

use prost::Message;
use proto::inventory::v1::{HoldGoods, HoldGoodsLine, ReserveStock, ReserveStockLine};
use proto::payment::v1::{AuthorisePayments, PriceParts, ReserveRefund};
use saga::{Lease, NewSaga};
use types::PaymentId;

use super::CancelPlan;
use crate::domain::added_line::amount_of;
use crate::domain::change::{ChangeOrder, ChangeType};
use crate::domain::lifecycle::costs_more;
use crate::domain::order::Order;
use crate::domain::placing::NewTender;
use crate::ops::plans;

/// Goods that are added, goods that are taken off, and the payment or refund of the difference.
#[derive(Clone, PartialEq, Message)]
pub struct AmendPlan {
    #[prost(string, tag = "1")]
    pub order_id: String,
    #[prost(message, required, tag = "2")]
    pub reserve: ReserveStock,
    /// The goods that are taken off, and the refund if money goes back.
    #[prost(message, required, tag = "3")]
    pub cancel: CancelPlan,
    /// The payment, if the order costs more than before.
    #[prost(message, optional, tag = "4")]
    pub authorise: Option<AuthorisePayments>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ReaddressPlan {
    #[prost(string, tag = "1")]
    pub order_id: String,
    #[prost(message, required, tag = "2")]
    pub hold: HoldGoods,
}

/// The saga of a change that both sides agreed on. The ids of its payments were minted before.
pub fn agreed(
    order: &Order,
    change: &ChangeOrder,
    tenders: &[(PaymentId, NewTender)],
    lease: Lease,
    traceparent: Option<String>,
) -> NewSaga {
    if change.change_type == ChangeType::Address {
        let plan = ReaddressPlan { order_id: order.order_id.to_string(), hold: everything_here(order) };
        return plans::carrying(change, plan.encode_to_vec(), lease, traceparent);
    }
    if change.terms.added.is_empty() {
        return plans::cancel(order, change, lease, traceparent);
    }
    let cancel = plans::cancel_plan(order, change);
    let reserve = ReserveRefund { parts: Some(given_back(change)), ..cancel.reserve };
    let authorise = costs_more(order, change).then(|| plans::authorise_again(order, change, tenders, false));
    let plan = AmendPlan {
        order_id: order.order_id.to_string(),
        reserve: coming(change),
        cancel: CancelPlan { reserve, ..cancel },
        authorise,
    };
    plans::carrying(change, plan.encode_to_vec(), lease, traceparent)
}

fn coming(change: &ChangeOrder) -> ReserveStock {
    let lines = change.terms.added.iter().map(|line| ReserveStockLine {
        line_id: line.line_id.to_string(),
        sku: line.sku.clone(),
        quantity: line.quantity,
        warehouse_id: line.warehouse_id.clone().unwrap_or_default(),
        ..ReserveStockLine::default()
    });
    ReserveStock { order_id: change.order_id.to_string(), lines: lines.collect(), ..ReserveStock::default() }
}

/// The worth of the goods that are taken off pays for those that are added. Only the rest is refunded, and explained.
fn given_back(change: &ChangeOrder) -> PriceParts {
    let rest = (change.amounts.amount - amount_of(&change.terms.added)).max(0);
    PriceParts { gross_minor: rest, ..PriceParts::default() }
}

/// While the address changes, no unit may leave, and no partner may hold one with the old address.
fn everything_here(order: &Order) -> HoldGoods {
    let open = order.lines.iter().filter(|line| line.quantities.open > 0);
    let lines =
        open.map(|line| HoldGoodsLine { line_id: line.line_id.to_string(), quantity: line.quantities.open });
    HoldGoods {
        order_id: order.order_id.to_string(),
        lines: lines.collect(),
        only_here: true,
        ..HoldGoods::default()
    }
}

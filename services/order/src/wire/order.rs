//! Orders.

use kit::answer::to_wire;
use proto::order::v1 as wire;
use types::text::display;

use super::outside;
use super::shared::{actor, external_reference, timestamp};
use crate::domain::address::Address;
use crate::domain::line_state::LineState;
use crate::domain::order::{
    Group, Line, LineAmounts, Order, OrderState, Parties, Placement, Summary, Totals,
};
use crate::domain::propagation::targets;
use crate::domain::quantities::Quantities;

pub fn order(order: &Order) -> wire::Order {
    wire::Order {
        order_id: order.order_id.to_string(),
        number: order.number.clone(),
        state: order_state(order.state()).into(),
        currency_code: order.currency.to_string(),
        lines: order.lines.iter().map(line).collect(),
        delivery_groups: order.groups.iter().map(group).collect(),
        totals: Some(totals(order.totals())),
        parties: Some(parties(&order.parties)),
        external_references: order.references.iter().map(external_reference).collect(),
        created_by: Some(actor(&order.created_by)),
        created_at: order.created_at.to_string(),
        confirmed_at: timestamp(order.confirmed_at),
        processing_at: timestamp(order.processing_at),
        placement_cause: match &order.placement {
            Placement::Failed(cause) => Some(to_wire(cause)),
            Placement::Placing | Placement::Open => None,
        },
        change_in_progress: order.change_in_progress.as_ref().map_or_else(String::new, ToString::to_string),
        version: order.version,
        pricing_version: order.pricing_version,
        attention_open: order.attention_open > 0,
        customer_id: display(&order.customer_id),
        cancelled_by_change: order.cancelled_by_change.as_ref().map_or_else(String::new, ToString::to_string),
        folder_id: String::new(),
        folder: String::new(),
        awaits_payment_minor: order.awaits_payment.map_or(0, |awaited| awaited.missing_minor),
        awaits_payment_since: timestamp(order.awaits_payment.map(|awaited| awaited.since)),
        labels: outside::labels(&order.outside),
        partner_handovers: outside::handovers(&order.outside),
        propagation: outside::propagation(&targets(order)),
        delivery_address: order.address.as_ref().map(address),
        reissue_of: order.reissue_of.as_ref().map_or_else(String::new, ToString::to_string),
    }
}

pub fn address(address: &Address) -> wire::Address {
    wire::Address {
        recipient: display(&address.recipient),
        lines: address.lines.iter().map(|line| display(line)).collect(),
        city: display(&address.city),
        postal_code: display(&address.postal_code),
        region: display(&address.region),
        country_code: address.country_code.clone(),
    }
}

pub fn summary(summary: &Summary) -> wire::OrderSummary {
    wire::OrderSummary {
        order_id: summary.order_id.to_string(),
        number: summary.number.clone(),
        state: order_state(summary.state).into(),
        currency_code: summary.currency.to_string(),
        totals: Some(totals(summary.totals)),
        line_count: summary.line_count,
        units_ordered: summary.units_ordered,
        units_cancelled: summary.units_cancelled,
        customer_id: display(&summary.customer_id),
        created_at: summary.created_at.to_string(),
        external_references: summary.references.iter().map(external_reference).collect(),
        change_in_progress: summary.change_in_progress.as_ref().map_or_else(String::new, ToString::to_string),
        attention_open: summary.attention_open,
        // Lists and events name the organisations; personal data stays with the order.
        parties: Some(wire::Parties { client_contact: String::new(), ..parties(&summary.parties) }),
        folder_id: String::new(),
        folder: String::new(),
        awaits_payment_minor: summary.missing_minor,
    }
}

pub fn order_state(state: OrderState) -> wire::OrderState {
    match state {
        OrderState::Placing => wire::OrderState::Placing,
        OrderState::PlacementFailed => wire::OrderState::PlacementFailed,
        OrderState::Pending => wire::OrderState::Pending,
        OrderState::Confirmed => wire::OrderState::Confirmed,
        OrderState::Processing => wire::OrderState::Processing,
        OrderState::PartiallyShipped => wire::OrderState::PartiallyShipped,
        OrderState::Shipped => wire::OrderState::Shipped,
        OrderState::OutForDelivery => wire::OrderState::OutForDelivery,
        OrderState::PartiallyDelivered => wire::OrderState::PartiallyDelivered,
        OrderState::Delivered => wire::OrderState::Delivered,
        OrderState::Cancelled => wire::OrderState::Cancelled,
        OrderState::Returned => wire::OrderState::Returned,
        OrderState::ClosedMixed => wire::OrderState::ClosedMixed,
    }
}

fn line(line: &Line) -> wire::OrderLine {
    wire::OrderLine {
        line_id: line.line_id.to_string(),
        line_number: line.line_number,
        sku: line.sku.clone(),
        description: display(&line.description),
        unit_price: line.unit_price.to_string(),
        quantities: Some(quantities(line.quantities)),
        amounts: Some(amounts(line.amounts)),
        delivery_group: display(&line.delivery_group),
        adjusted_minor: line.adjusted_minor(),
        reversed_minor: line.reversed_minor,
        state: line_state(line.state()).into(),
        parent_line: line.bundle.map_or(0, |place| place.parent),
        ratio: line.bundle.map_or(0, |place| place.ratio),
        own_stock: line.own_stock,
    }
}

pub(super) fn quantities(quantities: Quantities) -> wire::LineQuantities {
    wire::LineQuantities {
        ordered: quantities.ordered,
        open: quantities.open,
        cancel_pending: quantities.cancel_pending,
        cancelled: quantities.cancelled,
        fulfilled: quantities.fulfilled,
        cancelled_after_ship: quantities.cancelled_after_ship,
        returned: quantities.returned,
        delivered: quantities.delivered,
        net: quantities.net(),
    }
}

pub(super) fn amounts(amounts: LineAmounts) -> wire::LineAmounts {
    wire::LineAmounts {
        gross: amounts.gross,
        line_discount: amounts.line_discount,
        order_discount_share: amounts.order_discount,
        goods_net: amounts.goods_net,
        tax: amounts.tax,
        tax_included: amounts.tax_included,
        shipping_share: amounts.shipping,
        shipping_tax_share: amounts.shipping_tax,
    }
}

fn line_state(state: LineState) -> wire::OrderLineState {
    match state {
        LineState::Returned => wire::OrderLineState::Returned,
        LineState::CancelPending => wire::OrderLineState::CancelPending,
        LineState::Cancelled => wire::OrderLineState::Cancelled,
        LineState::Fulfilled => wire::OrderLineState::Fulfilled,
        LineState::PartiallyFulfilled => wire::OrderLineState::PartiallyFulfilled,
        LineState::Allocated => wire::OrderLineState::Allocated,
        LineState::PartiallyAllocated => wire::OrderLineState::PartiallyAllocated,
        LineState::Ordered => wire::OrderLineState::Ordered,
    }
}

fn group(group: &Group) -> wire::DeliveryGroup {
    wire::DeliveryGroup {
        delivery_group: display(&group.delivery_group),
        shipping_minor: group.shipping_minor,
        shipping_tax_minor: group.shipping_tax_minor,
        shipping_reversed_minor: group.shipping_reversed_minor,
        shipping_tax_reversed_minor: group.shipping_tax_reversed_minor,
    }
}

pub(super) fn totals(totals: Totals) -> wire::OrderTotals {
    wire::OrderTotals {
        placed_minor: totals.placed_minor,
        reversed_minor: totals.reversed_minor,
        total_minor: totals.total_minor().max(0),
        fees_minor: totals.fees_minor,
        goodwill_minor: totals.goodwill_minor,
        refund_owed_minor: totals.owed.minor,
        position_sequence: totals.owed.sequence,
        position_pending: totals.owed.pending,
    }
}

fn parties(parties: &Parties) -> wire::Parties {
    wire::Parties {
        buyer: display(&parties.buyer),
        supplier: display(&parties.supplier),
        source_router: display(&parties.source_router),
        client_contact: display(&parties.client_contact),
    }
}

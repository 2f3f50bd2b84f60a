//! What the RPCs answer with.

use proto::inventory::v1 as wire;
use types::{OrderId, ReservationId};

use crate::domain::{FulfilmentState, Reservation, Sku, Stock, Warehouse, WarehouseId, WarehouseKind};
use crate::ops::{LedgerLine, ShownFulfilment, ShownStock};

pub fn warehouse(id: &WarehouseId, warehouse: &Warehouse) -> wire::Warehouse {
    let kind = match warehouse.kind {
        WarehouseKind::Own => wire::WarehouseKind::Own,
        WarehouseKind::Dropship => wire::WarehouseKind::Dropship,
    };
    wire::Warehouse {
        warehouse_id: id.as_str().to_owned(),
        kind: kind.into(),
        priority: warehouse.priority,
        active: warehouse.active,
        integration: warehouse.integration.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

pub fn assignment(sku: &Sku, warehouse_id: Option<&WarehouseId>) -> wire::SkuAssignment {
    wire::SkuAssignment {
        sku: sku.as_str().to_owned(),
        warehouse_id: warehouse_id.map_or("", WarehouseId::as_str).to_owned(),
    }
}

pub fn stock(warehouse_id: &WarehouseId, sku: &Sku, stock: &Stock) -> wire::Stock {
    wire::Stock {
        warehouse_id: warehouse_id.as_str().to_owned(),
        sku: sku.as_str().to_owned(),
        on_hand: stock.on_hand,
        reserved: stock.reserved,
        available: stock.available(),
    }
}

pub fn shown_stock(shown: &ShownStock) -> wire::Stock {
    stock(&shown.warehouse_id, &shown.sku, &shown.stock)
}

pub fn ledger_entry(line: LedgerLine) -> wire::StockLedgerEntry {
    wire::StockLedgerEntry {
        sequence: line.entry.seq,
        kind: line.entry.kind.as_str().to_owned(),
        on_hand_delta: line.entry.on_hand_delta,
        reserved_delta: line.entry.reserved_delta,
        saga_id: line.saga_id,
        step: line.step,
        reservation_id: line.reservation_id,
        order_id: line.order_id,
        at: line.at.to_string(),
    }
}

pub fn reservation(order_id: &OrderId, id: &ReservationId, row: &Reservation) -> wire::Reservation {
    wire::Reservation {
        reservation_id: id.to_string(),
        order_id: order_id.to_string(),
        line_id: row.line_id.to_string(),
        warehouse_id: row.warehouse_id.as_str().to_owned(),
        sku: row.sku.as_str().to_owned(),
        quantity: row.quantity,
        state: row.state.as_str().to_owned(),
        held_by: row.held_by().unwrap_or_default().to_owned(),
        split_of: row.split_of.as_ref().map(ToString::to_string).unwrap_or_default(),
        fulfilment_id: row.packed.as_ref().map(|line| line.fulfilment_id.to_string()).unwrap_or_default(),
    }
}

pub fn fulfilment(shown: &ShownFulfilment) -> wire::Fulfillment {
    let state = match shown.state {
        FulfilmentState::Allocated => wire::FulfillmentState::Allocated,
        FulfilmentState::Submitted => wire::FulfillmentState::Submitted,
        FulfilmentState::PartiallyShipped => wire::FulfillmentState::PartiallyShipped,
        FulfilmentState::Shipped => wire::FulfillmentState::Shipped,
        FulfilmentState::Delivered => wire::FulfillmentState::Delivered,
        FulfilmentState::Cancelled => wire::FulfillmentState::Cancelled,
    };
    let partner = shown.fulfilment.partner.as_ref();
    wire::Fulfillment {
        fulfillment_id: shown.id.to_string(),
        order_id: shown.order_id.to_string(),
        warehouse_id: shown.warehouse_id.as_str().to_owned(),
        state: state.into(),
        lines: shown.lines.iter().filter_map(|(id, row)| fulfilment_line(id, row)).collect(),
        integration: partner.map(|partner| partner.integration.to_string()).unwrap_or_default(),
        external_number: partner.map(|partner| partner.external_number.clone()).unwrap_or_default(),
        submitted_at: shown.fulfilment.submitted_at.map(|at| at.to_string()).unwrap_or_default(),
    }
}

fn fulfilment_line(id: &ReservationId, row: &Reservation) -> Option<wire::FulfillmentLine> {
    let line = row.packed.as_ref()?;
    Some(wire::FulfillmentLine {
        fulfillment_line_id: line.id.to_string(),
        line_id: row.line_id.to_string(),
        reservation_id: id.to_string(),
        sku: row.sku.as_str().to_owned(),
        quantity: row.quantity,
        state: row.line_state()?.as_str().to_owned(),
        held_by: row.held_by().or(row.claimed_by()).unwrap_or_default().to_owned(),
        split_of: line.split_of.as_ref().map(ToString::to_string).unwrap_or_default(),
        restocked: line.restocked,
        resubmit_needed: line.resubmit_needed,
    })
}

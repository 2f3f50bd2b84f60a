//! The inventory's part of a plan: what is asked for the lines of an order.

use proto::inventory::v1::{ReserveStock, ReserveStockLine, ReshippedLine};

use crate::domain::bundling::{is_made_of_parts, parent_of};
use crate::domain::order::{Line, Order};

/// What a restoration asks for: all cancelled units again, while units that had left stay where they are.
pub fn restored(order: &Order) -> ReserveStock {
    let again = order.lines.iter().filter(|line| line.quantities.cancelled > 0);
    let left = order.lines.iter().filter(|line| line.quantities.cancelled_after_ship > 0);
    ReserveStock {
        order_id: order.order_id.to_string(),
        lines: again.map(|line| reserve_line(order, line, line.quantities.cancelled)).collect(),
        reshipped: left
            .map(|line| ReshippedLine {
                line_id: line.line_id.to_string(),
                quantity: line.quantities.cancelled_after_ship,
            })
            .collect(),
        until_paid: false,
    }
}

/// The parts of a bundle are reserved, and the bundle itself is not.
pub(super) fn reserve_line(order: &Order, line: &Line, quantity: i64) -> ReserveStockLine {
    let parent = parent_of(order, line).filter(|parent| is_made_of_parts(order, parent));
    ReserveStockLine {
        line_id: line.line_id.to_string(),
        sku: line.sku.clone(),
        quantity,
        warehouse_id: line.warehouse_id.clone().unwrap_or_default(),
        without_stock: is_made_of_parts(order, line),
        part_of: parent.map(|parent| parent.line_id.to_string()).unwrap_or_default(),
    }
}

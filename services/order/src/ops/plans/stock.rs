//! What is asked of the shelves for an order's lines; see `plans`.

use proto::inventory::v1::{ReserveStock, ReserveStockLine, ReshippedLine};

use crate::domain::bundling::{is_made_of_parts, parent_of};
use crate::domain::order::{Line, Order};

/// What a restoration wants of the inventory: all cancelled units again, and those that had left where they are.
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

/// A part goes with its bundle; a bundle that is made of its parts takes nothing of a shelf itself.
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

//! StockService's mutations, parsed.

use proto::inventory::v1 as wire;
use types::{Reason, Refusal};

use super::convert;
use crate::domain::{Warehouse, WarehouseKind};
use crate::ops::{Action, Adjustment};

const PRIORITY_MAX: i64 = 1_000_000;
const ON_HAND_MAX: i64 = 1_000_000_000_000;
const ADJUSTMENTS_MAX: usize = 200;

pub fn upsert_warehouse(request: &wire::UpsertWarehouseRequest) -> Result<Action, Refusal> {
    let given = request.warehouse.as_ref();
    let given = given
        .ok_or_else(|| Refusal::new(Reason::FieldRequired, "warehouse is missing").field("warehouse"))?;
    let kind = match wire::WarehouseKind::try_from(given.kind) {
        Ok(wire::WarehouseKind::Unspecified | wire::WarehouseKind::Own) => WarehouseKind::Own,
        Ok(wire::WarehouseKind::Dropship) => WarehouseKind::Dropship,
        Err(_) => {
            let message = format!("{} is no kind of warehouse", given.kind);
            return Err(Refusal::new(Reason::FieldInvalid, message).field("warehouse.kind"));
        }
    };
    if !(0..=PRIORITY_MAX).contains(&given.priority) {
        let refusal = Refusal::new(Reason::FieldInvalid, format!("a priority is 0 to {PRIORITY_MAX}"));
        return Err(refusal.field("warehouse.priority"));
    }
    let id = convert::warehouse_id("warehouse.warehouse_id", &given.warehouse_id)?;
    let integration = match (given.integration.as_str(), kind) {
        ("", _) => None,
        (key, WarehouseKind::Dropship) => Some(convert::integration_key("warehouse.integration", key)?),
        (_, WarehouseKind::Own) => {
            let message = "our own warehouses are reached without an integration";
            return Err(Refusal::new(Reason::FieldInvalid, message).field("warehouse.integration"));
        }
    };
    Ok(Action::UpsertWarehouse {
        id,
        warehouse: Warehouse { kind, priority: given.priority, active: given.active, integration },
    })
}

pub fn assign_sku(request: &wire::AssignSkuRequest) -> Result<Action, Refusal> {
    Ok(Action::AssignSku {
        sku: convert::sku("sku", &request.sku)?,
        warehouse_id: convert::optional_warehouse_id("warehouse_id", &request.warehouse_id)?,
    })
}

pub fn set_stock(request: &wire::SetStockRequest) -> Result<Action, Refusal> {
    if !(0..=ON_HAND_MAX).contains(&request.on_hand) {
        let refusal = Refusal::new(Reason::QuantityOutOfRange, format!("stock is 0 to {ON_HAND_MAX} units"));
        return Err(refusal.field("on_hand"));
    }
    Ok(Action::SetStock {
        warehouse_id: convert::warehouse_id("warehouse_id", &request.warehouse_id)?,
        sku: convert::sku("sku", &request.sku)?,
        on_hand: request.on_hand,
    })
}

pub fn adjust_stock(request: &wire::AdjustStockRequest) -> Result<Action, Refusal> {
    let count = request.adjustments.len();
    convert::not_empty(count, "adjustments")?;
    convert::at_most(count, ADJUSTMENTS_MAX, "adjustments", Reason::TooManyLines)?;
    let rows = request.adjustments.iter().enumerate().map(|(index, row)| {
        let field = |name: &str| format!("adjustments[{index}].{name}");
        if row.delta == 0 {
            let refusal = Refusal::new(Reason::FieldInvalid, "an adjustment of nothing moves nothing");
            return Err(refusal.field(field("delta")));
        }
        Ok(Adjustment {
            warehouse_id: convert::warehouse_id(&field("warehouse_id"), &row.warehouse_id)?,
            sku: convert::sku(&field("sku"), &row.sku)?,
            delta: row.delta,
        })
    });
    rows.collect::<Result<_, _>>().map(Action::AdjustStock)
}

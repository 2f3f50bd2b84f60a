//! Parsing that the RPCs share. What is wrong is said with the path of its field.

use proto::inventory::v1::FulfillmentLineSelection;
use types::{FulfilmentId, LabelId, LineId, OrderId, PartnerTaskId, Quantity, Reason, Refusal, text};

use crate::domain::{IntegrationKey, Selection, Sku, WarehouseId};

/// The most lines of one order.
pub const LINES_MAX: usize = 1_000;
const TRACKING_NUMBER_MAX: usize = 64;
const NOTE_MAX: usize = 1_000;
const CODE_MAX: usize = 128;

/// The error of one field as a refusal that names it.
pub fn at<E: Into<Refusal>>(field: &str) -> impl FnOnce(E) -> Refusal {
    let field = field.to_owned();
    move |error| error.into().field(field)
}

pub fn warehouse_id(field: &str, text: &str) -> Result<WarehouseId, Refusal> {
    WarehouseId::parse(text).map_err(at(field))
}

pub fn optional_warehouse_id(field: &str, text: &str) -> Result<Option<WarehouseId>, Refusal> {
    if text.is_empty() { Ok(None) } else { warehouse_id(field, text).map(Some) }
}

pub fn sku(field: &str, text: &str) -> Result<Sku, Refusal> {
    Sku::parse(text).map_err(at(field))
}

pub fn order_id(field: &str, text: &str) -> Result<OrderId, Refusal> {
    OrderId::parse(text).map_err(at(field))
}

pub fn line_id(field: &str, text: &str) -> Result<LineId, Refusal> {
    LineId::parse(text).map_err(at(field))
}

pub fn fulfilment_id(text: &str) -> Result<FulfilmentId, Refusal> {
    FulfilmentId::parse(text).map_err(at("fulfillment_id"))
}

pub fn quantity(field: &str, units: i64) -> Result<Quantity, Refusal> {
    Quantity::parse(units).map_err(at(field))
}

pub fn tracking_number(text: &str) -> Result<String, Refusal> {
    text::name(TRACKING_NUMBER_MAX, text).map_err(at("tracking_number"))
}

pub fn external_number(text: &str) -> Result<String, Refusal> {
    text::name(TRACKING_NUMBER_MAX, text).map_err(at("external_number"))
}

/// A code or a reference of another service or system.
pub fn code(field: &str, text: &str) -> Result<String, Refusal> {
    text::name(CODE_MAX, text).map_err(at(field))
}

pub fn note(field: &str, text: &str) -> Result<String, Refusal> {
    text::parse(NOTE_MAX, text).map_err(at(field))
}

pub fn label_id(text: &str) -> Result<LabelId, Refusal> {
    LabelId::parse(text).map_err(at("label_id"))
}

pub fn task_id(text: &str) -> Result<PartnerTaskId, Refusal> {
    PartnerTaskId::parse(text).map_err(at("task_id"))
}

pub fn integration_key(field: &str, text: &str) -> Result<IntegrationKey, Refusal> {
    IntegrationKey::parse(text).map_err(at(field))
}

pub fn selection(lines: &[FulfillmentLineSelection]) -> Result<Vec<Selection>, Refusal> {
    at_most(lines.len(), LINES_MAX, "lines", Reason::TooManyLines)?;
    let parsed = lines.iter().enumerate().map(|(index, line)| {
        Ok(Selection {
            line_id: line_id(&format!("lines[{index}].line_id"), &line.line_id)?,
            quantity: quantity(&format!("lines[{index}].quantity"), line.quantity)?,
        })
    });
    parsed.collect()
}

pub fn at_most(count: usize, max: usize, field: &str, reason: Reason) -> Result<(), Refusal> {
    if count <= max {
        return Ok(());
    }
    let refusal = Refusal::new(reason, format!("{field} has {count} entries, of at most {max}"));
    Err(refusal.field(field).detail("max", max))
}

pub fn not_empty(count: usize, field: &str) -> Result<(), Refusal> {
    if count > 0 {
        return Ok(());
    }
    Err(Refusal::new(Reason::FieldRequired, format!("{field} is empty")).field(field))
}

//! Parsing of what a proposal asks for, for those that are made and those that are only looked at.

use std::time::Duration;

use proto::order::v1 as wire;
use types::{Reason, Refusal, Timestamp};

use crate::api::address::address;
use crate::api::changes::line_key;
use crate::api::convert::{
    NOTE_LENGTH_MAX, REASON_LENGTH_MAX, free_text, minor, missing, optional, too_many, unknown_value,
};
use crate::api::orders::new_order::{self, SIDE_ROWS_MAX, each, tender};
use crate::domain::change::{GroupReversal, LineKey};
use crate::domain::lifecycle::{Proposal, Proposed};
use crate::domain::placing::NewLine;

/// The most lines, items or delivery groups of a proposal.
const ROWS_MAX: usize = 100;
const GROUP_LENGTH_MAX: usize = 64;
/// How long a proposal may be answered: three days unless it says otherwise, thirty at most.
const VALID_SECONDS: u64 = 3 * 24 * 60 * 60;
const VALID_SECONDS_MAX: u64 = 30 * 24 * 60 * 60;

pub fn proposal(request: &wire::ProposeChangeOrderRequest, now: Timestamp) -> Result<Proposal, Refusal> {
    let pricing_version = request.pricing_version;
    if pricing_version < 0 {
        let message = "versions of a price are counted from 1";
        return Err(Refusal::new(Reason::FieldInvalid, message).field("pricing_version"));
    }
    Ok(Proposal {
        proposed: proposed(request)?,
        reason_code: optional("reason_code", REASON_LENGTH_MAX, &request.reason_code)?,
        note: free_text("note", NOTE_LENGTH_MAX, &request.note)?,
        expires_at: now.plus(valid_for(request.valid_seconds)?),
        pays: each("tenders", &request.tenders, SIDE_ROWS_MAX, tender)?,
        pricing_version: (pricing_version > 0).then_some(pricing_version),
    })
}

fn proposed(request: &wire::ProposeChangeOrderRequest) -> Result<Proposed, Refusal> {
    use wire::ChangeOrderType as Kind;
    let kind = Kind::try_from(request.r#type).map_err(|_| unknown_value("type", request.r#type))?;
    nothing_else(kind, request)?;
    match kind {
        Kind::Unspecified => Err(missing("type", "the type says what is proposed")),
        Kind::EditQuantity => Ok(Proposed::Quantities(left(request)?)),
        Kind::AddItem => Ok(Proposed::Items(items(request)?)),
        Kind::ReplaceItem => Ok(Proposed::Replacement { left: left(request)?, items: items(request)? }),
        Kind::PriceAdjust => {
            at_least_one("lines", request.lines.len())?;
            let lines = request.lines.iter().enumerate().map(|(index, line)| cheaper(index, line));
            lines.collect::<Result<_, _>>().map(Proposed::Prices)
        }
        Kind::ShippingAdjust => {
            at_least_one("shipping", request.shipping.len())?;
            let groups = request.shipping.iter().enumerate().map(|(index, group)| reversal(index, group));
            groups.collect::<Result<_, _>>().map(Proposed::Shipping)
        }
        Kind::Address => {
            let given = request.address.as_ref();
            let given = given.ok_or_else(|| missing("address", "the new address is missing"))?;
            address("address", given).map(Proposed::Address)
        }
        other => {
            let message = format!("{} is not proposed; it has an RPC of its own", other.as_str_name());
            Err(Refusal::new(Reason::FieldInvalid, message).field("type"))
        }
    }
}

/// What a proposal of another kind would say is a mistake, and nothing to be passed over in silence.
fn nothing_else(
    kind: wire::ChangeOrderType,
    request: &wire::ProposeChangeOrderRequest,
) -> Result<(), Refusal> {
    use wire::ChangeOrderType as Kind;
    let said = [
        ("lines", !request.lines.is_empty(), [Kind::EditQuantity, Kind::ReplaceItem, Kind::PriceAdjust]),
        ("items", !request.items.is_empty(), [Kind::AddItem, Kind::ReplaceItem, Kind::ReplaceItem]),
        ("shipping", !request.shipping.is_empty(), [Kind::ShippingAdjust; 3]),
        ("address", request.address.is_some(), [Kind::Address; 3]),
        ("tenders", !request.tenders.is_empty(), [Kind::EditQuantity, Kind::AddItem, Kind::ReplaceItem]),
    ];
    match said.into_iter().find(|(_, is_said, kinds)| *is_said && !kinds.contains(&kind)) {
        None => Ok(()),
        Some((field, ..)) => {
            let message = format!("{} says nothing of {field}", kind.as_str_name());
            Err(Refusal::new(Reason::FieldInvalid, message).field(field))
        }
    }
}

fn at_least_one(field: &str, count: usize) -> Result<(), Refusal> {
    match count {
        0 => Err(missing(field, "the proposal names at least one")),
        1..=ROWS_MAX => Ok(()),
        count => Err(too_many(field, ROWS_MAX, count)),
    }
}

fn left(request: &wire::ProposeChangeOrderRequest) -> Result<Vec<(LineKey, i64)>, Refusal> {
    at_least_one("lines", request.lines.len())?;
    let lines = request.lines.iter().enumerate().map(|(index, line)| {
        let at = format!("lines[{index}]");
        let key = line_key(&at, &line.line_id, line.line_number)?;
        only(&at, "off_minor", line.off_minor)?;
        if line.new_quantity < 0 {
            let message = "no line is left with less than nothing";
            return Err(Refusal::new(Reason::QuantityOutOfRange, message).field(format!("{at}.new_quantity")));
        }
        Ok((key, line.new_quantity))
    });
    lines.collect()
}

fn cheaper(index: usize, line: &wire::ProposedLine) -> Result<(LineKey, i64), Refusal> {
    let at = format!("lines[{index}]");
    let key = line_key(&at, &line.line_id, line.line_number)?;
    only(&at, "new_quantity", line.new_quantity)?;
    if line.off_minor < 0 {
        let message = "a negative amount would raise the price";
        return Err(Refusal::new(Reason::PriceIncreaseNotAllowed, message).field(format!("{at}.off_minor")));
    }
    Ok((key, minor(&format!("{at}.off_minor"), 1, line.off_minor)?))
}

/// A field of another kind of proposal.
fn only(at: &str, field: &str, given: i64) -> Result<(), Refusal> {
    if given == 0 {
        return Ok(());
    }
    let message = format!("a proposal of this type says nothing of {field}");
    Err(Refusal::new(Reason::FieldInvalid, message).field(format!("{at}.{field}")))
}

fn items(request: &wire::ProposeChangeOrderRequest) -> Result<Vec<NewLine>, Refusal> {
    at_least_one("items", request.items.len())?;
    let items: Vec<wire::LineInput> = request
        .items
        .iter()
        .map(|item| wire::LineInput {
            sku: item.sku.clone(),
            description: item.description.clone(),
            quantity: item.quantity,
            unit_price: item.unit_price.clone(),
            tax: item.tax,
            warehouse_id: item.warehouse_id.clone(),
            delivery_group: item.delivery_group.clone(),
            ..wire::LineInput::default()
        })
        .collect();
    each("items", &items, ROWS_MAX, new_order::line)
}

/// A charge can only be lowered by what is agreed; raising it would have to be paid first.
fn reversal(index: usize, given: &wire::ShippingReversalInput) -> Result<GroupReversal, Refusal> {
    let at = |field: &str| format!("shipping[{index}].{field}");
    if given.shipping_minor < 0 || given.shipping_tax_minor < 0 {
        let message = "a negative amount would raise the charge";
        return Err(Refusal::new(Reason::PriceIncreaseNotAllowed, message).field(at("shipping_minor")));
    }
    let reversal = GroupReversal {
        delivery_group: optional(&at("delivery_group"), GROUP_LENGTH_MAX, &given.delivery_group)?,
        shipping_minor: minor(&at("shipping_minor"), 0, given.shipping_minor)?,
        shipping_tax_minor: minor(&at("shipping_tax_minor"), 0, given.shipping_tax_minor)?,
    };
    if reversal.shipping_minor + reversal.shipping_tax_minor == 0 {
        return Err(missing(&at("shipping_minor"), "an adjustment takes something off"));
    }
    Ok(reversal)
}

fn valid_for(seconds: i64) -> Result<Duration, Refusal> {
    let refusal = || {
        let message = format!("a proposal may be answered for 1 to {VALID_SECONDS_MAX} seconds");
        Refusal::new(Reason::FieldInvalid, message).field("valid_seconds")
    };
    match u64::try_from(seconds).map_err(|_| refusal())? {
        0 => Ok(Duration::from_secs(VALID_SECONDS)),
        seconds @ 1..=VALID_SECONDS_MAX => Ok(Duration::from_secs(seconds)),
        _ => Err(refusal()),
    }
}

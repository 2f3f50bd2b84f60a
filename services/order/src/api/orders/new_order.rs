//! Parsing of a new order.

use std::collections::BTreeSet;

use prost::Message as _;
use proto::common::v1 as common;
use proto::order::v1 as wire;
use types::{Currency, Fingerprint, Quantity, Reason, Refusal, UnitPrice};

use crate::api::address::address;
use crate::api::convert::{
    instant, line as text_line, minor, missing, optional, reference, required, too_many,
};
use crate::domain::order::{ExternalReference, InBundle, Parties};
use crate::domain::placing::{NewExternalPayment, NewLine, NewOrder, NewShipping, NewTender};
use crate::domain::policy::Bundle;

/// The most lines of an order.
pub const LINES_MAX: usize = 1_000;
/// The most tenders, external payments and references of an order, each.
pub(in crate::api) const SIDE_ROWS_MAX: usize = 100;

/// The longest number of an order.
pub const NUMBER_LENGTH_MAX: usize = 64;
const NAME_LENGTH_MAX: usize = 64;
const PARTY_LENGTH_MAX: usize = 128;
const DESCRIPTION_LENGTH_MAX: usize = 255;
const TOKEN_LENGTH_MAX: usize = 255;

/// Parses everything of the request but its id and its wish to wait.
pub fn new_order(request: &wire::CreateOrderRequest) -> Result<NewOrder, Refusal> {
    match request.lines.len() {
        0 => return Err(missing("lines", "an order has at least one line")),
        1..=LINES_MAX => {}
        count => return Err(too_many("lines", LINES_MAX, count)),
    }
    let number = optional("number", NUMBER_LENGTH_MAX, &request.number)?;
    let currency = Currency::parse(&request.currency_code)
        .map_err(|error| Refusal::from(error).field("currency_code"))?;
    Ok(NewOrder {
        number: (!number.is_empty()).then_some(number),
        currency,
        lines: each("lines", &request.lines, LINES_MAX, line)?,
        order_discount_minor: minor("order_discount_minor", 0, request.order_discount_minor)?,
        order_tax_minor: minor("order_tax_minor", 0, request.order_tax_minor)?,
        shipping: shipping(&request.shipping)?,
        tenders: each("tenders", &request.tenders, SIDE_ROWS_MAX, tender)?,
        external_payments: each(
            "external_payments",
            &request.external_payments,
            SIDE_ROWS_MAX,
            external_payment,
        )?,
        parties: parties(request.parties.as_ref())?,
        address: request
            .delivery_address
            .as_ref()
            .map(|given| address("delivery_address", given))
            .transpose()?,
        customer_id: optional("customer_id", PARTY_LENGTH_MAX, &request.customer_id)?,
        references: references(&request.external_references)?,
        confirm_later: request.confirm_later,
        reissue_of: None,
        bundles: Bundle::ParentPriced,
        placed_at: instant("placed_at", &request.placed_at)?,
        content: content(request),
    })
}

/// What a request id is bound to. Defaults are not encoded, so that a field which a later version
/// adds does not change the fingerprint of a request that does not use it.
fn content(request: &wire::CreateOrderRequest) -> Fingerprint {
    let request = wire::CreateOrderRequest { request_id: String::new(), wait: 0, ..request.clone() };
    Fingerprint::of(&[&request.encode_to_vec()])
}

/// Parses every row of a list, each with its own path.
pub(in crate::api) fn each<Given, Parsed>(
    field: &str,
    rows: &[Given],
    most: usize,
    parse: fn(&str, &Given) -> Result<Parsed, Refusal>,
) -> Result<Vec<Parsed>, Refusal> {
    if rows.len() > most {
        return Err(too_many(field, most, rows.len()));
    }
    rows.iter().enumerate().map(|(index, row)| parse(&format!("{field}[{index}]"), row)).collect()
}

pub(in crate::api) fn line(at: &str, line: &wire::LineInput) -> Result<NewLine, Refusal> {
    let tax = line.tax.unwrap_or_default();
    let warehouse_id = optional(&format!("{at}.warehouse_id"), NAME_LENGTH_MAX, &line.warehouse_id)?;
    Ok(NewLine {
        sku: required(&format!("{at}.sku"), NAME_LENGTH_MAX, &line.sku)?,
        description: text_line(&format!("{at}.description"), DESCRIPTION_LENGTH_MAX, &line.description)?,
        quantity: Quantity::parse(line.quantity)
            .map_err(|error| Refusal::from(error).field(format!("{at}.quantity")))?,
        unit_price: UnitPrice::parse(&line.unit_price)
            .map_err(|error| Refusal::from(error).field(format!("{at}.unit_price")))?,
        line_discount_minor: minor(&format!("{at}.line_discount_minor"), 0, line.line_discount_minor)?,
        tax_minor: minor(&format!("{at}.tax.amount_minor"), 0, tax.amount_minor)?,
        tax_included: tax.included,
        warehouse_id: (!warehouse_id.is_empty()).then_some(warehouse_id),
        delivery_group: optional(&format!("{at}.delivery_group"), NAME_LENGTH_MAX, &line.delivery_group)?,
        bundle: bundle(at, line)?,
        own_stock: line.own_stock,
    })
}

/// Which line the parent is, and whether it can be one, is held against the other lines when the order is placed.
fn bundle(at: &str, line: &wire::LineInput) -> Result<Option<InBundle>, Refusal> {
    match (line.parent_line, line.ratio) {
        (0, 0) => Ok(None),
        (parent, ratio) if parent > 0 && ratio > 0 => Ok(Some(InBundle { parent, ratio })),
        (_, _) => {
            let message = "a part of a bundle names its parent's line and how many of it belong to one";
            Err(Refusal::new(Reason::FieldInvalid, message).field(format!("{at}.parent_line")))
        }
    }
}

/// Each delivery group has one charge.
fn shipping(rows: &[wire::ShippingInput]) -> Result<Vec<NewShipping>, Refusal> {
    let charges = each("shipping", rows, LINES_MAX, |at, row: &wire::ShippingInput| {
        let group = optional(&format!("{at}.delivery_group"), NAME_LENGTH_MAX, &row.delivery_group)?;
        Ok(NewShipping {
            delivery_group: group,
            amount_minor: minor(&format!("{at}.amount_minor"), 0, row.amount_minor)?,
            tax_minor: minor(&format!("{at}.tax_minor"), 0, row.tax_minor)?,
        })
    })?;
    each_once("shipping", "delivery_group", charges.iter().map(|charge| &charge.delivery_group))?;
    Ok(charges)
}

pub(in crate::api) fn tender(at: &str, tender: &wire::TenderInput) -> Result<NewTender, Refusal> {
    Ok(NewTender {
        gateway: required(&format!("{at}.gateway"), NAME_LENGTH_MAX, &tender.gateway)?,
        payment_token: required(&format!("{at}.payment_token"), TOKEN_LENGTH_MAX, &tender.payment_token)?,
        amount_minor: minor(&format!("{at}.amount_minor"), 1, tender.amount_minor)?,
        capture_now: tender.capture_now,
    })
}

pub(in crate::api) fn external_payment(
    at: &str,
    paid: &wire::ExternalPaymentInput,
) -> Result<NewExternalPayment, Refusal> {
    let authorised_minor = minor(&format!("{at}.authorised_minor"), 1, paid.authorised_minor)?;
    let captured_minor = minor(&format!("{at}.captured_minor"), 0, paid.captured_minor)?;
    if captured_minor > authorised_minor {
        let message = format!("{captured_minor} captured is more than the {authorised_minor} authorised");
        return Err(Refusal::new(Reason::AmountOutOfRange, message).field(format!("{at}.captured_minor")));
    }
    Ok(NewExternalPayment {
        gateway: required(&format!("{at}.gateway"), NAME_LENGTH_MAX, &paid.gateway)?,
        reference: required(&format!("{at}.reference"), TOKEN_LENGTH_MAX, &paid.reference)?,
        authorised_minor,
        captured_minor,
        attested: paid.attested,
    })
}

fn parties(given: Option<&wire::Parties>) -> Result<Parties, Refusal> {
    let Some(given) = given else {
        return Ok(Parties::default());
    };
    let party = |name: &str, text: &str| optional(&format!("parties.{name}"), PARTY_LENGTH_MAX, text);
    Ok(Parties {
        buyer: party("buyer", &given.buyer)?,
        supplier: party("supplier", &given.supplier)?,
        source_router: party("source_router", &given.source_router)?,
        client_contact: text_line("parties.client_contact", DESCRIPTION_LENGTH_MAX, &given.client_contact)?,
    })
}

pub(in crate::api) fn references(
    rows: &[common::ExternalReference],
) -> Result<Vec<ExternalReference>, Refusal> {
    let references = each("external_references", rows, SIDE_ROWS_MAX, reference)?;
    each_once("external_references", "reference", references.iter())?;
    Ok(references)
}

fn each_once<Key: Ord>(list: &str, field: &str, keys: impl Iterator<Item = Key>) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for (index, key) in keys.enumerate() {
        if !seen.insert(key) {
            let message = format!("{list} names the same {field} twice");
            return Err(Refusal::new(Reason::FieldInvalid, message).field(format!("{list}[{index}].{field}")));
        }
    }
    Ok(())
}

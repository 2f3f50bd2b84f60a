//! Reissuing an order: a new order like an old one, under a new number. The old order stays as it is.
//!
//! Partners refuse a number that they have received before, even if it was cancelled. So the new order gets the old number with the next free
//! suffix.

use std::collections::BTreeMap;

use types::{Fingerprint, OrderId, Quantity, Reason, Refusal, UnitPrice};

use super::order::{ExternalReference, Line, Order};
use super::placing::{NewExternalPayment, NewLine, NewOrder, NewShipping, NewTender};
use super::policy::Bundle;

/// How often one order can be reissued.
const REISSUES_MAX: u32 = 50;

/// A request to reissue an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reissue {
    pub order_id: OrderId,
    pub prices: Prices,
    pub tenders: Vec<NewTender>,
    pub external_payments: Vec<NewExternalPayment>,
    pub references: Vec<ExternalReference>,
    pub confirm_later: bool,
    /// Of the canonical request.
    pub content: Fingerprint,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prices {
    /// Everything as it was: prices, discounts, taxes, shipping.
    Frozen,
    /// These prices by article, without the old discounts and taxes.
    Current(BTreeMap<String, UnitPrice>),
}

/// The numbers that a reissue of this order may get, the preferred one first.
pub fn numbers(number: &str) -> impl Iterator<Item = String> {
    let first = match number.rsplit_once("-R") {
        Some((first, count)) if !count.is_empty() && count.bytes().all(|digit| digit.is_ascii_digit()) => {
            first
        }
        Some(_) | None => number,
    };
    (1..=REISSUES_MAX).map(move |count| format!("{first}-R{count}"))
}

/// The order to place. `number` is one of [`numbers`] that no other order has.
pub fn new_order(source: &Order, wish: &Reissue, number: String) -> Result<NewOrder, Refusal> {
    let lines = source.lines.iter().map(|line| new_line(source, line, &wish.prices));
    let order_discount_minor = match wish.prices {
        Prices::Frozen => source.lines.iter().map(|line| line.amounts.order_discount).sum(),
        Prices::Current(_) => 0,
    };
    let shipping = source.groups.iter().map(|group| NewShipping {
        delivery_group: group.delivery_group.clone(),
        amount_minor: group.shipping_minor,
        tax_minor: group.shipping_tax_minor,
    });
    Ok(NewOrder {
        number: Some(number),
        currency: source.currency,
        lines: lines.collect::<Result<_, _>>()?,
        order_discount_minor,
        // Each line's share stands in its own tax.
        order_tax_minor: 0,
        shipping: shipping.filter(|charge| charge.amount_minor + charge.tax_minor > 0).collect(),
        tenders: wish.tenders.clone(),
        external_payments: wish.external_payments.clone(),
        parties: source.parties.clone(),
        address: source.address.clone(),
        customer_id: source.customer_id.clone(),
        references: wish.references.clone(),
        confirm_later: wish.confirm_later,
        reissue_of: Some(source.order_id.clone()),
        bundles: Bundle::ParentPriced,
        placed_at: None,
        content: wish.content.clone(),
    })
}

fn new_line(source: &Order, line: &Line, prices: &Prices) -> Result<NewLine, Refusal> {
    let copied = NewLine {
        sku: line.sku.clone(),
        description: line.description.clone(),
        quantity: Quantity::parse(line.quantities.ordered).expect("a stored line has a quantity"),
        unit_price: line.unit_price,
        line_discount_minor: 0,
        tax_minor: 0,
        tax_included: false,
        warehouse_id: line.warehouse_id.clone(),
        delivery_group: line.delivery_group.clone(),
        bundle: line.bundle,
        own_stock: line.own_stock,
    };
    match prices {
        // The price of a bundle stands on its parent again, even if it was divided over the children.
        _ if line.bundle.is_some() => Ok(copied),
        Prices::Frozen => {
            let members = || source.lines.iter().filter(|member| is_of(member, line));
            Ok(NewLine {
                line_discount_minor: members().map(|member| member.amounts.line_discount).sum(),
                tax_minor: members().map(|member| member.amounts.tax).sum(),
                tax_included: members().any(|member| member.amounts.tax_included),
                ..copied
            })
        }
        Prices::Current(by_sku) => {
            let missing = || {
                let message = format!("the current price of {} is missing", line.sku);
                let refusal = Refusal::new(Reason::FieldRequired, message).field("current_prices");
                refusal.detail("sku", &line.sku)
            };
            Ok(NewLine { unit_price: *by_sku.get(&line.sku).ok_or_else(missing)?, ..copied })
        }
    }
}

/// The line itself, or a child of the bundle whose parent it is.
fn is_of(member: &Line, line: &Line) -> bool {
    member.line_number == line.line_number
        || member.bundle.is_some_and(|place| place.parent == line.line_number)
}

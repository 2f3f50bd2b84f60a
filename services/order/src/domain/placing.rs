//! Making an order out of what was asked for: amounts are computed and divided once, and frozen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use types::money::allocate;
use types::{
    Currency, Fingerprint, Ids, LineId, Money, OrderId, PaymentId, Quantity, Reason, Refusal, Tenant,
    Timestamp, UnitPrice,
};

use super::address::Address;
use super::bundling;
use super::history::{Entry, Happened};
use super::order::{
    Actor, ExternalReference, Group, InBundle, Line, LineAmounts, Order, Parties, Placement, Progress,
};
use super::outside::Outside;
use super::policy::Bundle;
use super::position::Position;
use super::quantities::Quantities;

/// An order that was asked for: parsed field by field, its sums not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// Minted when absent.
    pub number: Option<String>,
    pub currency: Currency,
    pub lines: Vec<NewLine>,
    pub order_discount_minor: i64,
    /// Beside the prices; divided over the lines.
    pub order_tax_minor: i64,
    /// Each delivery group at most once.
    pub shipping: Vec<NewShipping>,
    pub tenders: Vec<NewTender>,
    pub external_payments: Vec<NewExternalPayment>,
    pub parties: Parties,
    pub address: Option<Address>,
    pub customer_id: String,
    pub references: Vec<ExternalReference>,
    /// Wait for ConfirmOrder instead of confirming by itself.
    pub confirm_later: bool,
    /// The order that this one is made of again.
    pub reissue_of: Option<OrderId>,
    /// How the policy prices bundles at this moment.
    pub bundles: Bundle,
    pub placed_at: Option<Timestamp>,
    /// Of the canonical request; what a request id is bound to.
    pub content: Fingerprint,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLine {
    pub sku: String,
    pub description: String,
    pub quantity: Quantity,
    pub unit_price: UnitPrice,
    pub line_discount_minor: i64,
    pub tax_minor: i64,
    pub tax_included: bool,
    pub warehouse_id: Option<String>,
    pub delivery_group: String,
    /// Set on a child of a bundle; the parent's line comes before it.
    pub bundle: Option<InBundle>,
    /// Of a bundle's parent: its own article is reserved beside its parts.
    pub own_stock: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewShipping {
    pub delivery_group: String,
    pub amount_minor: i64,
    pub tax_minor: i64,
}

/// A payment to authorise now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTender {
    pub gateway: String,
    pub payment_token: String,
    pub amount_minor: i64,
    pub capture_now: bool,
}

/// A payment made elsewhere before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewExternalPayment {
    pub gateway: String,
    pub reference: String,
    pub authorised_minor: i64,
    /// At most the authorised amount.
    pub captured_minor: i64,
    /// The caller vouches for it.
    pub attested: bool,
}

/// An order that was accepted, with what its saga needs beside it. The ids of its payments are
/// minted here, before the first step, so that even a lost answer can be undone by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub order: Order,
    pub tenders: Vec<(PaymentId, NewTender)>,
    pub external_payments: Vec<(PaymentId, NewExternalPayment)>,
    pub confirm_later: bool,
    pub happened: Happened,
}

/// Accepts an order that is then PLACING. Every amount is computed here once: later changes only
/// take parts of what was frozen, so that they can never return more or less than was paid.
pub fn place(
    new: NewOrder,
    tenant: Tenant,
    actor: Actor,
    ids: &Ids,
    now: Timestamp,
) -> Result<Placed, Refusal> {
    let amounts = freeze(&new)?;
    let placed_minor = total(&new, &amounts)?;
    covered(&new, placed_minor)?;

    let order_id: OrderId = ids.mint();
    let number = new.number.unwrap_or_else(|| human_number("O", order_id.as_str()));
    let order = Order {
        tenant,
        number: number.clone(),
        currency: new.currency,
        placement: Placement::Placing,
        confirmed_at: None,
        processing_at: None,
        delivered_at: None,
        created_at: now,
        placed_at: new.placed_at,
        created_by: actor.clone(),
        customer_id: new.customer_id,
        parties: new.parties,
        address: new.address,
        placed_minor,
        reversed_minor: 0,
        fees_minor: 0,
        goodwill_minor: 0,
        worth_version: 1,
        position: Position { worth_version: 1, ..Position::default() },
        next_position: None,
        awaits_payment: None,
        change_in_progress: None,
        version: 1,
        pricing_version: 1,
        event_seq: 0,
        timeline_seq: 0,
        attention_open: 0,
        cancelled_by_change: None,
        reissue_of: new.reissue_of,
        outside: Outside::default(),
        groups: groups(&new.lines, &new.shipping),
        lines: lines(new.lines, amounts, ids),
        references: new.references,
        order_id,
    };
    let price = Money::new(order.currency, placed_minor)?;
    let summary = format!("order {number} over {price} was accepted");
    let happened = Happened::default().entry(Entry::new(now, actor, "order.accepted", summary));
    Ok(Placed {
        order,
        tenders: new.tenders.into_iter().map(|tender| (ids.mint(), tender)).collect(),
        external_payments: new.external_payments.into_iter().map(|paid| (ids.mint(), paid)).collect(),
        confirm_later: new.confirm_later,
        happened,
    })
}

/// A number for people, from the part of an id that no other id of its kind shares.
pub fn human_number(prefix: &str, id: &str) -> String {
    let tail = &id[id.len() - NUMBER_LENGTH..];
    format!("{prefix}-{}", tail.to_ascii_uppercase())
}

/// Sixty bits: as good as unique, and still short enough to be read out.
const NUMBER_LENGTH: usize = 12;

/// The amounts of every line. One set of weights, the goods after their own discount, divides the
/// order's discount, its tax and each group's shipping.
fn freeze(new: &NewOrder) -> Result<Vec<LineAmounts>, Refusal> {
    let mut amounts = Vec::with_capacity(new.lines.len());
    for (index, line) in new.lines.iter().enumerate() {
        amounts.push(
            own_amounts(new.currency, line)
                .map_err(|(field, refusal)| refusal.field(format!("lines[{index}].{field}")))?,
        );
    }
    bundling::price_bundles(new, &mut amounts)?;

    let weights: Vec<i64> = amounts.iter().map(|line| line.goods_net).collect();
    let goods: i64 = weights.iter().sum();
    if new.order_discount_minor > goods {
        let message = format!(
            "a discount of {} is more than the goods, which come to {goods}",
            new.order_discount_minor
        );
        return Err(Refusal::new(Reason::DiscountExceedsGoods, message)
            .field("order_discount_minor")
            .detail("goods_minor", goods));
    }
    if new.order_tax_minor > 0 && amounts.iter().any(|line| line.tax_included) {
        // One line has one tax, inside its price or beside it; a mix could not be explained.
        let message = "a tax beside the prices cannot be added to prices that include their tax";
        return Err(Refusal::new(Reason::FieldInvalid, message).field("order_tax_minor"));
    }

    let discounts = allocate(new.order_discount_minor, &weights);
    let taxes = allocate(new.order_tax_minor, &weights);
    for ((line, discount), tax) in amounts.iter_mut().zip(discounts).zip(taxes) {
        line.order_discount = discount;
        line.goods_net -= discount;
        line.tax += tax;
    }
    share_shipping(new, &weights, &mut amounts)?;
    Ok(amounts)
}

/// What a line comes to by itself; a refusal with the field of the line it is about.
pub(super) fn own_amounts(
    currency: Currency,
    line: &NewLine,
) -> Result<LineAmounts, (&'static str, Refusal)> {
    let gross = line
        .unit_price
        .times(line.quantity, currency)
        .map_err(|error| ("unit_price", Refusal::from(error)))?
        .minor();
    if line.line_discount_minor > gross {
        let message = format!(
            "a discount of {} is more than the line, which comes to {gross}",
            line.line_discount_minor
        );
        let refusal = Refusal::new(Reason::DiscountExceedsGoods, message).detail("gross_minor", gross);
        return Err(("line_discount_minor", refusal));
    }
    let goods_net = gross - line.line_discount_minor;
    let tax_included = line.tax_included && line.tax_minor > 0;
    if tax_included && line.tax_minor > goods_net {
        let message = format!("a tax of {} is not inside a price of {goods_net}", line.tax_minor);
        let refusal = Refusal::new(Reason::AmountOutOfRange, message).detail("goods_minor", goods_net);
        return Err(("tax.amount_minor", refusal));
    }
    Ok(LineAmounts {
        gross,
        line_discount: line.line_discount_minor,
        goods_net,
        tax: line.tax_minor,
        tax_included,
        ..LineAmounts::default()
    })
}

fn share_shipping(new: &NewOrder, weights: &[i64], amounts: &mut [LineAmounts]) -> Result<(), Refusal> {
    for (index, charge) in new.shipping.iter().enumerate() {
        let members: Vec<usize> = new
            .lines
            .iter()
            .enumerate()
            .filter_map(|(line, input)| (input.delivery_group == charge.delivery_group).then_some(line))
            .collect();
        if members.is_empty() {
            let message = format!("no line belongs to the delivery group {:?}", charge.delivery_group);
            return Err(Refusal::new(Reason::FieldInvalid, message)
                .field(format!("shipping[{index}].delivery_group")));
        }
        let weights: Vec<i64> = members.iter().map(|line| weights[*line]).collect();
        let shares = allocate(charge.amount_minor, &weights).into_iter();
        for ((line, share), tax) in members.iter().zip(shares).zip(allocate(charge.tax_minor, &weights)) {
            amounts[*line].shipping = share;
            amounts[*line].shipping_tax = tax;
        }
    }
    Ok(())
}

/// What the order comes to. Each addend is bounded where it was parsed, and a thousand lines of
/// four such addends fit an `i64`; only the sum can still be out of range.
fn total(new: &NewOrder, amounts: &[LineAmounts]) -> Result<i64, Refusal> {
    let goods: i64 = amounts.iter().map(|line| line.goods_net + tax_beside(line)).sum();
    let shipping: i64 = new.shipping.iter().map(|charge| charge.amount_minor + charge.tax_minor).sum();
    Ok(Money::new(new.currency, goods + shipping)?.minor())
}

/// The tax that is paid beside the price.
fn tax_beside(line: &LineAmounts) -> i64 {
    if line.tax_included { 0 } else { line.tax }
}

/// What is paid has to come to what is owed, or the difference could never be returned.
fn covered(new: &NewOrder, total_minor: i64) -> Result<(), Refusal> {
    let tenders = new.tenders.iter().map(|tender| i128::from(tender.amount_minor));
    let external = new.external_payments.iter().map(|paid| i128::from(paid.authorised_minor));
    let paid_minor: i128 = tenders.chain(external).sum();
    if paid_minor == i128::from(total_minor) {
        return Ok(());
    }
    let message =
        format!("the order comes to {total_minor}, its tenders and external payments to {paid_minor}");
    Err(Refusal::new(Reason::TendersMismatch, message)
        .field("tenders")
        .detail("total_minor", total_minor)
        .detail("paid_minor", paid_minor))
}

fn groups(lines: &[NewLine], shipping: &[NewShipping]) -> Vec<Group> {
    let mut groups: BTreeMap<&str, Group> =
        lines.iter().map(|line| (line.delivery_group.as_str(), Group::free(&line.delivery_group))).collect();
    for charge in shipping {
        let group = groups
            .get_mut(charge.delivery_group.as_str())
            .expect("a charge for a group without lines was refused before");
        group.shipping_minor = charge.amount_minor;
        group.shipping_tax_minor = charge.tax_minor;
    }
    groups.into_values().collect()
}

fn lines(new: Vec<NewLine>, amounts: Vec<LineAmounts>, ids: &Ids) -> Vec<Line> {
    (1..)
        .zip(new)
        .zip(amounts)
        .map(|((line_number, line), amounts)| Line {
            line_id: ids.mint::<LineId>(),
            line_number,
            sku: line.sku,
            description: line.description,
            unit_price: line.unit_price,
            warehouse_id: line.warehouse_id,
            delivery_group: line.delivery_group,
            quantities: Quantities::placed(line.quantity.get()),
            amounts,
            reversed_minor: 0,
            bases: Vec::new(),
            progress: Progress::default(),
            bundle: line.bundle,
            own_stock: line.own_stock,
        })
        .collect()
}

impl Group {
    /// A group whose delivery costs nothing.
    pub(super) fn free(delivery_group: &str) -> Self {
        Self {
            delivery_group: delivery_group.to_owned(),
            shipping_minor: 0,
            shipping_tax_minor: 0,
            shipping_reversed_minor: 0,
            shipping_tax_reversed_minor: 0,
            ever_shipped: false,
        }
    }
}

//! Lines that an agreed change brings to an order that was placed before.
//!
//! More units of a line become a line of their own: the amounts of the old line were frozen for its units and stay frozen, and the new units get
//! amounts of their own. They carry no share of the order's discount or delivery charges, which were divided when the order was
//! placed.

use serde::{Deserialize, Serialize};
use types::money::scaled;
use types::{Currency, LineId, Money, Quantity, Reason, Refusal, UnitPrice};

use super::order::{Group, Line, LineAmounts, Order, Progress};
use super::placing::{NewLine, own_amounts};
use super::quantities::Quantities;

/// The most lines of an order.
const LINES_MAX: usize = 1_000;

/// An added line. It is priced when it is proposed, and gets its line number when it is added to the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddedLine {
    pub line_id: LineId,
    pub sku: String,
    pub description: String,
    pub quantity: i64,
    pub unit_price: UnitPrice,
    pub gross_minor: i64,
    pub tax_minor: i64,
    pub tax_included: bool,
    pub warehouse_id: Option<String>,
    pub delivery_group: String,
    /// The number of the line whose units these are more of; 0 for another article.
    pub like_line: i64,
}

impl AddedLine {
    /// More units of a line, at its unit price and taxed in its proportion.
    pub fn more_of(
        line: &Line,
        units: Quantity,
        currency: Currency,
        line_id: LineId,
    ) -> Result<Self, Refusal> {
        if line.bundle.is_some() {
            let message =
                format!("line {} is part of a bundle, whose price stands on its parent", line.line_number);
            return Err(Refusal::new(Reason::FieldInvalid, message));
        }
        let gross_minor = line.unit_price.times(units, currency)?.minor();
        // The line's own discount and its share of the order's belong to the units it was given for; the tax is
        // in proportion to what was paid for the goods.
        let tax_minor = match line.amounts.goods_net {
            0 => 0,
            paid => Money::new(currency, scaled(line.amounts.tax, gross_minor, paid)?)?.minor(),
        };
        Ok(Self {
            line_id,
            sku: line.sku.clone(),
            description: line.description.clone(),
            quantity: units.get(),
            unit_price: line.unit_price,
            gross_minor,
            tax_minor,
            tax_included: line.amounts.tax_included,
            warehouse_id: line.warehouse_id.clone(),
            delivery_group: line.delivery_group.clone(),
            like_line: line.line_number,
        })
    }

    /// Another article. The refusal names the field of the line it is about.
    pub fn of_item(
        new: &NewLine,
        currency: Currency,
        line_id: LineId,
    ) -> Result<Self, (&'static str, Refusal)> {
        let amounts = own_amounts(currency, new)?;
        Ok(Self {
            line_id,
            sku: new.sku.clone(),
            description: new.description.clone(),
            quantity: new.quantity.get(),
            unit_price: new.unit_price,
            gross_minor: amounts.gross,
            tax_minor: amounts.tax,
            tax_included: amounts.tax_included,
            warehouse_id: new.warehouse_id.clone(),
            delivery_group: new.delivery_group.clone(),
            like_line: 0,
        })
    }

    /// What the line costs, in minor units: goods, and tax that is not included in the price.
    pub const fn amount_minor(&self) -> i64 {
        self.gross_minor + if self.tax_included { 0 } else { self.tax_minor }
    }

    pub fn amounts(&self) -> LineAmounts {
        LineAmounts {
            gross: self.gross_minor,
            goods_net: self.gross_minor,
            tax: self.tax_minor,
            tax_included: self.tax_included,
            ..LineAmounts::default()
        }
    }

    fn line(&self, line_number: i64) -> Line {
        Line {
            line_id: self.line_id.clone(),
            line_number,
            sku: self.sku.clone(),
            description: self.description.clone(),
            unit_price: self.unit_price,
            warehouse_id: self.warehouse_id.clone(),
            delivery_group: self.delivery_group.clone(),
            quantities: Quantities::placed(self.quantity),
            amounts: self.amounts(),
            reversed_minor: 0,
            bases: Vec::new(),
            progress: Progress::default(),
            bundle: None,
            own_stock: false,
        }
    }
}

/// What these lines cost together, in minor units.
pub fn amount_of(added: &[AddedLine]) -> i64 {
    added.iter().map(AddedLine::amount_minor).sum()
}

/// Refuses lines that exceed the order's limit of lines or the largest amount, and lines of an order that is not paid yet.
pub fn room_for(order: &Order, added: &[AddedLine]) -> Result<(), Refusal> {
    if order.awaits_payment.is_some() && !added.is_empty() {
        let message = "the order still awaits what is missing of its price; pay that first";
        return Err(Refusal::new(Reason::StateConflict, message));
    }
    let lines = order.lines.len() + added.len();
    if lines > LINES_MAX {
        let message = format!("the order would have {lines} lines; {LINES_MAX} are the most");
        return Err(Refusal::new(Reason::TooManyLines, message).detail("max", LINES_MAX));
    }
    let amounts = added.iter().map(|line| Money::new(order.currency, line.amount_minor()));
    let amounts = amounts.collect::<Result<Vec<_>, _>>()?;
    let placed = Money::new(order.currency, order.placed_minor)?;
    Money::sum(order.currency, amounts.into_iter().chain([placed]))?;
    Ok(())
}

/// Adds the lines to the order, with the next line numbers.
pub(super) fn bring(order: &mut Order, added: &[AddedLine]) {
    let last = order.lines.iter().map(|line| line.line_number).max().unwrap_or_default();
    for (line_number, new) in (last + 1..).zip(added) {
        order.lines.push(new.line(line_number));
        if !order.groups.iter().any(|group| group.delivery_group == new.delivery_group) {
            order.groups.push(Group::free(&new.delivery_group));
        }
    }
    order.groups.sort_by(|one, other| one.delivery_group.cmp(&other.delivery_group));
    order.placed_minor += amount_of(added);
}

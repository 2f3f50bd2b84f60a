//! Pricing the bundles of a new order.
//!
//! A bundle is the line of a parent and the lines of its children. The price stands on the parent. If the policy wants each child to bring back
//! its own part, the price is divided over the children once, here; from then on every line is priced by itself.

use types::money::allocate;
use types::{Reason, Refusal};

use super::order::{Line, LineAmounts, Order};
use super::placing::{NewLine, NewOrder};
use super::policy::Bundle;

/// The bundle's line that a part belongs to.
pub fn parent_of<'a>(order: &'a Order, line: &Line) -> Option<&'a Line> {
    let place = line.bundle?;
    order.lines.iter().find(|other| other.line_number == place.parent)
}

/// Whether a bundle has no stock of its own article, so that only its parts are reserved.
pub fn is_made_of_parts(order: &Order, line: &Line) -> bool {
    let is_part = |part: &Line| part.bundle.is_some_and(|place| place.parent == line.line_number);
    !line.own_stock && order.lines.iter().any(is_part)
}

pub fn price_bundles(new: &NewOrder, amounts: &mut [LineAmounts]) -> Result<(), Refusal> {
    for (index, line) in new.lines.iter().enumerate() {
        if line.bundle.is_some() {
            check_child(new, index, line, amounts[index])?;
        }
    }
    if new.bundles == Bundle::ChildProrated {
        for parent in 0..new.lines.len() {
            let children = children_of(new, parent);
            if !children.is_empty() {
                divide(new, amounts, parent, &children);
            }
        }
    }
    Ok(())
}

/// Checks a child: it names an earlier line that is no child itself, has the units that its parent's units need, and has no price of its
/// own.
fn check_child(new: &NewOrder, index: usize, line: &NewLine, amounts: LineAmounts) -> Result<(), Refusal> {
    let place = line.bundle.expect("only children are checked");
    let refuse = |field: &str, message: String| {
        Err(Refusal::new(Reason::FieldInvalid, message).field(format!("lines[{index}].{field}")))
    };
    let parent = usize::try_from(place.parent - 1)
        .ok()
        .filter(|parent| *parent < index)
        .and_then(|parent| new.lines.get(parent))
        .filter(|parent| parent.bundle.is_none());
    let Some(parent) = parent else {
        return refuse(
            "parent_line",
            format!("line {} is no earlier line that could be a parent", place.parent),
        );
    };
    if parent.quantity.get().checked_mul(place.ratio) != Some(line.quantity.get()) {
        let wanted = format!("{} of the parent at {} each", parent.quantity.get(), place.ratio);
        return refuse("quantity", format!("{} units are not those of {wanted}", line.quantity.get()));
    }
    if amounts.gross > 0 || amounts.tax > 0 {
        return refuse("unit_price", "the price of a bundle stands on its parent".to_owned());
    }
    Ok(())
}

fn children_of(new: &NewOrder, parent: usize) -> Vec<usize> {
    let belongs = |line: &NewLine| {
        line.bundle.is_some_and(|place| usize::try_from(place.parent - 1).is_ok_and(|at| at == parent))
    };
    (0..new.lines.len()).filter(|index| belongs(&new.lines[*index])).collect()
}

/// Divides the price of the parent over its children, by their units.
fn divide(new: &NewOrder, amounts: &mut [LineAmounts], parent: usize, children: &[usize]) {
    let whole = amounts[parent];
    let weights: Vec<i64> = children.iter().map(|child| new.lines[*child].quantity.get()).collect();
    let nets = allocate(whole.goods_net, &weights);
    let discounts = allocate(whole.line_discount, &weights);
    let taxes = allocate(whole.tax, &weights);
    for (at, child) in children.iter().enumerate() {
        amounts[*child] = LineAmounts {
            gross: nets[at] + discounts[at],
            line_discount: discounts[at],
            goods_net: nets[at],
            tax: taxes[at],
            tax_included: whole.tax_included && taxes[at] > 0,
            ..LineAmounts::default()
        };
    }
    amounts[parent] = LineAmounts::default();
}

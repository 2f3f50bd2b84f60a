//! How quantities and money of an order moved with an event: before, after, and the difference.
//!
//! An event carries only the lines and delivery groups that moved; the first one of an order carries them all. Whoever
//! takes the events by their sequence therefore has the whole order without ever asking for it.

use proto::events::v1 as events;
use proto::order::v1 as wire;

use super::order::{amounts, quantities, totals};
use crate::domain::order::{Group, Line, Order};

/// From nothing: the first event of an order has everything.
pub fn first(after: &Order) -> events::OrderMovement {
    let figures =
        figures(after, &after.lines.iter().collect::<Vec<_>>(), &after.groups.iter().collect::<Vec<_>>());
    events::OrderMovement {
        currency_code: after.currency.to_string(),
        before: None,
        delta: Some(figures.clone()),
        after: Some(figures),
    }
}

/// What one decision moved; nothing but the totals stands in it when nothing moved.
pub fn between(before: &Order, after: &Order) -> events::OrderMovement {
    let lines = pairs(&before.lines, &after.lines, |line| line.line_id.clone(), is_line_moved);
    let groups = pairs(&before.groups, &after.groups, |group| group.delivery_group.clone(), is_group_moved);
    let (lines_before, lines_after): (Vec<_>, Vec<_>) = lines.into_iter().unzip();
    let (groups_before, groups_after): (Vec<_>, Vec<_>) = groups.into_iter().unzip();
    let was = figures(before, &known(lines_before), &known(groups_before));
    let is = figures(after, &lines_after, &groups_after);
    events::OrderMovement {
        currency_code: after.currency.to_string(),
        delta: Some(difference(&was, &is)),
        before: Some(was),
        after: Some(is),
    }
}

/// Whether anything moved that an event has to tell.
pub fn is_moved(before: &Order, after: &Order) -> bool {
    before.totals() != after.totals()
        || before.lines.len() != after.lines.len()
        || before.groups.len() != after.groups.len()
        || before.lines.iter().zip(&after.lines).any(|(was, is)| is_line_moved(was, is))
        || before.groups.iter().zip(&after.groups).any(|(was, is)| is_group_moved(was, is))
}

fn is_line_moved(was: &Line, is: &Line) -> bool {
    (was.quantities, was.amounts, was.reversed_minor) != (is.quantities, is.amounts, is.reversed_minor)
}

fn is_group_moved(was: &Group, is: &Group) -> bool {
    let money = |group: &Group| {
        (
            group.shipping_minor,
            group.shipping_tax_minor,
            group.shipping_reversed_minor,
            group.shipping_tax_reversed_minor,
        )
    };
    money(was) != money(is)
}

/// Those that moved or came, as they were and as they are. Nothing of an order ever goes away.
fn pairs<'a, T, K: PartialEq>(
    before: &'a [T],
    after: &'a [T],
    key: impl Fn(&T) -> K,
    is_moved: impl Fn(&T, &T) -> bool,
) -> Vec<(Option<&'a T>, &'a T)> {
    let mut pairs = Vec::new();
    for (at, is) in after.iter().enumerate() {
        // They keep their places; a search is for the rare order that got one in between.
        let was = before.get(at).filter(|was| key(was) == key(is));
        let was = was.or_else(|| before.iter().find(|was| key(was) == key(is)));
        if was.is_none_or(|was| is_moved(was, is)) {
            pairs.push((was, is));
        }
    }
    pairs
}

fn known<T>(pairs: Vec<Option<&T>>) -> Vec<&T> {
    pairs.into_iter().flatten().collect()
}

fn figures(order: &Order, lines: &[&Line], groups: &[&Group]) -> events::OrderFigures {
    let line = |line: &&Line| events::LineFigures {
        line_id: line.line_id.to_string(),
        line_number: line.line_number,
        sku: line.sku.clone(),
        quantities: Some(quantities(line.quantities)),
        amounts: Some(amounts(line.amounts)),
        reversed_minor: line.reversed_minor,
    };
    let group = |group: &&Group| events::GroupFigures {
        delivery_group: group.delivery_group.clone(),
        shipping_minor: group.shipping_minor,
        shipping_tax_minor: group.shipping_tax_minor,
        shipping_reversed_minor: group.shipping_reversed_minor,
        shipping_tax_reversed_minor: group.shipping_tax_reversed_minor,
    };
    events::OrderFigures {
        totals: Some(totals(order.totals())),
        lines: lines.iter().map(line).collect(),
        delivery_groups: groups.iter().map(group).collect(),
    }
}

fn difference(before: &events::OrderFigures, after: &events::OrderFigures) -> events::OrderFigures {
    let line = |is: &events::LineFigures| {
        let was = before.lines.iter().find(|was| was.line_id == is.line_id).cloned().unwrap_or_default();
        events::LineFigures {
            quantities: Some(moved_units(
                was.quantities.unwrap_or_default(),
                is.quantities.unwrap_or_default(),
            )),
            amounts: Some(moved_amounts(was.amounts.unwrap_or_default(), is.amounts.unwrap_or_default())),
            reversed_minor: is.reversed_minor - was.reversed_minor,
            ..is.clone()
        }
    };
    let group = |is: &events::GroupFigures| {
        let was = before.delivery_groups.iter().find(|was| was.delivery_group == is.delivery_group);
        let was = was.cloned().unwrap_or_default();
        events::GroupFigures {
            delivery_group: is.delivery_group.clone(),
            shipping_minor: is.shipping_minor - was.shipping_minor,
            shipping_tax_minor: is.shipping_tax_minor - was.shipping_tax_minor,
            shipping_reversed_minor: is.shipping_reversed_minor - was.shipping_reversed_minor,
            shipping_tax_reversed_minor: is.shipping_tax_reversed_minor - was.shipping_tax_reversed_minor,
        }
    };
    let (was, is) = (before.totals.unwrap_or_default(), after.totals.unwrap_or_default());
    events::OrderFigures {
        totals: Some(wire::OrderTotals {
            placed_minor: is.placed_minor - was.placed_minor,
            reversed_minor: is.reversed_minor - was.reversed_minor,
            total_minor: is.total_minor - was.total_minor,
            fees_minor: is.fees_minor - was.fees_minor,
            goodwill_minor: is.goodwill_minor - was.goodwill_minor,
            refund_owed_minor: is.refund_owed_minor - was.refund_owed_minor,
            position_sequence: is.position_sequence - was.position_sequence,
            // Not a figure: as it is now.
            position_pending: is.position_pending,
        }),
        lines: after.lines.iter().map(line).collect(),
        delivery_groups: after.delivery_groups.iter().map(group).collect(),
    }
}

fn moved_units(was: wire::LineQuantities, is: wire::LineQuantities) -> wire::LineQuantities {
    wire::LineQuantities {
        ordered: is.ordered - was.ordered,
        open: is.open - was.open,
        cancel_pending: is.cancel_pending - was.cancel_pending,
        cancelled: is.cancelled - was.cancelled,
        fulfilled: is.fulfilled - was.fulfilled,
        cancelled_after_ship: is.cancelled_after_ship - was.cancelled_after_ship,
        returned: is.returned - was.returned,
        delivered: is.delivered - was.delivered,
        net: is.net - was.net,
    }
}

fn moved_amounts(was: wire::LineAmounts, is: wire::LineAmounts) -> wire::LineAmounts {
    wire::LineAmounts {
        gross: is.gross - was.gross,
        line_discount: is.line_discount - was.line_discount,
        order_discount_share: is.order_discount_share - was.order_discount_share,
        goods_net: is.goods_net - was.goods_net,
        tax: is.tax - was.tax,
        tax_included: is.tax_included,
        shipping_share: is.shipping_share - was.shipping_share,
        shipping_tax_share: is.shipping_tax_share - was.shipping_tax_share,
    }
}

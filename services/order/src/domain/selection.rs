//! Which units a change takes: what was requested, limited by what is there and what the policy allows.

use types::{LineId, Reason, Refusal};

use super::change::{ChangeRequest, LineKey, SelectedLine, Selection, Skipped};
use super::order::{Line, Order};
use super::policy::{Bundle, Document, Units};

/// Units of a line that a change takes, with what was said about them.
#[derive(Debug, Clone)]
pub struct Taken<'a> {
    pub line: &'a Line,
    pub units: i64,
    pub reason_code: &'a str,
    pub note: &'a str,
}

/// The units that a change takes.
#[derive(Debug, Clone, Default)]
pub struct Choice<'a> {
    /// By line number.
    pub taken: Vec<Taken<'a>>,
    /// Lines that stay although everything eligible was requested.
    pub skipped: Vec<Skipped>,
    /// Children of a bundle that are taken without their parent, on which the price stands.
    pub without_parent: Vec<LineId>,
}

/// How many units of a line the policy allows to cancel.
pub fn available(line: &Line, units: Units) -> i64 {
    match units {
        Units::Open => line.quantities.open,
        Units::Unallocated => (line.quantities.open - allocated(line)).max(0),
        Units::OpenOrShipped => line.quantities.open + on_the_way(line),
    }
}

/// Units that have left and not arrived.
fn on_the_way(line: &Line) -> i64 {
    (line.quantities.fulfilled - line.quantities.delivered.max(line.quantities.returned)).max(0)
}

/// Units that are in a fulfilment and have not left, by the inventory's last report.
pub fn allocated(line: &Line) -> i64 {
    let progress = &line.progress;
    (progress.allocated - progress.deallocated - (progress.shipped - progress.unshipped)).max(0)
}

pub fn choose<'a>(
    order: &'a Order,
    request: &'a ChangeRequest,
    policy: &Document,
) -> Result<Choice<'a>, Refusal> {
    match &request.selection {
        Selection::Everything => everything(order, policy.units),
        Selection::AllEligible => all_eligible(order, policy.units),
        Selection::Items(items) => selected(order, items, policy),
    }
}

/// Why nothing of a line can be cancelled, the most specific reason first.
pub fn why_not(line: &Line, units: Units) -> Option<Refusal> {
    let quantities = line.quantities;
    if available(line, units) > 0 {
        None
    } else if quantities.net() == 0 {
        Some(Refusal::new(Reason::NothingToCancel, "nothing of the line is left"))
    } else if quantities.open == 0 && quantities.fulfilled > 0 {
        Some(Refusal::new(Reason::ShippedFirst, "all that is left of the line was shipped"))
    } else if quantities.open == 0 {
        Some(Refusal::new(
            Reason::QuantityExceedsAvailable,
            "all that is left of the line is held by a change",
        ))
    } else {
        let message = "all open units of the line are allocated; the policy cancels unallocated ones only";
        Some(Refusal::new(Reason::QuantityExceedsAvailable, message))
    }
}

fn everything(order: &Order, units: Units) -> Result<Choice<'_>, Refusal> {
    if let Some(line) = order.lines.iter().find(|line| line.quantities.open > available(line, units)) {
        return Err(not_available(order, line, line.quantities.open, units));
    }
    let taken: Vec<Taken<'_>> = whole_lines(order, units).collect();
    if taken.is_empty() {
        return Err(nothing_open(order));
    }
    Ok(Choice { taken, ..Choice::default() })
}

fn all_eligible(order: &Order, units: Units) -> Result<Choice<'_>, Refusal> {
    let taken: Vec<Taken<'_>> = whole_lines(order, units).collect();
    if taken.is_empty() {
        let held_back = order.lines.iter().find(|line| line.quantities.open > 0);
        return Err(held_back.and_then(|line| why_not(line, units)).unwrap_or_else(|| nothing_open(order)));
    }
    let skipped = order.lines.iter().filter_map(|line| skipped(line, units)).collect();
    Ok(Choice { taken, skipped, ..Choice::default() })
}

fn whole_lines(order: &Order, units: Units) -> impl Iterator<Item = Taken<'_>> {
    let taken = move |line| Taken { line, units: available(line, units), reason_code: "", note: "" };
    order.lines.iter().map(taken).filter(|taken| taken.units > 0)
}

/// A line that stays, wholly or in part, and why.
fn skipped(line: &Line, units: Units) -> Option<Skipped> {
    let refusal = why_not(line, units).or_else(|| {
        let stays = line.quantities.open - available(line, units);
        let message = format!("{stays} open units are allocated and stay");
        (stays > 0).then(|| Refusal::new(Reason::QuantityExceedsAvailable, message))
    })?;
    Some(Skipped {
        line_id: line.line_id.clone(),
        line_number: line.line_number,
        sku: line.sku.clone(),
        reason: refusal.reason.as_str().to_owned(),
        message: refusal.message,
    })
}

fn selected<'a>(
    order: &'a Order,
    items: &'a [SelectedLine],
    policy: &Document,
) -> Result<Choice<'a>, Refusal> {
    let mut taken: Vec<Taken<'a>> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let line = find(order, &item.line)
            .ok_or_else(|| unknown_line(order, &item.line).field(line_field(index, item)))?;
        if taken.iter().any(|other| other.line.line_id == line.line_id) {
            let message = format!("line {} is named twice", line.line_number);
            return Err(Refusal::new(Reason::DuplicateLine, message)
                .field(line_field(index, item))
                .detail("line_id", &line.line_id));
        }
        let units = item.quantity.get();
        if units > available(line, policy.units) {
            let refusal = not_available(order, line, units, policy.units);
            return Err(refusal.field(format!("change.lines[{index}].quantity")));
        }
        taken.push(Taken { line, units, reason_code: &item.reason_code, note: &item.note });
    }
    for (index, item) in items.iter().enumerate() {
        add_children(order, index, item, policy, &mut taken)?;
    }
    let without_parent = lonely_children(order, &taken, policy.bundle)?;
    taken.sort_by_key(|taken| taken.line.line_number);
    Ok(Choice { taken, without_parent, ..Choice::default() })
}

/// Adds the children of selected bundles, unless the request names other units of them. A child that is selected by itself stays as it was
/// selected.
fn add_children<'a>(
    order: &'a Order,
    index: usize,
    item: &'a SelectedLine,
    policy: &Document,
    taken: &mut Vec<Taken<'a>>,
) -> Result<(), Refusal> {
    let parent = find(order, &item.line).expect("the line was found before");
    let field = || format!("change.lines[{index}].bundle_children");
    let chosen = |line: &Line| match &item.children {
        None => Some((item.quantity.get() * ratio(line)).min(available(line, policy.units))),
        Some(children) => children.iter().find(|(key, _)| is_line(line, key)).map(|(_, units)| *units),
    };
    if let Some(children) = &item.children {
        let stranger = |key: &LineKey| !children_of(order, parent).any(|line| is_line(line, key));
        if policy.bundle == Bundle::Atomic || children.iter().any(|(key, _)| stranger(key)) {
            let message =
                "only children of the bundle can be chosen, and none where bundles are cancelled whole";
            return Err(Refusal::new(Reason::FieldInvalid, message).field(field()));
        }
    }
    for line in children_of(order, parent) {
        let units = chosen(line).unwrap_or(0);
        if units > available(line, policy.units) {
            return Err(not_available(order, line, units, policy.units).field(field()));
        }
        if units > 0 && !taken.iter().any(|other| other.line.line_id == line.line_id) {
            taken.push(Taken { line, units, reason_code: &item.reason_code, note: &item.note });
        }
    }
    Ok(())
}

/// Children that are taken without their parent. They are refused if the policy treats a bundle as one article, and have no price if the price
/// stands on the parent.
fn lonely_children(order: &Order, taken: &[Taken<'_>], bundle: Bundle) -> Result<Vec<LineId>, Refusal> {
    let units_of = |number: i64| {
        taken.iter().find(|taken| taken.line.line_number == number).map_or(0, |taken| taken.units)
    };
    let mut lonely = Vec::new();
    for line in &order.lines {
        let Some(place) = line.bundle else { continue };
        let (own, parents) = (units_of(line.line_number), units_of(place.parent));
        match bundle {
            Bundle::Atomic if own != parents * place.ratio => {
                let message =
                    format!("line {} belongs to a bundle that is cancelled whole", line.line_number);
                return Err(Refusal::new(Reason::FieldInvalid, message)
                    .field("change.lines")
                    .detail("parent_line", place.parent));
            }
            Bundle::ParentPriced if own > 0 && parents == 0 => lonely.push(line.line_id.clone()),
            Bundle::Atomic | Bundle::ParentPriced | Bundle::ChildProrated => {}
        }
    }
    Ok(lonely)
}

pub(super) fn children_of<'a>(order: &'a Order, parent: &'a Line) -> impl Iterator<Item = &'a Line> {
    let belongs = |line: &&Line| line.bundle.is_some_and(|place| place.parent == parent.line_number);
    order.lines.iter().filter(belongs)
}

pub(super) fn ratio(line: &Line) -> i64 {
    line.bundle.map_or(0, |place| place.ratio)
}

/// The line that a request names, if the order has it.
pub fn find<'a>(order: &'a Order, key: &LineKey) -> Option<&'a Line> {
    order.lines.iter().find(|line| is_line(line, key))
}

pub(super) fn is_line(line: &Line, key: &LineKey) -> bool {
    match key {
        LineKey::Id(line_id) => line.line_id == *line_id,
        LineKey::Number(number) => line.line_number == *number,
    }
}

fn line_field(index: usize, item: &SelectedLine) -> String {
    match item.line {
        LineKey::Id(_) => format!("change.lines[{index}].line_id"),
        LineKey::Number(_) => format!("change.lines[{index}].line_number"),
    }
}

fn unknown_line(order: &Order, key: &LineKey) -> Refusal {
    let named = match key {
        LineKey::Id(line_id) => line_id.to_string(),
        LineKey::Number(number) => number.to_string(),
    };
    Refusal::new(Reason::FieldInvalid, format!("order {} has no line {named}", order.number))
}

/// Why the units are not available, the most specific reason first.
fn not_available(order: &Order, line: &Line, wanted: i64, units: Units) -> Refusal {
    let quantities = line.quantities;
    let left = available(line, units);
    let refusal = if quantities.net() == 0 {
        nothing_to_cancel(order, &format!("nothing of line {} is left", line.line_number))
    } else if quantities.open == 0 && quantities.fulfilled > 0 {
        let message = format!("all that is left of line {} was shipped", line.line_number);
        Refusal::new(Reason::ShippedFirst, message).detail("shipped", quantities.fulfilled)
    } else {
        let message = format!("{wanted} units of line {} cannot be cancelled: {left} can", line.line_number);
        Refusal::new(Reason::QuantityExceedsAvailable, message).detail("allocated", allocated(line))
    };
    refusal.detail("line_id", &line.line_id).detail("wanted", wanted).detail("available", left)
}

/// Why nothing of an order can be cancelled.
pub fn nothing_open(order: &Order) -> Refusal {
    let units = order.units();
    if units.net() == 0 {
        nothing_to_cancel(order, "nothing of the order is left")
    } else if units.fulfilled > 0 {
        let message = "all that is left of the order was shipped";
        Refusal::new(Reason::ShippedFirst, message).detail("shipped", units.fulfilled)
    } else {
        let message = "all that is left of the order is held by a change";
        Refusal::new(Reason::QuantityExceedsAvailable, message).detail("available", 0)
    }
}

pub fn nothing_to_cancel(order: &Order, message: &str) -> Refusal {
    let refusal = Refusal::new(Reason::NothingToCancel, message);
    match &order.cancelled_by_change {
        Some(change) => refusal.detail("cancelled_by_change", change),
        None => refusal,
    }
}

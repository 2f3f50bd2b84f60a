//! Returned bundles: their parts come back with them.
//!
//! The price of a bundle stands on its parent, so only the parent brings money back. Its parts belong to it and go back to stock with it. A
//! part that a request names by itself is taken as it was named, and brings back the amount that the policy gives it.

use types::{LineId, Quantity, Reason, Refusal};

use super::returning::{Accepted, Counted};
use crate::domain::bundling::parent_of;
use crate::domain::change::LineKey;
use crate::domain::order::{Line, Order};
use crate::domain::policy::Bundle;
use crate::domain::returns::{Return, ReturnLine, ReturnState};
use crate::domain::selection::{children_of, find, is_line, ratio};

/// The named lines, with the parts of the bundles among them. `left` tells how many units of a part are left.
pub(super) fn with_parts(order: &Order, named: &Counted, left: impl Fn(&Line) -> i64) -> Counted {
    let mut all = named.clone();
    for (key, units) in named {
        for part in parts(order, key, |other| named.iter().any(|(key, _)| is_line(other, key))) {
            let along = (units.get() * ratio(part)).min(left(part));
            if let Ok(along) = Quantity::parse(along) {
                all.push((LineKey::Id(part.line_id.clone()), along));
            }
        }
    }
    all
}

/// Like [`with_parts`], for accepted units: the parts go where their bundle goes.
pub(super) fn accepted_with_parts(order: &Order, returned: &Return, named: &[Accepted]) -> Vec<Accepted> {
    let mut all = named.to_vec();
    for bundle in named {
        let is_named = |other: &Line| named.iter().any(|wanted| is_line(other, &wanted.line));
        for part in parts(order, &bundle.line, is_named) {
            let key = LineKey::Id(part.line_id.clone());
            let undecided = returned.line(&key).map_or(0, ReturnLine::undecided);
            let restock = (bundle.restock * ratio(part)).min(undecided);
            let write_off = (bundle.write_off * ratio(part)).min(undecided - restock);
            if restock + write_off > 0 {
                all.push(Accepted {
                    line: key,
                    restock,
                    write_off,
                    warehouse_id: bundle.warehouse_id.clone(),
                });
            }
        }
    }
    all
}

/// Refuses parts without their bundle where the policy treats a bundle as one article.
pub(super) fn whole_bundles(order: &Order, lines: &Counted, policy: Bundle) -> Result<(), Refusal> {
    if policy != Bundle::Atomic {
        return Ok(());
    }
    let units_of =
        |line: &Line| lines.iter().find(|(key, _)| is_line(line, key)).map_or(0, |(_, units)| units.get());
    for part in order.lines.iter().filter(|line| line.bundle.is_some()) {
        let parent = parent_of(order, part);
        if units_of(part) > parent.map_or(0, |parent| units_of(parent) * ratio(part)) {
            let message = format!("line {} belongs to a bundle that comes back whole", part.line_number);
            return Err(Refusal::new(Reason::FieldInvalid, message)
                .field("lines")
                .detail("line_id", &part.line_id));
        }
    }
    Ok(())
}

/// Units of a line that have left and are not in a return yet.
pub(super) fn may_come(line: &Line, others: &[Return]) -> i64 {
    let coming: i64 = others
        .iter()
        .filter(|other| other.state == ReturnState::Open)
        .filter_map(|other| other.line(&LineKey::Id(line.line_id.clone())))
        .map(ReturnLine::outstanding)
        .sum();
    line.quantities.fulfilled - line.quantities.returned - coming
}

/// Units of a line that a return still expects, or has received and not decided.
pub(super) fn of_line(returned: &Return, line_id: &LineId, units: fn(&ReturnLine) -> i64) -> i64 {
    returned.line(&LineKey::Id(line_id.clone())).map_or(0, units)
}

fn parts<'a>(
    order: &'a Order,
    bundle: &LineKey,
    is_named: impl Fn(&Line) -> bool,
) -> impl Iterator<Item = &'a Line> {
    let parts: Vec<&Line> = find(order, bundle)
        .into_iter()
        .flat_map(|parent| children_of(order, parent))
        .filter(|part| !is_named(part))
        .collect();
    parts.into_iter()
}

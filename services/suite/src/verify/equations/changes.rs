//! What each change came to, recomputed one after the other from the frozen amounts.

use std::collections::{BTreeMap, HashMap};

use super::agreed::{self, Base};
use super::differs;
use super::pricing::committed;
use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

/// Order and delivery group.
type Group<'a> = (&'a str, &'a str);

/// The orders as the changes walked over so far have left them.
struct Walk<'a> {
    lines: HashMap<&'a str, Row<'a>>,
    /// What each line's units are priced from.
    bases: HashMap<&'a str, Base>,
    charges: HashMap<Group<'a>, Row<'a>>,
    selected: BTreeMap<&'a str, Vec<Row<'a>>>,
    /// Units of a line that are cancelled.
    taken: HashMap<&'a str, i64>,
    /// Units of a group that are left.
    left: HashMap<Group<'a>, i64>,
    /// Charge and tax of a group that were given back.
    given: HashMap<Group<'a>, (i64, i64)>,
}

pub fn change_amounts(facts: &Facts, found: &mut Findings<'_>) {
    let mut walk = Walk::new(facts);
    found.each(committed(facts).into_iter(), |change| {
        walk.bring(change).or_else(|| match change.text("type") {
            "refund_only" => differs(
                &format!("goodwill of change {}", change.text("change_order_id")),
                change.number("amount_minor"),
                change.number("gross_minor"),
            ),
            "restore" => walk.restore(change),
            "shipping_adjust" => walk.adjust(change),
            "price_adjust" => walk.lower_prices(change),
            _ => walk.cancel(change),
        })
    });
    found.each(facts.still(Service::Order, "order_line"), |line| {
        let stands = walk.bases[line.text("line_id")].is_stored(line);
        (!stands).then(|| format!("a line that is priced from nothing agreed: {}", line.describe()))
    });
}

impl<'a> Walk<'a> {
    fn new(facts: &'a Facts) -> Self {
        let lines: HashMap<&str, Row<'_>> =
            facts.rows(Service::Order, "order_line").map(|line| (line.text("line_id"), line)).collect();
        let mut left: HashMap<Group<'_>, i64> = HashMap::new();
        let later = agreed::later_lines(facts);
        for line in lines.values().filter(|line| !later.contains(line.text("line_id"))) {
            *left.entry(group_of(*line)).or_default() += line.number("ordered");
        }
        let charges =
            facts.rows(Service::Order, "delivery_group").map(|group| (group_of(group), group)).collect();
        let mut selected: BTreeMap<&str, Vec<Row<'_>>> = BTreeMap::new();
        for line in facts.rows(Service::Order, "change_order_line") {
            selected.entry(line.text("change_order_id")).or_default().push(line);
        }
        let bases = lines.iter().map(|(id, line)| (*id, Base::frozen(*line))).collect();
        Self { lines, bases, charges, selected, taken: HashMap::new(), left, given: HashMap::new() }
    }

    /// Lines that come with a change are there for what it takes, too.
    fn bring(&mut self, change: Row<'_>) -> Option<String> {
        agreed::added(change).iter().find_map(|agreed| {
            let id = agreed["line_id"].as_str().unwrap_or_default();
            let Some(line) = self.lines.get(id).copied() else {
                return Some(format!("a line that was agreed on never came: {}", change.describe()));
            };
            *self.left.entry(group_of(line)).or_default() += line.number("ordered");
            agreed::stands_as_agreed(line, agreed)
        })
    }

    /// The units stay; what is left of each line is worth less from then on.
    fn lower_prices(&mut self, change: Row<'_>) -> Option<String> {
        let mut amount = 0;
        for part in self.parts(change) {
            let id = part.text("line_id");
            let Some(base) = self.bases.get_mut(id) else {
                return Some(format!("a change of a line that is not there: {}", part.describe()));
            };
            *base =
                base.lowered(self.taken.get(id).copied().unwrap_or_default(), part.number("amount_minor"));
            if base.is_overdrawn() {
                return Some(format!("more was taken off a line than was left of it: {}", part.describe()));
            }
            amount += part.number("amount_minor");
        }
        comes_to(change, amount, (0, 0))
    }

    fn parts(&self, change: Row<'_>) -> Vec<Row<'a>> {
        self.selected.get(change.text("change_order_id")).cloned().unwrap_or_default()
    }

    fn cancel(&mut self, change: Row<'_>) -> Option<String> {
        let (mut amount, mut shipping) = (0, (0, 0));
        let rule = shipping_rule(change);
        let shipped: Vec<String> = serde_json::from_str(change.text("shipped_groups")).unwrap_or_default();
        if rule == "explicit" {
            return self.cancel_by_word(change);
        }
        for part in self.parts(change) {
            let base = self.bases.get(part.text("line_id")).copied();
            let from = self.taken.get(part.text("line_id")).copied().unwrap_or_default();
            let due = match self.take(part, part.number("quantity")) {
                Ok(due) => due,
                Err(broken) => return Some(broken),
            };
            amount += due;
            let group = group_of(self.lines[part.text("line_id")]);
            let wanted = match (rule.as_str(), self.left.get(&group), self.charges.get(&group)) {
                ("on_last_unit", Some(0), Some(_)) if !shipped.iter().any(|name| name == group.1) => {
                    (i64::MAX, i64::MAX)
                }
                ("prorate", _, _) => {
                    base.map_or((0, 0), |base| base.delivery(from, from + part.number("quantity")))
                }
                _ => (0, 0),
            };
            if let Some(tariff) = self.charges.get(&group) {
                let given = self.given.entry(group).or_default();
                let rest = (
                    wanted.0.min(tariff.number("shipping_minor") - given.0),
                    wanted.1.min(tariff.number("shipping_tax_minor") - given.1),
                );
                (shipping.0, shipping.1) = (shipping.0 + rest.0, shipping.1 + rest.1);
                (given.0, given.1) = (given.0 + rest.0, given.1 + rest.1);
            }
        }
        comes_to(change, amount, shipping)
    }

    /// How much of the shipping came back was somebody's word; that no group gives back more than was charged is an
    /// equation of its own.
    fn cancel_by_word(&mut self, change: Row<'_>) -> Option<String> {
        let mut amount = 0;
        for part in self.parts(change) {
            match self.take(part, part.number("quantity")) {
                Ok(due) => amount += due,
                Err(broken) => return Some(broken),
            }
        }
        comes_to(change, amount, (change.number("shipping_minor"), change.number("shipping_tax_minor")))
    }

    /// All that was taken off the order comes back.
    fn restore(&mut self, change: Row<'_>) -> Option<String> {
        let mut amount = 0;
        for part in self.parts(change) {
            // The whole price of then stands again, also what was taken off it by agreement.
            if let Some(line) = self.lines.get(part.text("line_id")) {
                self.bases.insert(line.text("line_id"), Base::frozen(*line));
            }
            match self.take(part, -part.number("quantity")) {
                Ok(due) => amount -= due,
                Err(broken) => return Some(broken),
            }
        }
        let mut shipping = (0, 0);
        for (_, given) in self.given.iter_mut().filter(|((order, _), _)| *order == change.text("order_id")) {
            (shipping.0, shipping.1) = (shipping.0 + given.0, shipping.1 + given.1);
            *given = (0, 0);
        }
        comes_to(change, amount, shipping)
    }

    /// What was agreed is written on the change itself.
    fn adjust(&mut self, change: Row<'_>) -> Option<String> {
        let terms: serde_json::Value = serde_json::from_str(change.text("terms")).unwrap_or_default();
        let mut shipping = (0, 0);
        for agreed in terms["explicit_shipping"].as_array().into_iter().flatten() {
            let number = |name: &str| agreed[name].as_i64().unwrap_or_default();
            let name = agreed["delivery_group"].as_str().unwrap_or_default();
            let key = self.charges.keys().find(|key| **key == (change.text("order_id"), name)).copied();
            let Some(key) = key else {
                return Some(format!("a charge that is not there was adjusted: {}", change.describe()));
            };
            let off = (number("shipping_minor"), number("shipping_tax_minor"));
            let given = self.given.entry(key).or_default();
            (given.0, given.1) = (given.0 + off.0, given.1 + off.1);
            (shipping.0, shipping.1) = (shipping.0 + off.0, shipping.1 + off.1);
        }
        comes_to(change, 0, shipping)
    }

    /// Moves units of a line out of the order, or back into it, and says what they are worth.
    fn take(&mut self, part: Row<'a>, units: i64) -> Result<i64, String> {
        let line_id = part.text("line_id");
        let Some(line) = self.lines.get(line_id).copied() else {
            return Err(format!("a change of a line that is not there: {}", part.describe()));
        };
        let (before, ordered) = (self.taken.entry(line_id).or_default(), line.number("ordered"));
        let after = *before + units;
        if !(0..=ordered).contains(&after) {
            return Err(format!("more units than the line has: {}", part.describe()));
        }
        let base = self.bases[line_id];
        let (goods, tax) = base.price(*before, after);
        let due = goods + if line.number("tax_included") == 1 { 0 } else { tax };
        *before = after;
        *self.left.entry(group_of(line)).or_default() -= units;
        let what = format!("amount of line {line_id} in change {}", part.text("change_order_id"));
        differs(&what, part.number("amount_minor"), due.abs()).map_or(Ok(due), Err)
    }
}

/// The rule that a change was accepted under; changes of before there were others say none.
fn shipping_rule(change: Row<'_>) -> String {
    let terms: serde_json::Value = serde_json::from_str(change.text("terms")).unwrap_or_default();
    terms["shipping"].as_str().unwrap_or("on_last_unit").to_owned()
}

fn group_of(row: Row<'_>) -> Group<'_> {
    (row.text("order_id"), row.text("delivery_group"))
}

fn comes_to(change: Row<'_>, lines: i64, shipping: (i64, i64)) -> Option<String> {
    let id = change.text("change_order_id");
    let given = (change.number("shipping_minor"), change.number("shipping_tax_minor"));
    let due = lines + shipping.0 + shipping.1 - change.number("fee_minor");
    differs(&format!("shipping of change {id}"), given, shipping)
        .or_else(|| differs(&format!("amount of change {id}"), change.number("amount_minor"), due))
}

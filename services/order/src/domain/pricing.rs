//! What a change gives back, from the amounts that were frozen when the order was placed.
//!
//! Each amount of a line telescopes on its own: cancelling the units `k..k+q` gives back
//! `C(k+q) − C(k)`, where `C` rounds the running total. So any sequence of partial changes, in any
//! order, sums to exactly what was paid, and no part is ever negative.

use types::{Reason, Refusal};

use super::added_line::AddedLine;
use super::change::{ChangeLine, ChangeRequest, Fee, GroupReversal, Parts, Skipped, Terms};
use super::order::{Group, Line, Order, Placement};
use super::policy::{Document, FeeRule, ShippingRule};
use super::selection::{self, Taken};

/// A change with its price. It is a value: nothing has happened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedChange {
    /// By line number.
    pub lines: Vec<ChangeLine>,
    /// The shipping that comes back.
    pub shipping: Vec<GroupReversal>,
    /// Of the whole change: its lines and its shipping, less its fee.
    pub amounts: Parts,
    pub total_before_minor: i64,
    /// What the order comes to afterwards, fees beside it.
    pub total_after_minor: i64,
    /// The rule of the fee; empty without one.
    pub fee_rule: String,
    /// What its fee is reckoned from.
    pub fee: Fee,
    pub skipped: Vec<Skipped>,
    pub without_parent: Vec<types::LineId>,
}

/// Prices a change, or says why there is nothing, or not so much, to cancel.
pub fn price_change(
    order: &Order,
    request: &ChangeRequest,
    policy: &Document,
) -> Result<PricedChange, Refusal> {
    if matches!(order.placement, Placement::Failed(_)) {
        return Err(selection::nothing_to_cancel(order, "the order was never placed"));
    }
    let choice = selection::choose(order, request, policy)?;
    let lines: Vec<ChangeLine> = choice.taken.iter().map(|taken| change_line(taken, request)).collect();
    if policy.shipping != ShippingRule::Explicit && !request.said.shipping.is_empty() {
        let message = "the policy decides what of the shipping comes back";
        return Err(Refusal::new(Reason::FieldInvalid, message).field("change.shipping"));
    }
    within_what_is_left(order, &request.said.shipping)?;
    let given_back = priced(order, lines, policy.shipping, &request.said.shipping, &[]);
    let rule = fee_of(order, policy);
    let fee = rule.map_or_else(Fee::default, FeeRule::fee);
    let fee_minor = fee.charge(given_back.amounts.amount);
    Ok(PricedChange {
        fee_rule: rule.filter(|_| fee_minor > 0).map_or_else(String::new, |rule| rule.rule.clone()),
        fee,
        skipped: choice.skipped,
        without_parent: choice.without_parent,
        ..given_back.less(fee_minor)
    })
}

/// The fee of cancelling everything that can be cancelled now.
pub fn fee_of_everything(order: &Order, policy: &Document) -> i64 {
    let lines = order.lines.iter().map(|line| ChangeLine {
        line_id: line.line_id.clone(),
        line_number: line.line_number,
        sku: String::new(),
        quantity: selection::available(line, policy.units),
        reason_code: String::new(),
        note: String::new(),
        parts: parts_of(line, selection::available(line, policy.units)),
    });
    let given_back = priced(order, lines.collect(), policy.shipping, &[], &[]).amounts.amount;
    fee_of(order, policy).map_or(0, |rule| rule.fee().charge(given_back))
}

/// The price of units that were accepted before, on the terms they were accepted on.
pub fn reprice(order: &Order, lines: Vec<ChangeLine>, terms: &Terms, fee_minor: i64) -> PricedChange {
    priced(order, lines, terms.shipping, &terms.explicit_shipping, &terms.added).less(fee_minor)
}

fn priced(
    order: &Order,
    lines: Vec<ChangeLine>,
    rule: ShippingRule,
    explicit: &[GroupReversal],
    coming: &[AddedLine],
) -> PricedChange {
    let shipping = order.groups.iter().filter_map(|group| {
        // What is delivered anyhow keeps its charge.
        let goes_on = coming.iter().any(|line| line.delivery_group == group.delivery_group);
        let rule = if goes_on && rule == ShippingRule::OnLastUnit { ShippingRule::None } else { rule };
        shipping_back(order, group, &lines, rule, explicit)
    });
    let shipping: Vec<GroupReversal> = shipping.collect();
    let mut amounts = Parts::sum_of(&lines);
    for reversal in &shipping {
        amounts.shipping += reversal.shipping_minor;
        amounts.shipping_tax += reversal.shipping_tax_minor;
        amounts.amount += reversal.shipping_minor + reversal.shipping_tax_minor;
    }
    let total_before_minor = order.total_minor();
    PricedChange {
        lines,
        shipping,
        total_before_minor,
        total_after_minor: total_before_minor - amounts.amount,
        amounts,
        fee_rule: String::new(),
        fee: Fee::default(),
        skipped: Vec::new(),
        without_parent: Vec::new(),
    }
}

impl PricedChange {
    /// A fee reduces what is given back; what the order comes to stays as it is.
    #[must_use]
    pub fn less(mut self, fee_minor: i64) -> Self {
        self.amounts.fee = fee_minor;
        self.amounts.amount -= fee_minor;
        self
    }
}

/// What the next `units` of a line are worth.
pub fn parts_of(line: &Line, units: i64) -> Parts {
    let goods_net = line.next_share(|base| base.goods_net_minor, units);
    // Gross and discount are not telescoped apart: their difference could then come to -1.
    let discount = line.next_share(|base| base.discount_minor, units);
    let tax = line.next_share(|base| base.tax_minor, units);
    let tax_beside = if line.amounts.tax_included { 0 } else { tax };
    Parts {
        gross: goods_net + discount,
        discount,
        goods_net,
        tax,
        tax_included: line.amounts.tax_included,
        shipping: 0,
        shipping_tax: 0,
        fee: 0,
        amount: goods_net + tax_beside,
    }
}

/// Units of a line for which nothing is said apart.
pub fn plain_line(line: &Line, units: i64) -> ChangeLine {
    ChangeLine {
        line_id: line.line_id.clone(),
        line_number: line.line_number,
        sku: line.sku.clone(),
        quantity: units,
        reason_code: String::new(),
        note: String::new(),
        parts: parts_of(line, units),
    }
}

fn change_line(taken: &Taken<'_>, request: &ChangeRequest) -> ChangeLine {
    let own_or = |own: &str, general: &String| {
        if own.is_empty() { general.clone() } else { own.to_owned() }
    };
    ChangeLine {
        line_id: taken.line.line_id.clone(),
        line_number: taken.line.line_number,
        sku: taken.line.sku.clone(),
        quantity: taken.units,
        reason_code: own_or(taken.reason_code, &request.reason_code),
        note: own_or(taken.note, &request.note),
        parts: parts_of(taken.line, taken.units),
    }
}

/// The first fee that fits the order's supplier and state.
fn fee_of<'a>(order: &Order, policy: &'a Document) -> Option<&'a FeeRule> {
    let state = order.state();
    policy.fees.iter().find(|fee| {
        let supplier = fee.supplier.is_empty() || fee.supplier == order.parties.supplier;
        let currency = fee.currency.is_empty() || fee.currency == order.currency.code();
        supplier && currency && fee.states.contains(&state)
    })
}

impl FeeRule {
    fn fee(&self) -> Fee {
        Fee { amount_minor: self.amount_minor, basis_points: self.basis_points }
    }
}

/// Refuses to take more off a delivery group's charge than is left of it.
pub fn within_what_is_left(order: &Order, wanted: &[GroupReversal]) -> Result<(), Refusal> {
    for (index, reversal) in wanted.iter().enumerate() {
        let group = order.groups.iter().find(|group| group.delivery_group == reversal.delivery_group);
        let fits = group.is_some_and(|group| {
            let left = left_of(group);
            (0..=left.shipping_minor).contains(&reversal.shipping_minor)
                && (0..=left.shipping_tax_minor).contains(&reversal.shipping_tax_minor)
        });
        if !fits {
            let message = "no more of a delivery group's charge can be given back than is left of it";
            return Err(
                Refusal::new(Reason::AmountOutOfRange, message).field(format!("change.shipping[{index}]"))
            );
        }
    }
    Ok(())
}

fn left_of(group: &Group) -> GroupReversal {
    GroupReversal {
        delivery_group: group.delivery_group.clone(),
        shipping_minor: group.shipping_minor - group.shipping_reversed_minor,
        shipping_tax_minor: group.shipping_tax_minor - group.shipping_tax_reversed_minor,
    }
}

fn shipping_back(
    order: &Order,
    group: &Group,
    taken: &[ChangeLine],
    rule: ShippingRule,
    explicit: &[GroupReversal],
) -> Option<GroupReversal> {
    let reversal = match rule {
        ShippingRule::OnLastUnit => takes_last_unit(order, group, taken).then(|| left_of(group)),
        ShippingRule::Prorate => Some(prorated(order, group, taken)),
        ShippingRule::None => None,
        ShippingRule::Explicit => {
            explicit.iter().find(|wanted| wanted.delivery_group == group.delivery_group).cloned()
        }
    };
    reversal.filter(|reversal| reversal.shipping_minor + reversal.shipping_tax_minor > 0)
}

/// A group's charge comes back with its last unit, if none of the group was ever shipped.
fn takes_last_unit(order: &Order, group: &Group, taken: &[ChangeLine]) -> bool {
    let members = || order.lines.iter().filter(|line| line.delivery_group == group.delivery_group);
    let left = |line: &Line| {
        line.quantities.ordered
            - line.quantities.cancelled
            - line.quantities.cancelled_after_ship
            - units_of(line, taken)
    };
    let takes_some = members().any(|line| units_of(line, taken) > 0);
    !group.ever_shipped && takes_some && !members().any(|line| left(line) > 0)
}

/// Each unit brings its share back; never more than an earlier rule has left.
fn prorated(order: &Order, group: &Group, taken: &[ChangeLine]) -> GroupReversal {
    let members = order.lines.iter().filter(|line| line.delivery_group == group.delivery_group);
    let (mut shipping, mut tax) = (0, 0);
    for line in members {
        let units = units_of(line, taken);
        shipping += line.next_share(|base| base.shipping_minor, units);
        tax += line.next_share(|base| base.shipping_tax_minor, units);
    }
    let left = left_of(group);
    GroupReversal {
        shipping_minor: shipping.min(left.shipping_minor),
        shipping_tax_minor: tax.min(left.shipping_tax_minor),
        ..left
    }
}

fn units_of(line: &Line, taken: &[ChangeLine]) -> i64 {
    taken.iter().find(|taken| taken.line_id == line.line_id).map_or(0, |taken| taken.quantity)
}

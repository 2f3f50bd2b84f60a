//! The equations one order has to satisfy, computed over again from its own rows.
//!
//! Except for the way to divide an amount, nothing here is shared with the code that wrote the rows: a check that calls what it checks proves
//! nothing.

use types::money::cumulative;

use super::change::{ChangeLine, ChangeOrder, ChangeState, ChangeType};
use super::order::{Line, Order};

/// An equation that does not hold, and a row that breaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub equation: &'static str,
    pub row: String,
}

const PARTITION: &str =
    "I09: ordered = open + cancel_pending + cancelled + fulfilled + cancelled_after_ship, all at least 0";
const FULFILLED: &str = "I09: returned <= fulfilled and delivered <= fulfilled";
const CANCELLED: &str = "I09: cancelled = units of the committed changes";
const RETURNED: &str = "I09: returned = units of the committed returns";
const PENDING: &str = "I16: cancel_pending = units of the change that holds the order";
const LOCK: &str = "I16: change_in_progress = the one change that is executing or unwinding";
const FROZEN: &str = "M1: goods_net = gross - line_discount - order_discount, all at least 0";
const PLACED: &str = "M2: placed = goods_net + tax beside the prices + shipping + shipping tax";
const LINE_REVERSED: &str =
    "M3: reversed of a line = what its cancelled units cost, and what was taken off the others";
const LINE_GIVEN: &str = "M4: reversed of a line = amounts of the committed changes";
const REVERSED: &str = "M5: reversed of the order = its lines + shipping given back";
const GROUP_REVERSED: &str = "M6: shipping given back <= shipping charged";
const EXPLAINED: &str = "M7: amount = gross - discount + tax + shipping + shipping_tax - fee, all at least 0";
const CHANGE_TOTAL: &str = "M8: amount of a change = its lines + its shipping - its fee";
const OWED: &str = "M9: what is owed goes by a decision that the order has made";

const GOODWILL: &str = "M10: goodwill of the order = amounts of its committed refunds without units";

/// Every equation that does not hold; none when the books are right. `changes` are all of the order.
pub fn verify(order: &Order, changes: &[ChangeOrder]) -> Vec<Broken> {
    let mut books = Books { broken: Vec::new() };
    books.lines(order);
    books.order_totals(order, changes);
    books.lock(order, changes);
    for change in changes {
        books.change(change);
    }
    for line in &order.lines {
        books.line_against_changes(line, order, changes);
    }
    books.broken
}

struct Books {
    broken: Vec<Broken>,
}

impl Books {
    /// Notes each row that breaks an equation.
    fn holds(&mut self, equation: &'static str, holds: bool, row: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(Broken { equation, row: row() });
        }
    }

    fn lines(&mut self, order: &Order) {
        for line in &order.lines {
            let row = || format!("line {} {:?} {:?}", line.line_id, line.quantities, line.amounts);
            let q = line.quantities;
            let buckets = [q.open, q.cancel_pending, q.cancelled, q.fulfilled, q.cancelled_after_ship];
            let partition =
                buckets.iter().all(|bucket| *bucket >= 0) && buckets.iter().sum::<i64>() == q.ordered;
            self.holds(PARTITION, partition, row);
            let reported = 0..=q.fulfilled;
            self.holds(FULFILLED, reported.contains(&q.returned) && reported.contains(&q.delivered), row);

            let a = line.amounts;
            let amounts = [a.gross, a.line_discount, a.order_discount, a.goods_net, a.tax];
            let frozen = amounts.iter().all(|amount| *amount >= 0)
                && a.goods_net == a.gross - a.line_discount - a.order_discount;
            self.holds(FROZEN, frozen, row);
            if q.ordered > 0 && (0..=q.ordered).contains(&q.taken_back()) {
                let paid = |goods: i64, tax: i64| goods + if a.tax_included { 0 } else { tax };
                let (before, goods, tax) = line.bases.last().map_or((0, a.goods_net, a.tax), |base| {
                    (base.taken_before, base.goods_net_minor, base.tax_minor)
                });
                let left =
                    |amount: i64| amount - cumulative(amount, q.taken_back() - before, q.ordered - before);
                let cost = paid(a.goods_net, a.tax) - paid(left(goods), left(tax));
                self.holds(LINE_REVERSED, line.reversed_minor == cost, || {
                    format!("line {}: reversed {}, {cost} by its units", line.line_id, line.reversed_minor)
                });
            }
        }
    }

    fn order_totals(&mut self, order: &Order, changes: &[ChangeOrder]) {
        let goods: i64 = order
            .lines
            .iter()
            .map(|line| line.amounts.goods_net + if line.amounts.tax_included { 0 } else { line.amounts.tax })
            .sum();
        let charged: i64 =
            order.groups.iter().map(|group| group.shipping_minor + group.shipping_tax_minor).sum();
        let given: i64 = order
            .groups
            .iter()
            .map(|group| group.shipping_reversed_minor + group.shipping_tax_reversed_minor)
            .sum();
        let by_line: i64 = order.lines.iter().map(|line| line.reversed_minor).sum();

        let row = |name: &str, stored: i64, computed: i64| {
            format!("order {}: {name} {stored}, {computed} by its rows", order.order_id)
        };
        self.holds(PLACED, order.placed_minor == goods + charged, || {
            row("placed", order.placed_minor, goods + charged)
        });
        self.holds(REVERSED, order.reversed_minor == by_line + given, || {
            row("reversed", order.reversed_minor, by_line + given)
        });
        self.holds(OWED, (1..=order.worth_version).contains(&order.position.worth_version), || {
            row("the decision of refund_owed", order.position.worth_version, order.worth_version)
        });
        let goodwill: i64 = changes
            .iter()
            .filter(|change| is_committed(change) && change.change_type == ChangeType::RefundOnly)
            .map(|change| change.amounts.amount)
            .sum();
        self.holds(GOODWILL, order.goodwill_minor == goodwill, || {
            row("goodwill", order.goodwill_minor, goodwill)
        });
        for group in &order.groups {
            let within = (0..=group.shipping_minor).contains(&group.shipping_reversed_minor)
                && (0..=group.shipping_tax_minor).contains(&group.shipping_tax_reversed_minor);
            self.holds(GROUP_REVERSED, within, || format!("{group:?}"));
        }
    }

    fn lock(&mut self, order: &Order, changes: &[ChangeOrder]) {
        let holders: Vec<_> = changes
            .iter()
            .filter(|change| change.state.holds_order())
            .map(|change| &change.change_order_id)
            .collect();
        let locked: Vec<_> = order.change_in_progress.iter().collect();
        self.holds(LOCK, holders == locked, || {
            format!("order {}: held by {locked:?}, executing or unwinding are {holders:?}", order.order_id)
        });
    }

    fn change(&mut self, change: &ChangeOrder) {
        for line in &change.lines {
            self.holds(EXPLAINED, is_explained(line), || {
                format!("change {} line {} {:?}", change.change_order_id, line.line_id, line.parts)
            });
        }
        let amounts = change.amounts;
        let by_line: i64 = change.lines.iter().map(|line| line.parts.amount).sum();
        // Goodwill stands on no line.
        let goodwill = if change.change_type == ChangeType::RefundOnly { amounts.goods_net } else { 0 };
        let total = by_line + amounts.shipping + amounts.shipping_tax + goodwill - amounts.fee;
        self.holds(CHANGE_TOTAL, amounts.amount == total, || {
            format!("change {}: {}, {total} by its rows", change.change_order_id, amounts.amount)
        });
    }

    fn line_against_changes(&mut self, line: &Line, order: &Order, changes: &[ChangeOrder]) {
        let taken = |wanted: fn(&ChangeOrder) -> bool| {
            changes
                .iter()
                .filter(move |change| wanted(change))
                .flat_map(|change| &change.lines)
                .filter(|taken| taken.line_id == line.line_id)
        };
        let units = |which: fn(&ChangeOrder) -> bool| taken(which).map(|taken| taken.quantity).sum::<i64>();
        let worth =
            |which: fn(&ChangeOrder) -> bool| taken(which).map(|taken| taken.parts.amount).sum::<i64>();
        let cancels: fn(&ChangeOrder) -> bool =
            |change| is_committed(change) && change.change_type.takes_units();
        let restores: fn(&ChangeOrder) -> bool =
            |change| is_committed(change) && change.change_type == ChangeType::Restore;
        let returns: fn(&ChangeOrder) -> bool =
            |change| is_committed(change) && change.change_type == ChangeType::Return;
        let adjusts: fn(&ChangeOrder) -> bool =
            |change| is_committed(change) && change.change_type == ChangeType::PriceAdjust;
        let cancelled = units(cancels) - units(restores);
        let (returned, given) =
            (units(returns), worth(cancels) + worth(returns) + worth(adjusts) - worth(restores));
        let pending = units(|change| change.state.holds_order() && change.change_type.takes_units());

        let row = |name: &str, stored: i64, computed: i64| {
            format!(
                "order {} line {}: {name} {stored}, {computed} by its changes",
                order.order_id, line.line_id
            )
        };
        let quantities = line.quantities;
        let committed = quantities.cancelled + quantities.cancelled_after_ship;
        self.holds(CANCELLED, committed == cancelled, || row("cancelled", committed, cancelled));
        self.holds(RETURNED, quantities.returned == returned, || {
            row("returned", quantities.returned, returned)
        });
        self.holds(PENDING, quantities.cancel_pending == pending, || {
            row("cancel_pending", quantities.cancel_pending, pending)
        });
        self.holds(LINE_GIVEN, line.reversed_minor == given, || row("reversed", line.reversed_minor, given));
    }
}

fn is_explained(line: &ChangeLine) -> bool {
    let parts = line.parts;
    let each = [
        parts.gross,
        parts.discount,
        parts.goods_net,
        parts.tax,
        parts.shipping,
        parts.shipping_tax,
        parts.fee,
        parts.amount,
    ];
    each.iter().all(|part| *part >= 0)
        && parts.goods_net == parts.gross - parts.discount
        && parts.explained() == parts.amount
}

/// Its units are cancelled for good.
fn is_committed(change: &ChangeOrder) -> bool {
    match change.state {
        ChangeState::Settling | ChangeState::Completed | ChangeState::CompletedWithExceptions => true,
        ChangeState::Draft
        | ChangeState::Requested
        | ChangeState::Declined
        | ChangeState::Expired
        | ChangeState::Withdrawn
        | ChangeState::Executing
        | ChangeState::Unwinding
        | ChangeState::Rejected => false,
    }
}

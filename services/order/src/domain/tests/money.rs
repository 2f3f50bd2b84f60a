//! Whatever is cancelled in whatever order, exactly what was paid comes back.

use proptest::prelude::*;
use types::{Ids, Quantity, Reason, Refusal, UnitPrice};

use super::world::{accepted, currency, everything, ids, items, new_line, new_order, now, open, shipping};
use crate::domain::change::{ChangeOrder, ChangeRequest};
use crate::domain::lifecycle::{Settled, commit, finish, reject};
use crate::domain::order::{Order, OrderState};
use crate::domain::placing::{NewLine, NewOrder};
use crate::domain::verify::verify;

/// One line as the generator draws it; parts in per mille of what they may be at most.
#[derive(Debug, Clone)]
struct Drawn {
    quantity: i64,
    price: String,
    discount: i64,
    tax: i64,
    group: usize,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let price = prop_oneof![
        (0_i64..3_000, 0..100).prop_map(|(whole, cents)| format!("{whole}.{cents:02}")),
        (0_i64..9, 0..1_000_000).prop_map(|(whole, millionths)| format!("{whole}.{millionths:06}")),
    ];
    (1_i64..40, price, 0_i64..=1_000, 0_i64..300, 0_usize..3)
        .prop_map(|(quantity, price, discount, tax, group)| Drawn { quantity, price, discount, tax, group })
}

/// An order with every kind of charge in a currency of zero, two or three decimals.
fn orders() -> impl Strategy<Value = NewOrder> {
    let lines = prop::collection::vec(drawn(), 1..6);
    let charges = [(0_i64..2_000, 0_i64..400), (0_i64..2_000, 0_i64..400), (0_i64..2_000, 0_i64..400)];
    (
        lines,
        charges,
        prop::sample::select(vec!["GBP", "JPY", "KWD"]),
        0_i64..=1_000,
        0_i64..500,
        any::<bool>(),
    )
        .prop_map(|(lines, charges, code, discount, tax, included)| {
            let code = currency(code);
            let lines: Vec<NewLine> = lines.iter().map(|line| drawn_line(line, code, included)).collect();
            let goods: i64 = lines.iter().map(|line| gross(line, code) - line.line_discount_minor).sum();
            let shipping = charges
                .iter()
                .enumerate()
                .filter(|(group, _)| lines.iter().any(|line| line.delivery_group == format!("g{group}")))
                .map(|(group, (amount, tax))| shipping(&format!("g{group}"), *amount, *tax));
            NewOrder {
                currency: code,
                order_discount_minor: goods * discount / 1_000,
                order_tax_minor: if included { 0 } else { tax },
                shipping: shipping.collect(),
                ..new_order(lines)
            }
        })
}

fn drawn_line(drawn: &Drawn, code: types::Currency, included: bool) -> NewLine {
    let mut line = NewLine {
        quantity: Quantity::parse(drawn.quantity).unwrap(),
        unit_price: UnitPrice::parse(&drawn.price).unwrap(),
        delivery_group: format!("g{}", drawn.group),
        tax_included: included,
        ..new_line(1, "1")
    };
    let gross = gross(&line, code);
    line.line_discount_minor = gross * drawn.discount / 1_000;
    line.tax_minor = (gross - line.line_discount_minor) * drawn.tax / 1_000;
    line
}

fn gross(line: &NewLine, code: types::Currency) -> i64 {
    line.unit_price.times(line.quantity, code).unwrap().minor()
}

/// One wish: lines by index with a share of what is open, and whether the saga commits it.
type Wish = (Vec<(usize, i64)>, bool);

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let picks = prop::collection::vec((0_usize..6, 1_i64..=1_000), 1..4);
    prop::collection::vec((picks, prop::bool::weighted(0.8)), 0..6)
}

/// The wish as a request for units that are open; none when there are none.
fn asked(order: &Order, picks: &[(usize, i64)]) -> Option<ChangeRequest> {
    let mut chosen: Vec<(i64, i64)> = Vec::new();
    for (index, share) in picks {
        let line = &order.lines[index % order.lines.len()];
        let units = (line.quantities.open * share + 999) / 1_000;
        if units > 0 && chosen.iter().all(|(number, _)| *number != line.line_number) {
            chosen.push((line.line_number, units));
        }
    }
    (!chosen.is_empty()).then(|| items(order, &chosen))
}

fn carry_out(order: &mut Order, request: &ChangeRequest, commits: bool, ids: &Ids) -> ChangeOrder {
    let mut change = accepted(order, request, ids).unwrap();
    if commits {
        let _told = commit(order, &mut change, now()).unwrap();
        let _told = finish(order, &mut change, Settled::default(), now()).unwrap();
    } else {
        let cause = Refusal::new(Reason::ShippedFirst, "shipped first");
        let _told = reject(order, &mut change, cause, now()).unwrap();
    }
    change
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_sequence_of_partial_cancellations_sums_to_what_was_paid(new in orders(), wishes in wishes()) {
        let ids = ids();
        let mut order = open(new, &ids);
        let paid = order.placed_minor;
        let mut changes = Vec::new();

        for (picks, commits) in &wishes {
            if let Some(request) = asked(&order, picks) {
                let before = order.total_minor();
                let change = carry_out(&mut order, &request, *commits, &ids);
                let moved = if *commits { change.amounts.amount } else { 0 };
                prop_assert_eq!(order.total_minor(), before - moved);
                prop_assert_eq!(change.amounts.explained(), change.amounts.amount);
                changes.push(change);
                prop_assert_eq!(verify(&order, &changes), Vec::new());
            }
        }
        if order.units().open > 0 {
            let rest = everything(&order);
            changes.push(carry_out(&mut order, &rest, true, &ids));
        }

        let given: i64 = changes
            .iter()
            .filter(|change| change.decided_at.is_some())
            .map(|change| change.amounts.amount)
            .sum();
        prop_assert_eq!(given, paid);
        prop_assert_eq!(order.total_minor(), 0);
        prop_assert_eq!(order.state(), OrderState::Cancelled);
        prop_assert_eq!(verify(&order, &changes), Vec::new());
    }

    #[test]
    fn every_charge_of_an_order_is_divided_to_the_last_minor_unit(new in orders()) {
        let (discount, tax) = (new.order_discount_minor, new.order_tax_minor);
        let own_tax: i64 = new.lines.iter().map(|line| line.tax_minor).sum();
        let charged: i64 = new.shipping.iter().map(|charge| charge.amount_minor).sum();

        let order = open(new, &ids());

        let sum = |part: fn(&crate::domain::order::LineAmounts) -> i64| -> i64 {
            order.lines.iter().map(|line| part(&line.amounts)).sum()
        };
        prop_assert_eq!(sum(|line| line.order_discount), discount);
        prop_assert_eq!(sum(|line| line.tax), own_tax + tax);
        prop_assert_eq!(sum(|line| line.shipping), charged);
        prop_assert!(order.lines.iter().all(|line| line.amounts.goods_net >= 0));
        prop_assert_eq!(verify(&order, &[]), Vec::new());
    }
}

#[test]
fn yen_and_dinars_are_counted_in_their_own_smallest_unit() {
    for (code, expected) in [("JPY", 8), ("GBP", 765), ("KWD", 7_650)] {
        let new = NewOrder { currency: currency(code), ..new_order(vec![new_line(3, "2.55")]) };

        let order = open(new, &ids());

        assert_eq!(order.placed_minor, expected, "{code}");
    }
}

#[test]
fn three_thirds_of_a_pound_come_back_as_a_pound() {
    let ids = ids();
    let mut line = new_line(3, "0.34");
    line.line_discount_minor = 2;
    let mut order = open(new_order(vec![line]), &ids);

    let amounts = [1, 1, 1].map(|units| {
        let request = items(&order, &[(1, units)]);
        carry_out(&mut order, &request, true, &ids).amounts.amount
    });

    assert_eq!(amounts, [33, 34, 33]);
}

#[test]
fn shipping_comes_back_with_the_last_unit_of_its_group_only() {
    let ids = ids();
    let mut letter = new_line(2, "1.00");
    letter.delivery_group = "letter".to_owned();
    let mut new = new_order(vec![letter, new_line(1, "5.00")]);
    new.shipping = vec![shipping("letter", 250, 50)];
    let mut order = open(new, &ids);

    let first = items(&order, &[(1, 1)]);
    let first = carry_out(&mut order, &first, true, &ids);
    let last = items(&order, &[(1, 1)]);
    let last = carry_out(&mut order, &last, true, &ids);

    assert_eq!((first.amounts.shipping, first.amounts.amount), (0, 100));
    assert_eq!((last.amounts.shipping, last.amounts.shipping_tax, last.amounts.amount), (250, 50, 400));
    assert_eq!(order.total_minor(), 500);
}

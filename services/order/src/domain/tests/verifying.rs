//! The check finds what it is there to find: every equation is broken once, by hand.

use super::world::{accepted, cancelled, everything, ids, items, new_line, new_order, open, shipping};
use crate::domain::change::ChangeOrder;
use crate::domain::order::Order;
use crate::domain::verify::verify;

/// An order with one committed change and one that holds it.
fn books() -> (Order, Vec<ChangeOrder>) {
    let ids = ids();
    let mut new = new_order(vec![new_line(3, "1.00"), new_line(2, "5.00")]);
    new.shipping = vec![shipping("", 300, 60)];
    let mut order = open(new, &ids);
    let first = items(&order, &[(1, 2)]);
    let first = cancelled(&mut order, &first, &ids).unwrap();
    let rest = everything(&order);
    let second = accepted(&mut order, &rest, &ids).unwrap();
    (order, vec![first, second])
}

#[test]
fn right_books_have_nothing_broken() {
    let (order, changes) = books();

    assert_eq!(verify(&order, &changes), Vec::new());
}

#[test]
fn every_equation_is_named_when_it_breaks() {
    type Breaking = fn(&mut Order, &mut Vec<ChangeOrder>);
    let table: [(&str, Breaking); 14] = [
        ("I09: ordered", |order, _| order.lines[0].quantities.ordered += 1),
        ("I09: returned", |order, _| order.lines[0].quantities.delivered = 1),
        ("I09: cancelled", |order, _| {
            order.lines[0].quantities.cancelled += 1;
            order.lines[0].quantities.cancel_pending -= 1;
        }),
        ("I16: cancel_pending", |order, _| {
            order.lines[1].quantities.open += 1;
            order.lines[1].quantities.cancel_pending -= 1;
        }),
        ("I16: change_in_progress", |order, _| order.change_in_progress = None),
        ("M1", |order, _| order.lines[0].amounts.gross += 1),
        ("M2", |order, _| order.placed_minor += 1),
        ("M3", |order, _| order.lines[0].reversed_minor += 1),
        ("M4", |_, changes| changes[0].lines[0].parts.amount += 1),
        ("M5", |order, _| order.reversed_minor += 1),
        ("M6", |order, _| order.groups[0].shipping_reversed_minor = 301),
        ("M7", |_, changes| changes[1].lines[0].parts.gross += 1),
        ("M8", |_, changes| changes[1].amounts.amount += 1),
        ("M9", |order, _| order.position.worth_version = 100),
    ];

    for (equation, breaking) in table {
        let (mut order, mut changes) = books();
        breaking(&mut order, &mut changes);

        let broken = verify(&order, &changes);

        assert!(
            broken.iter().any(|broken| broken.equation.starts_with(equation)),
            "{equation} was not found: {broken:?}"
        );
    }
}

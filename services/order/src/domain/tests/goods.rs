//! Reports of the inventory: applied by maximum, wholly or not at all.

use types::{LineId, Reason};

use super::world::{accepted, everything, foreign_ids, ids, items, new_line, new_order, now, open, shipping};
use crate::domain::goods::{LineCounters, Reported, report};
use crate::domain::order::{Order, OrderState};

fn tea() -> Order {
    open(new_order(vec![new_line(3, "1.00"), new_line(2, "5.00")]), &ids())
}

fn counters(line_id: &LineId, shipped: i64, delivered: i64) -> LineCounters {
    LineCounters {
        line_id: line_id.clone(),
        allocated: shipped,
        deallocated: 0,
        submitted: shipped,
        shipped,
        unshipped: 0,
        delivered,
    }
}

fn ship(order: &mut Order, index: usize, shipped: i64, delivered: i64) -> Reported {
    let line_id = order.lines[index].line_id.clone();
    report(order, &[counters(&line_id, shipped, delivered)], "T1", now())
}

#[test]
fn a_shipment_takes_from_what_is_open() {
    let mut order = tea();

    let Reported::Applied(told) = ship(&mut order, 0, 2, 0) else { panic!("not applied") };

    assert_eq!((order.lines[0].quantities.open, order.lines[0].quantities.fulfilled), (1, 2));
    assert_eq!(order.state(), OrderState::PartiallyShipped);
    assert!(order.processing_at.is_some());
    let events: Vec<&str> = told.entries.iter().map(|entry| entry.event.as_str()).collect();
    assert_eq!(events, ["goods.allocated", "goods.submitted", "goods.shipped"]);
    assert_eq!(told.facts.len(), 1);
}

#[test]
fn an_old_or_repeated_report_changes_nothing() {
    let mut order = tea();
    ship(&mut order, 0, 3, 1);
    let after = order.clone();

    for (shipped, delivered) in [(3, 1), (2, 0), (0, 0)] {
        let again = ship(&mut order, 0, shipped, delivered);

        assert!(matches!(again, Reported::Applied(told) if told.entries.is_empty() && told.facts.is_empty()));
        assert_eq!(order, after);
    }
}

#[test]
fn units_that_a_change_holds_are_shipped_later() {
    let mut order = tea();
    let request = items(&order, &[(1, 3)]);
    accepted(&mut order, &request, &ids()).unwrap();
    let held = order.clone();

    assert_eq!(ship(&mut order, 0, 1, 0), Reported::Later);
    assert_eq!(order, held);
    assert!(matches!(ship(&mut order, 1, 1, 0), Reported::Applied(_)));
}

#[test]
fn a_report_that_cannot_be_is_shown_to_somebody() {
    let mut order = tea();
    let before = order.clone();

    let too_many = ship(&mut order, 0, 4, 0);
    let unknown = report(&mut order, &[counters(&foreign_ids().mint(), 1, 0)], "", now());

    for reported in [too_many, unknown] {
        assert!(matches!(reported, Reported::Contradicts(why) if why.reason == Reason::StateConflict));
    }
    assert_eq!(order, before);
}

#[test]
fn a_report_is_applied_wholly_or_not_at_all() {
    let mut order = tea();
    let before = order.clone();
    let lines: Vec<LineCounters> =
        order.lines.iter().zip([1, 9]).map(|(line, shipped)| counters(&line.line_id, shipped, 0)).collect();

    assert!(matches!(report(&mut order, &lines, "", now()), Reported::Contradicts(_)));
    assert_eq!(order, before);
}

#[test]
fn an_order_is_delivered_when_all_that_was_shipped_arrived() {
    let mut order = tea();

    ship(&mut order, 0, 3, 2);
    assert_eq!(order.state(), OrderState::PartiallyDelivered);
    ship(&mut order, 1, 2, 2);
    assert_eq!(order.state(), OrderState::PartiallyDelivered);
    ship(&mut order, 0, 3, 3);
    assert_eq!(order.state(), OrderState::Delivered);
}

#[test]
fn a_shipped_group_keeps_its_shipping_until_the_shipment_is_taken_back() {
    let ids = ids();
    let mut new = new_order(vec![new_line(2, "1.00")]);
    new.shipping = vec![shipping("", 300, 0)];
    let mut order = open(new, &ids);
    ship(&mut order, 0, 1, 0);
    let kept = crate::domain::pricing::price_change(
        &order,
        &everything(&order),
        &crate::domain::policy::default_policy().document,
    )
    .unwrap();

    let mut back = counters(&order.lines[0].line_id, 1, 0);
    back.unshipped = 1;
    report(&mut order, &[back], "", now());
    let given = crate::domain::pricing::price_change(
        &order,
        &everything(&order),
        &crate::domain::policy::default_policy().document,
    )
    .unwrap();

    assert_eq!((kept.amounts.amount, kept.total_after_minor), (100, 400));
    assert_eq!((given.amounts.amount, given.total_after_minor), (500, 0));
}

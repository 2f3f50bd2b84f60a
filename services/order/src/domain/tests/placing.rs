//! What a new order is refused for, and what is frozen in it.

use types::{Reason, Refusal, Tenant};

use super::world::{actor, ids, new_line, new_order, now, placed, shipping, tender};
use crate::domain::order::{OrderState, Placement};
use crate::domain::placing::{NewExternalPayment, NewOrder, place};

fn refused(new: NewOrder) -> Refusal {
    place(new, Tenant::DEFAULT, actor(), &ids(), now()).unwrap_err()
}

#[test]
fn an_accepted_order_is_placing_and_everything_in_it_is_open() {
    let order = placed(new_order(vec![new_line(2, "1.50"), new_line(1, "0.99")]), &ids()).order;

    assert_eq!(order.placement, Placement::Placing);
    assert_eq!(order.state(), OrderState::Placing);
    assert_eq!(order.placed_minor, 399);
    assert_eq!(order.lines.iter().map(|line| line.line_number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(order.units().open, 3);
    assert!(order.number.starts_with("O-"), "{}", order.number);
}

#[test]
fn payments_have_to_come_to_the_total() {
    let mut new = new_order(vec![new_line(1, "10.00")]);
    new.tenders = vec![tender(400)];
    new.external_payments = vec![NewExternalPayment {
        gateway: "bank".to_owned(),
        reference: "r-1".to_owned(),
        authorised_minor: 599,
        captured_minor: 0,
        attested: false,
    }];

    let refusal = refused(new.clone());

    assert_eq!(refusal.reason, Reason::TendersMismatch);
    assert_eq!(refusal.details["paid_minor"], "999");
    new.tenders[0].amount_minor = 401;
    assert!(place(new, Tenant::DEFAULT, actor(), &ids(), now()).is_ok());
}

#[test]
fn an_order_over_nothing_needs_no_payment() {
    let new = new_order(vec![new_line(3, "0")]);

    let placed = place(new, Tenant::DEFAULT, actor(), &ids(), now()).unwrap();

    assert_eq!(placed.order.placed_minor, 0);
    assert_eq!(placed.tenders, Vec::new());
}

#[test]
fn a_discount_is_never_more_than_the_goods() {
    let mut by_line = new_order(vec![new_line(1, "1.00"), new_line(1, "1.00")]);
    by_line.lines[1].line_discount_minor = 101;
    let mut by_order = new_order(vec![new_line(1, "1.00"), new_line(1, "1.00")]);
    by_order.lines[0].line_discount_minor = 50;
    by_order.order_discount_minor = 151;

    let (by_line, by_order) = (refused(by_line), refused(by_order));

    assert_eq!(by_line.reason, Reason::DiscountExceedsGoods);
    assert_eq!(by_line.field.as_deref(), Some("lines[1].line_discount_minor"));
    assert_eq!(by_order.reason, Reason::DiscountExceedsGoods);
    assert_eq!(by_order.field.as_deref(), Some("order_discount_minor"));
}

#[test]
fn a_sum_beyond_the_bound_of_amounts_is_refused() {
    let new = new_order((0..1_000).map(|_| new_line(1_000_000, "10001")).collect());

    assert_eq!(refused(new).reason, Reason::AmountOutOfRange);
}

#[test]
fn a_line_beyond_the_bound_is_refused_by_its_path() {
    let new = new_order(vec![new_line(1, "1"), new_line(1_000_000, "999999999999")]);

    let refusal = refused(new);

    assert_eq!(refusal.reason, Reason::AmountOutOfRange);
    assert_eq!(refusal.field.as_deref(), Some("lines[1].unit_price"));
}

#[test]
fn included_tax_is_not_paid_beside_the_price() {
    let mut new = new_order(vec![new_line(1, "12.00")]);
    new.lines[0].tax_minor = 200;
    new.lines[0].tax_included = true;

    let order = placed(new.clone(), &ids()).order;

    assert_eq!(order.placed_minor, 1_200);
    new.order_tax_minor = 1;
    assert_eq!(refused(new).field.as_deref(), Some("order_tax_minor"));
}

#[test]
fn shipping_for_a_group_without_lines_is_refused() {
    let mut new = new_order(vec![new_line(1, "1.00")]);
    new.shipping = vec![shipping("", 10, 0), shipping("parcel", 10, 0)];

    let refusal = refused(new);

    assert_eq!(refusal.reason, Reason::FieldInvalid);
    assert_eq!(refusal.field.as_deref(), Some("shipping[1].delivery_group"));
}

#[test]
fn a_leftover_penny_of_a_discount_goes_to_the_largest_remainder() {
    let mut new = new_order(vec![new_line(1, "1.00"), new_line(1, "1.00"), new_line(1, "2.00")]);
    new.order_discount_minor = 101;

    let order = placed(new, &ids()).order;

    let shares: Vec<i64> = order.lines.iter().map(|line| line.amounts.order_discount).collect();
    assert_eq!(shares, [25, 25, 51]);
}

//! Tax follows the amounts that it belongs to.

use types::Fingerprint;

use super::remedies::author;
use super::world::{actor, cancelled, ids, items, new_line, new_order, now, open};
use crate::domain::change::ChangeOrder;
use crate::domain::lifecycle::{Given, RefundRequest, accept_refund, commit_refund};
use crate::domain::order::Order;
use crate::domain::placing::NewLine;
use crate::domain::verify::verify;

/// One unit at 59.97 with 9.58 tax in it.
fn taxed() -> NewLine {
    NewLine { tax_minor: 958, tax_included: true, ..new_line(1, "59.97") }
}

fn given(order: &mut Order, amount_minor: i64, before: &[ChangeOrder]) -> ChangeOrder {
    let request = RefundRequest {
        order_id: order.order_id.clone(),
        what: Given::Goodwill { amount_minor },
        reason_code: "GOODWILL".to_owned(),
        note: String::new(),
        content: Fingerprint::of(&[b"goodwill"]),
    };
    let (mut change, _told) = accept_refund(order, &request, before, &author(&ids(), actor())).unwrap();
    let _told = commit_refund(order, &mut change, now()).unwrap();
    change
}

#[test]
fn goodwill_has_its_share_of_the_tax_and_all_of_it_has_all() {
    let mut order = open(new_order(vec![taxed()]), &ids());

    let first = given(&mut order, 500, &[]);
    let second = given(&mut order, 5_497, std::slice::from_ref(&first));

    assert_eq!((first.amounts.tax, first.amounts.tax_included, first.amounts.amount), (80, true, 500));
    assert_eq!(first.amounts.explained(), 500);
    assert_eq!((second.amounts.tax, order.total_minor()), (878, 0));
    assert_eq!(verify(&order, &[first, second]), []);
}

#[test]
fn a_line_without_tax_does_not_hide_the_tax_of_another() {
    let mut order = open(new_order(vec![taxed(), new_line(1, "3.00")]), &ids());
    let request = items(&order, &[(1, 1), (2, 1)]);

    let change = cancelled(&mut order, &request, &ids()).unwrap();

    assert_eq!((change.amounts.tax, change.amounts.tax_included), (958, true));
    assert_eq!(change.amounts.explained(), change.amounts.amount);
}

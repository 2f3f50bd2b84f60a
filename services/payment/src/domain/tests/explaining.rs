//! Every refund's parts sum to it, and all refunds of a change to the change.

use proptest::prelude::*;

use super::super::{Explanation, Parts, Reservation, Terms};
use super::{World, declined, done};

#[test]
fn a_refund_on_one_tender_is_the_change_itself() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let parts =
        Parts { gross_minor: 70, discount_minor: 10, shipping_minor: 5, fee_minor: 5, ..Parts::default() };
    let wanted = Reservation { terms: Terms { parts, ..Terms::default() }, ..world.reservation("sag_1", 40) };
    account.reserve(&wanted, world.moment()).unwrap();
    let refund = account.refunds.values().next().unwrap();

    let explained = account.explain(refund);

    assert_eq!(explained.parts, parts);
    assert_eq!((explained.remainder_minor, explained.carried_minor, explained.elsewhere_minor), (0, 0, 0));
    assert_eq!(explained.tenders.len(), 1);
}

#[test]
fn what_earlier_changes_left_owed_is_carried() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let parts = Parts { gross_minor: 20, ..Parts::default() };
    let wanted = Reservation { terms: Terms { parts, ..Terms::default() }, ..world.reservation("sag_1", 50) };
    account.reserve(&wanted, world.moment()).unwrap();

    let explained = account.explain(account.refunds.values().next().unwrap());

    assert_eq!((explained.parts, explained.carried_minor), (parts, 30));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn f54_parts_sum_to_each_refund_and_refunds_to_the_change(
        amounts in prop::collection::vec(1_i64..=100_000, 1..6),
        parts in prop::array::uniform6(0_i64..=50_000),
        keep in 0_i64..=100_000,
        declines in any::<bool>(),
    ) {
        let world = World::new();
        let mut account = world.captured(&amounts);
        let [gross_minor, discount_minor, tax_minor, shipping_minor, shipping_tax_minor, fee_minor] = parts;
        let parts =
            Parts {
                gross_minor,
                discount_minor,
                tax_minor,
                shipping_minor,
                shipping_tax_minor,
                fee_minor,
                included_tax_minor: gross_minor / 6,
            };
        let terms = Terms { parts, store_credit_fallback: declines, ..Terms::default() };
        let wanted = Reservation { terms, ..world.reservation("sag_1", keep) };
        account.reserve(&wanted, world.moment()).unwrap();
        account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
        world.answer_all(&mut account, &if declines { declined() } else { done() });

        let mut whole = Explanation::default();
        for refund in account.refunds.values() {
            let explained = account.explain(refund);
            prop_assert_eq!(explained.sum(), refund.amount_minor);
            // The indivisible units: less than one for each part.
            prop_assert!(explained.remainder_minor.abs() <= 7, "{:?}", explained);
            if refund.retry_of.is_none() {
                whole.parts.gross_minor += explained.parts.gross_minor;
                whole.parts.discount_minor += explained.parts.discount_minor;
                whole.parts.tax_minor += explained.parts.tax_minor;
                whole.parts.shipping_minor += explained.parts.shipping_minor;
                whole.parts.shipping_tax_minor += explained.parts.shipping_tax_minor;
                whole.parts.fee_minor += explained.parts.fee_minor;
                whole.parts.included_tax_minor += explained.parts.included_tax_minor;
                whole.remainder_minor += explained.remainder_minor;
            }
        }
        if !account.refunds.is_empty() {
            prop_assert_eq!(whole.parts, parts);
            prop_assert_eq!(whole.remainder_minor, 0);
        }
    }
}

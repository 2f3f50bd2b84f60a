//! Bundles, fees, shipping and all that is eligible: what a policy makes of a change's price.

use types::Reason;

use super::world::{
    actor, cancelled, catalogue, everything, ids, items, new_line, new_order, now, open, placed, request,
    shipping, submission,
};
use crate::domain::change::{ChangeOrder, ChangeRequest, GroupReversal, LineKey, Selection};
use crate::domain::lifecycle::{Submission, accept, commit};
use crate::domain::order::{InBundle, Order, OrderState};
use crate::domain::placing::{NewOrder, place};
use crate::domain::policy::{Bundle, FeeRule, Policy, ShippingRule, Units, default_policy, standing};
use crate::domain::pricing::price_change;
use crate::domain::verify::verify;

/// A set at 10.00 of two cups and one pot each, three times, and a spoon at 1.00.
fn bundle(bundles: Bundle) -> NewOrder {
    let child = |units, ratio| {
        let mut line = new_line(units, "0");
        line.bundle = Some(InBundle { parent: 1, ratio });
        line
    };
    let mut new = new_order(vec![new_line(3, "10.00"), child(6, 2), child(3, 1), new_line(1, "1.00")]);
    new.bundles = bundles;
    new
}

fn policy(change: impl FnOnce(&mut Policy)) -> Policy {
    let mut policy = default_policy().clone();
    change(&mut policy);
    policy
}

fn accepted(order: &mut Order, asked: &ChangeRequest, policy: &Policy) -> ChangeOrder {
    let ids = super::world::foreign_ids();
    let submission = Submission { policy, ..submission(asked, &ids) };
    let (mut change, _told) = accept(order, submission).unwrap();
    let _told = commit(order, &mut change, now()).unwrap();
    change
}

fn quantities(change: &ChangeOrder) -> Vec<(i64, i64)> {
    change.lines.iter().map(|line| (line.line_number, line.quantity)).collect()
}

#[test]
fn s7_s9_s13_the_parent_takes_its_children_and_brings_all_of_its_price_back() {
    let policy = policy(|_| {});
    let mut order = open(bundle(Bundle::ParentPriced), &ids());
    let parent = items(&order, &[(1, 1)]);

    let change = accepted(&mut order, &parent, &policy);

    assert_eq!(quantities(&change), [(1, 1), (2, 2), (3, 1)]);
    assert_eq!(change.amounts.amount, 1_000);
    // Fewer children than belong to it: the refund is not prorated.
    let mut fewer = items(&order, &[(1, 1)]);
    let Selection::Items(selected) = &mut fewer.selection else { panic!("lines were selected") };
    selected[0].children = Some(vec![(LineKey::Number(2), 1)]);
    let change = accepted(&mut order, &fewer, &policy);
    assert_eq!((quantities(&change), change.amounts.amount), (vec![(1, 1), (2, 1)], 1_000));
    // Children alone bring nothing back.
    let alone = items(&order, &[(3, 1)]);
    let change = accepted(&mut order, &alone, &policy);
    assert_eq!(change.amounts.amount, 0);
    assert_eq!(change.terms.without_parent, [order.lines[2].line_id.clone()]);
}

#[test]
fn f55_a_child_cancelled_without_its_parent_changes_quantities_and_never_money() {
    let policy = policy(|_| {});
    let mut order = open(bundle(Bundle::ParentPriced), &ids());
    let before = order.total_minor();
    for units in [1, 2] {
        let open_before = order.lines[1].quantities.open;
        let child = items(&order, &[(2, units)]);

        let change = accepted(&mut order, &child, &policy);

        assert_eq!(order.lines[1].quantities.open, open_before - units);
        assert_eq!((change.amounts.amount, order.total_minor()), (0, before), "nothing is prorated");
        assert_eq!(change.terms.without_parent, [order.lines[1].line_id.clone()]);
    }
    // The parent still brings all of its price back, whatever is left of its children.
    let parents = items(&order, &[(1, 3)]);
    let change = accepted(&mut order, &parents, &policy);
    assert_eq!(change.amounts.amount, 3_000);
}

#[test]
fn s10_a_prorated_bundle_gives_back_child_by_child_and_an_atomic_one_as_a_whole() {
    let prorated = policy(|policy| policy.document.bundle = Bundle::ChildProrated);
    let mut order = open(bundle(Bundle::ChildProrated), &ids());
    let cups = items(&order, &[(2, 6)]);
    let pots = items(&order, &[(3, 3)]);

    let given = [accepted(&mut order, &cups, &prorated), accepted(&mut order, &pots, &prorated)];

    assert_eq!(given.map(|change| change.amounts.amount), [2_000, 1_000]);
    let atomic = policy(|policy| policy.document.bundle = Bundle::Atomic);
    let order = open(bundle(Bundle::Atomic), &ids());
    let child = price_change(&order, &items(&order, &[(3, 1)]), &atomic.document).unwrap_err();
    let whole = price_change(&order, &items(&order, &[(1, 1)]), &atomic.document).unwrap();
    assert_eq!(child.field.as_deref(), Some("change.lines"));
    assert_eq!(whole.lines.iter().map(|line| line.quantity).collect::<Vec<_>>(), [1, 2, 1]);
}

#[test]
fn a_child_names_an_earlier_parent_and_has_no_price_of_its_own() {
    type Spoiling = fn(&mut NewOrder);
    let spoiled: [(&str, Spoiling); 4] = [
        ("lines[1].parent_line", |new| new.lines[1].bundle = Some(InBundle { parent: 2, ratio: 2 })),
        ("lines[1].quantity", |new| new.lines[1].bundle = Some(InBundle { parent: 1, ratio: 3 })),
        ("lines[1].unit_price", |new| new.lines[1].unit_price = types::UnitPrice::parse("1").unwrap()),
        ("lines[2].parent_line", |new| new.lines[2].bundle = Some(InBundle { parent: 2, ratio: 1 })),
    ];
    for (field, spoil) in spoiled {
        let mut new = bundle(Bundle::ParentPriced);
        spoil(&mut new);

        let refusal = place(new, types::Tenant::DEFAULT, actor(), &ids(), now()).unwrap_err();

        assert_eq!((refusal.reason, refusal.field.as_deref()), (Reason::FieldInvalid, Some(field)));
    }
}

#[test]
fn b16_a_fee_is_kept_and_never_more_than_what_is_given_back() {
    let fee = |basis_points, amount_minor| {
        policy(|policy| {
            policy.document.fees = vec![FeeRule {
                rule: "late".to_owned(),
                supplier: String::new(),
                states: [OrderState::Confirmed].into(),
                basis_points,
                amount_minor,
                currency: if amount_minor > 0 { "GBP".to_owned() } else { String::new() },
            }];
        })
    };
    let table = [(fee(1_000, 0), 200, 1_800), (fee(0, 150), 150, 1_850), (fee(0, 5_000), 2_000, 0)];
    for (policy, fee, given) in table {
        let mut order = open(new_order(vec![new_line(2, "10.00")]), &ids());
        let whole = everything(&order);

        let change = accepted(&mut order, &whole, &policy);

        assert_eq!((change.amounts.fee, change.amounts.amount), (fee, given));
        assert_eq!((order.total_minor(), order.fees_minor), (0, fee));
        assert_eq!(verify(&order, std::slice::from_ref(&change)), Vec::new());
        assert_eq!(change.terms.fee_rule, "late");
    }
}

#[test]
fn shipping_comes_back_by_the_rule_of_the_policy() {
    let table =
        [(ShippingRule::OnLastUnit, 0, 400), (ShippingRule::Prorate, 200, 200), (ShippingRule::None, 0, 0)];
    for (rule, first, second) in table {
        let policy = policy(|policy| policy.document.shipping = rule);
        let mut new = new_order(vec![new_line(2, "10.00")]);
        new.shipping = vec![shipping("", 400, 0)];
        let mut order = open(new, &ids());
        let one = items(&order, &[(1, 1)]);

        let given = [accepted(&mut order, &one, &policy), accepted(&mut order, &one, &policy)];

        assert_eq!(given.map(|change| change.amounts.shipping), [first, second], "{rule:?}");
    }
}

#[test]
fn explicit_shipping_is_at_most_what_is_left_and_only_where_the_policy_asks() {
    let explicit = policy(|policy| policy.document.shipping = ShippingRule::Explicit);
    let mut new = new_order(vec![new_line(2, "10.00")]);
    new.shipping = vec![shipping("", 400, 0)];
    let mut order = open(new, &ids());
    let mut asked = items(&order, &[(1, 1)]);
    let said = |minor| {
        vec![GroupReversal { delivery_group: String::new(), shipping_minor: minor, shipping_tax_minor: 0 }]
    };
    asked.said.shipping = said(150);

    assert_eq!(accepted(&mut order, &asked, &explicit).amounts.shipping, 150);
    asked.said.shipping = said(251);
    let more = price_change(&order, &asked, &explicit.document).unwrap_err();
    let unasked = price_change(&order, &asked, &default_policy().document).unwrap_err();
    assert_eq!((more.reason, unasked.reason), (Reason::AmountOutOfRange, Reason::FieldInvalid));
}

#[test]
fn s1_s5_all_that_is_eligible_leaves_the_allocated_units_and_says_so() {
    let unallocated = policy(|policy| policy.document.units = Units::Unallocated);
    let mut order =
        open(new_order(vec![new_line(3, "1.00"), new_line(2, "1.00"), new_line(1, "1.00")]), &ids());
    (order.lines[0].progress.allocated, order.lines[1].progress.allocated) = (1, 2);
    let eligible = request(&order, Selection::AllEligible);

    let whole = price_change(&order, &everything(&order), &unallocated.document).unwrap_err();
    let change = accepted(&mut order, &eligible, &unallocated);

    assert_eq!(whole.reason, Reason::QuantityExceedsAvailable);
    assert_eq!(quantities(&change), [(1, 2), (3, 1)]);
    let skipped: Vec<i64> = change.terms.skipped.iter().map(|line| line.line_number).collect();
    assert_eq!(skipped, [1, 2]);
    let again = price_change(&order, &eligible, &unallocated.document).unwrap_err();
    assert_eq!(again.reason, Reason::QuantityExceedsAvailable);
}

#[test]
fn an_order_that_is_over_has_nothing_left_whatever_the_policy_says() {
    let mut order = placed(new_order(vec![new_line(1, "1.00")]), &ids()).order;
    let _told = crate::domain::lifecycle::open_order(&mut order, true, now()).unwrap();
    let whole = everything(&order);
    cancelled(&mut order, &whole, &ids()).unwrap();
    let caller = actor();
    let standing = standing(default_policy(), &order, &caller, now());

    assert_eq!((standing.rule.as_str(), standing.check(&whole, catalogue())), ("nothing-is-left", Ok(())));
}

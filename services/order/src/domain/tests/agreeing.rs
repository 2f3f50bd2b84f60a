//! What both sides agree on beside fewer units: by example, and over invented histories of one line.

use std::time::Duration;

use proptest::prelude::*;
use types::{Ids, Quantity, Reason, Refusal, UnitPrice};

use super::world::{
    actor, cancelled, everything, ids, items, new_line, new_order, now, open, shipping, tender,
};
use crate::domain::address::Address;
use crate::domain::change::{ChangeOrder, ChangeState, LineKey};
use crate::domain::lifecycle::{
    Author, Proposal, Proposed, RestoreRequest, Settled, accept_restore, approve, commit, commit_address,
    commit_restore, difference, finish, picture_change, picture_proposal, propose, reject,
};
use crate::domain::order::{Actor, Order, Parties};
use crate::domain::placing::{NewLine, NewOrder, NewTender};
use crate::domain::policy::default_policy;
use crate::domain::position::Position;
use crate::domain::verify::verify;

fn buyer() -> Actor {
    Actor { user: "bea".to_owned(), organisation: "buyer-1".to_owned(), role: "buyer".to_owned() }
}

fn supplier() -> Actor {
    Actor { user: "sam".to_owned(), organisation: "maker-1".to_owned(), role: "supplier".to_owned() }
}

fn author(ids: &Ids, actor: Actor) -> Author<'static> {
    Author { policy: default_policy(), change_order_id: ids.mint(), saga_id: ids.mint(), actor, now: now() }
}

/// Three at 3.33 and two at 0.50, with 1.00 off the order, 0.40 tax and 4.00 shipping.
fn two_sided(ids: &Ids) -> Order {
    let mut new = new_order(vec![new_line(3, "3.33"), new_line(2, "0.50")]);
    new.shipping = vec![shipping("", 400, 80)];
    new.order_discount_minor = 100;
    new.order_tax_minor = 40;
    let parties =
        Parties { buyer: "buyer-1".to_owned(), supplier: "maker-1".to_owned(), ..Parties::default() };
    open(NewOrder { parties, ..new }, ids)
}

fn proposal(proposed: Proposed) -> Proposal {
    Proposal {
        proposed,
        reason_code: String::new(),
        note: String::new(),
        expires_at: now().plus(Duration::from_mins(1)),
        pays: Vec::new(),
        pricing_version: None,
    }
}

fn proposed(order: &Order, what: Proposed, ids: &Ids) -> Result<ChangeOrder, Refusal> {
    propose(order, &proposal(what), None, &author(ids, supplier()), ids).map(|(change, _told)| change)
}

fn agreed(order: &mut Order, change: &mut ChangeOrder, pays: &[NewTender]) -> Result<(), Refusal> {
    let _told = approve(order, change, pays, &buyer(), default_policy(), now())?;
    let _told = commit(order, change, now()).unwrap();
    Ok(())
}

fn left(line: i64, quantity: i64) -> Proposed {
    Proposed::Quantities(vec![(LineKey::Number(line), quantity)])
}

fn off(line: i64, off_minor: i64) -> Proposed {
    Proposed::Prices(vec![(LineKey::Number(line), off_minor)])
}

fn mug(quantity: i64, price: &str) -> NewLine {
    NewLine { sku: "MUG".to_owned(), ..new_line(quantity, price) }
}

fn to_york() -> Address {
    Address {
        recipient: "Ann Lee".to_owned(),
        lines: vec!["1 High St".to_owned()],
        city: "York".to_owned(),
        postal_code: "YO1 1AA".to_owned(),
        region: String::new(),
        country_code: "GB".to_owned(),
    }
}

#[test]
fn more_units_are_a_line_of_their_own_at_the_same_unit_price() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let before = order.clone();
    let mut change = proposed(&order, left(1, 5), &ids).unwrap();
    let more = difference(&order, &change).to_pay_minor;
    // Two at 3.33 and tax in the proportion of what was paid for the first three; no discount, no delivery.
    let tax = change.terms.added[0].tax_minor;
    assert_eq!(more, 666 + tax);

    agreed(&mut order, &mut change, &[tender(more)]).unwrap();

    assert_eq!((order.lines.len(), order.lines[2].line_number), (3, 3));
    assert_eq!(order.lines[2].sku, order.lines[0].sku);
    assert_eq!(order.lines[..2], before.lines[..], "what was sold before is frozen");
    assert_eq!(order.total_minor(), before.total_minor() + more);
    let gone = everything(&order);
    let all = cancelled(&mut order, &gone, &ids).unwrap();
    assert_eq!((order.total_minor(), all.amounts.amount), (0, before.total_minor() + more));
    assert_eq!(verify(&order, &[change, all]), []);
}

#[test]
fn what_comes_to_more_is_not_approved_unpaid_and_what_does_not_takes_no_payment() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let mut more = proposed(&order, left(1, 4), &ids).unwrap();
    let mut fewer = proposed(&order, left(1, 2), &ids).unwrap();

    let unpaid = agreed(&mut order, &mut more, &[]).unwrap_err();
    let paid = agreed(&mut order, &mut fewer, &[tender(1)]).unwrap_err();

    assert_eq!((unpaid.reason, paid.reason), (Reason::TendersMismatch, Reason::TendersMismatch));
    assert_ne!(unpaid.details["missing_minor"], "0");
    assert_eq!((more.state, fewer.state), (ChangeState::Requested, ChangeState::Requested));
}

#[test]
fn an_order_whose_addition_is_put_back_never_had_it() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let before = order.clone();
    let mut change = proposed(&order, Proposed::Items(vec![mug(2, "1.50")]), &ids).unwrap();
    let _told = approve(&mut order, &mut change, &[tender(300)], &buyer(), default_policy(), now()).unwrap();

    let cause = Refusal::new(Reason::PaymentDeclined, "the card says no");
    let _told = reject(&mut order, &mut change, cause, now()).unwrap();

    assert_eq!((&order.lines, order.totals()), (&before.lines, before.totals()));
    assert_eq!((order.change_in_progress.as_ref(), change.state), (None, ChangeState::Rejected));
    assert_eq!(verify(&order, &[change]), []);
}

#[test]
fn replaced_goods_pay_for_those_that_come() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let before = order.total_minor();
    let what = Proposed::Replacement { left: vec![(LineKey::Number(2), 0)], items: vec![mug(1, "0.40")] };
    let mut change = proposed(&order, what, &ids).unwrap();
    let gone = change.amounts.amount;
    assert_eq!(difference(&order, &change).to_give_back_minor, gone - 40);

    agreed(&mut order, &mut change, &[]).unwrap();

    assert_eq!(order.total_minor(), before - gone + 40);
    assert_eq!((order.lines[1].quantities.net(), order.lines[2].quantities.open), (0, 1));
    assert_eq!(order.groups[0].shipping_reversed_minor, 0, "the new goods are still to be delivered");
    assert_eq!(verify(&order, &[change]), []);
}

#[test]
fn replacing_everything_keeps_the_delivery_charge() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let all = vec![(LineKey::Number(1), 0), (LineKey::Number(2), 0)];
    let mut change =
        proposed(&order, Proposed::Replacement { left: all, items: vec![mug(1, "1.00")] }, &ids).unwrap();

    agreed(&mut order, &mut change, &[]).unwrap();

    assert_eq!(order.total_minor(), 100 + 480);
    assert_eq!(verify(&order, &[change]), []);
}

#[test]
fn a_price_is_lowered_by_agreement_never_raised_and_never_below_nothing() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let goods = order.lines[0].amounts.goods_net;
    let too_much = proposed(&order, off(1, goods + 1), &ids).unwrap_err();
    assert_eq!(
        (too_much.reason, too_much.details["left_minor"].as_str()),
        (Reason::AmountOutOfRange, &*goods.to_string())
    );

    let before = order.total_minor();
    let mut change = proposed(&order, off(1, 100), &ids).unwrap();
    agreed(&mut order, &mut change, &[]).unwrap();

    assert_eq!((order.total_minor(), order.units().open), (before - 100, 5));
    assert_eq!(order.lines[0].adjusted_minor(), 100);
    let gone = everything(&order);
    let all = cancelled(&mut order, &gone, &ids).unwrap();
    assert_eq!(order.total_minor(), 0);
    assert_eq!(all.amounts.amount, before - 100, "nothing is given back twice");
    assert_eq!(verify(&order, &[change, all]), []);
}

#[test]
fn a_restored_order_costs_what_it_did_before_its_price_was_lowered() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let placed = order.total_minor();
    let mut change = proposed(&order, off(1, 100), &ids).unwrap();
    agreed(&mut order, &mut change, &[]).unwrap();
    let gone = everything(&order);
    let first = cancelled(&mut order, &gone, &ids).unwrap();

    let request = RestoreRequest {
        order_id: order.order_id.clone(),
        tenders: vec![tender(1)],
        reason_code: String::new(),
        note: String::new(),
        lacking: None,
        content: types::Fingerprint::of(&[b"restore"]),
    };
    let (mut back, _told) = accept_restore(&mut order, &request, &[], &author(&ids, actor())).unwrap();
    let _told = commit_restore(&mut order, &mut back, 0, now()).unwrap();
    let _told = finish(&mut order, &mut back, Settled::default(), now()).unwrap();

    assert_eq!(order.total_minor(), placed);
    let again = cancelled(&mut order, &gone, &ids).unwrap();
    assert_eq!(again.amounts.amount, placed);
    assert_eq!(verify(&order, &[change, first, back, again]), []);
}

#[test]
fn goods_go_elsewhere_by_agreement_until_something_has_left() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let mut change = proposed(&order, Proposed::Address(to_york()), &ids).unwrap();
    // What the order costs meanwhile is nothing to where it goes.
    let fewer = items(&order, &[(2, 1)]);
    cancelled(&mut order, &fewer, &ids).unwrap();
    let before = order.totals();

    let _told = approve(&mut order, &mut change, &[], &buyer(), default_policy(), now()).unwrap();
    let _told = commit_address(&mut order, &mut change, now()).unwrap();
    assert_eq!((order.address.as_ref(), order.totals()), (Some(&to_york()), before));

    order.lines[0].quantities = order.lines[0].quantities.ship(1).unwrap();
    let elsewhere = Address { city: "Leeds".to_owned(), ..to_york() };
    let refused = proposed(&order, Proposed::Address(elsewhere), &ids).unwrap_err();
    assert_eq!(refused.reason, Reason::ShippedFirst);
}

#[test]
fn a_proposal_is_made_of_the_order_that_its_author_has_seen() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let seen = Proposal { pricing_version: Some(order.pricing_version), ..proposal(left(1, 2)) };
    let fewer = items(&order, &[(2, 1)]);
    cancelled(&mut order, &fewer, &ids).unwrap();

    let refused = propose(&order, &seen, None, &author(&ids, supplier()), &ids).unwrap_err();

    assert_eq!(refused.reason, Reason::QuoteStale);
}

#[test]
fn a_picture_shows_the_order_as_it_becomes_and_moves_nothing() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let before = order.clone();
    let asked = proposal(left(1, 5));
    let looked = picture_proposal(&order, &asked, &author(&ids, supplier()), &ids).unwrap();
    assert_eq!((&order, looked.blockers.len()), (&before, 0));

    let (mut change, _told) = propose(&order, &asked, None, &author(&ids, supplier()), &ids).unwrap();
    let waiting = picture_change(&order, change.clone(), now());
    let to_pay = waiting.difference.to_pay_minor;
    order.hear(Position { worth_version: 2, ..Position::default() });
    agreed(&mut order, &mut change, &[tender(to_pay)]).unwrap();

    assert_eq!(waiting.order.totals(), order.totals());
    assert_eq!(looked.order.total_minor(), order.total_minor());
    assert_eq!(waiting.order.lines, order.lines);
    let late = picture_change(&order, change, now());
    assert_eq!(late.blockers[0].reason, Reason::AlreadyDecided);
}

#[test]
fn units_of_a_bundle_are_not_raised_alone() {
    let ids = ids();
    let child = crate::domain::order::InBundle { parent: 1, ratio: 2 };
    let lines = vec![new_line(1, "9.00"), NewLine { bundle: Some(child), ..new_line(2, "0") }];
    let parties =
        Parties { buyer: "buyer-1".to_owned(), supplier: "maker-1".to_owned(), ..Parties::default() };
    let order = open(NewOrder { parties, ..new_order(lines) }, &ids);

    let refused = proposed(&order, left(2, 4), &ids).unwrap_err();

    assert_eq!(
        (refused.reason, refused.field.as_deref()),
        (Reason::FieldInvalid, Some("lines[0].new_quantity"))
    );
}

/// What happens to a line: units go, or its price is lowered by so many thousandths of what is left.
#[derive(Debug, Clone)]
enum Step {
    Cancel(i64),
    Lower(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![(1_i64..4).prop_map(Step::Cancel), (0_i64..=1_000).prop_map(Step::Lower)];
    prop::collection::vec(step, 0..8)
}

proptest! {
    #[test]
    fn whatever_is_agreed_and_cancelled_comes_to_what_was_paid(
        units in 1_i64..12,
        cents in 0_i64..2_000,
        tax in 0_i64..500,
        history in steps(),
    ) {
        let ids = ids();
        let line = NewLine {
            quantity: Quantity::parse(units).unwrap(),
            unit_price: UnitPrice::parse(&format!("{}.{:02}", cents / 100, cents % 100)).unwrap(),
            tax_minor: tax,
            ..new_line(1, "1")
        };
        let parties =
            Parties { buyer: "buyer-1".to_owned(), supplier: "maker-1".to_owned(), ..Parties::default() };
        let mut order = open(NewOrder { parties, ..new_order(vec![line]) }, &ids);
        let paid = order.total_minor();
        let mut changes = Vec::new();
        for step in history {
            match step {
                Step::Cancel(units) if units <= order.units().open => {
                    let request = items(&order, &[(1, units)]);
                    changes.push(cancelled(&mut order, &request, &ids).unwrap());
                }
                Step::Lower(thousandths) if order.units().open > 0 => {
                    let left = order.lines[0].left_of(|base| base.goods_net_minor);
                    let wanted = left * thousandths / 1_000;
                    if wanted > 0 {
                        let mut change = proposed(&order, off(1, wanted), &ids).unwrap();
                        agreed(&mut order, &mut change, &[]).unwrap();
                        changes.push(change);
                    }
                }
                Step::Cancel(_) | Step::Lower(_) => {}
            }
            prop_assert_eq!(verify(&order, &changes), vec![]);
        }
        if order.units().open > 0 {
            let request = everything(&order);
            changes.push(cancelled(&mut order, &request, &ids).unwrap());
        }
        let back: i64 = changes.iter().map(|change| change.amounts.amount).sum();
        prop_assert_eq!((order.total_minor(), back), (0, paid));
        prop_assert_eq!(verify(&order, &changes), vec![]);
    }
}

//! What is done after a cancellation, or instead of one: by example.

use std::time::Duration;

use types::{Fingerprint, Ids, Quantity, Reason, UnitPrice};

use super::world::{
    accepted, actor, cancelled, everything, ids, items, new_line, new_order, now, open, shipping, tender,
};
use crate::domain::change::{ChangeOrder, ChangeState, GroupReversal, LineKey, Refund};
use crate::domain::lifecycle::{
    Author, Given, Proposal, Proposed, RefundRequest, RestoreRequest, Settled, accept_refund, accept_restore,
    approve, commit, commit_refund, commit_restore, decline, expire, finish, propose, receive_withdrawal,
};
use crate::domain::order::{Actor, Order, OrderState, Parties};
use crate::domain::placing::NewOrder;
use crate::domain::policy::{default_policy, preset};
use crate::domain::reissue::{Prices, Reissue, new_order as made_again, numbers};
use crate::domain::verify::verify;

pub(super) fn author(ids: &Ids, actor: Actor) -> Author<'static> {
    Author { policy: default_policy(), change_order_id: ids.mint(), saga_id: ids.mint(), actor, now: now() }
}

/// Three at 3.33 with 1.00 off the order and 0.40 tax, and 4.00 shipping.
fn uneven() -> NewOrder {
    let mut new = new_order(vec![new_line(3, "3.33"), new_line(2, "0.50")]);
    new.shipping = vec![shipping("", 400, 80)];
    new.order_discount_minor = 100;
    new.order_tax_minor = 40;
    new
}

fn restore_request(order: &Order) -> RestoreRequest {
    RestoreRequest {
        order_id: order.order_id.clone(),
        tenders: vec![tender(1)],
        reason_code: String::new(),
        note: String::new(),
        lacking: None,
        content: Fingerprint::of(&[b"restore"]),
    }
}

/// Cancels what is open.
fn gone(order: &mut Order, ids: &Ids) -> ChangeOrder {
    let request = everything(order);
    cancelled(order, &request, ids).unwrap()
}

fn some_gone(order: &mut Order, lines: &[(i64, i64)], ids: &Ids) -> ChangeOrder {
    let request = items(order, lines);
    cancelled(order, &request, ids).unwrap()
}

fn restored(order: &mut Order, ids: &Ids) -> ChangeOrder {
    let request = restore_request(order);
    let (mut change, _told) = accept_restore(order, &request, &[], &author(ids, actor())).unwrap();
    let _told = commit_restore(order, &mut change, 0, now()).unwrap();
    let _told = finish(order, &mut change, Settled::default(), now()).unwrap();
    change
}

#[test]
fn cancel_restore_cancel_ends_where_the_first_cancel_did() {
    let ids = ids();
    let mut order = open(uneven(), &ids);
    let placed = order.clone();
    let mut changes = vec![some_gone(&mut order, &[(1, 1)], &ids)];
    changes.push(gone(&mut order, &ids));
    let first = order.clone();
    assert_eq!((first.state(), first.total_minor()), (OrderState::Cancelled, 0));

    changes.push(restored(&mut order, &ids));

    assert_eq!(order.state(), placed.state());
    assert_eq!((order.total_minor(), order.units()), (placed.total_minor(), placed.units()));
    assert_eq!(verify(&order, &changes), []);
    changes.push(gone(&mut order, &ids));
    assert_eq!((order.totals(), order.units()), (first.totals(), first.units()));
    let reversed = |order: &Order| order.lines.iter().map(|line| line.reversed_minor).collect::<Vec<_>>();
    assert_eq!((reversed(&order), &order.groups), (reversed(&first), &first.groups));
    assert_eq!(verify(&order, &changes), []);
}

#[test]
fn units_that_had_left_are_the_buyers_again_when_their_order_is_restored() {
    let ids = ids();
    let mut order = open(new_order(vec![new_line(3, "3.33")]), &ids);
    let placed = order.total_minor();
    let mut changes = vec![gone(&mut order, &ids)];
    // One of them had been shipped when it was cancelled.
    let units = &mut order.lines[0].quantities;
    (units.cancelled, units.cancelled_after_ship) = (2, 1);
    let mut lacking = restore_request(&order);
    lacking.lacking = Some(types::Refusal::new(Reason::InsufficientStock, "one is not there any more"));
    let refused = accept_restore(&mut order.clone(), &lacking, &[], &author(&ids, actor()));
    assert_eq!(refused.unwrap_err().reason, Reason::InsufficientStock, "and there is no change");

    changes.push(restored(&mut order, &ids));

    let units = order.lines[0].quantities;
    assert_eq!((units.open, units.fulfilled, units.cancelled_at_all()), (2, 1, 0));
    assert_eq!(order.total_minor(), placed);
    assert_eq!(verify(&order, &changes), []);
}

#[test]
fn only_a_wholly_cancelled_order_is_restored() {
    let ids = ids();
    let mut order = open(uneven(), &ids);
    some_gone(&mut order, &[(1, 1)], &ids);

    let refused = accept_restore(&mut order.clone(), &restore_request(&order), &[], &author(&ids, actor()));

    assert_eq!(refused.unwrap_err().reason, Reason::StateConflict);
}

#[test]
fn money_on_its_way_decides_before_a_restoration() {
    let ids = ids();
    let mut order = open(uneven(), &ids);
    let mut settling = gone(&mut order, &ids);
    let refund_id: types::RefundId = ids.mint();
    settling.state = ChangeState::Settling;
    let refund = Refund {
        refund_id: refund_id.clone(),
        state: "submitting".to_owned(),
        amount_minor: 1,
        void_of_authorisation: false,
    };
    settling.refunds = vec![refund];

    let request = restore_request(&order);
    let refused = accept_restore(&mut order, &request, &[settling], &author(&ids, actor())).unwrap_err();

    assert_eq!(refused.reason, Reason::RefundInFlight);
    assert_eq!(refused.details["refund_ids"], refund_id.as_str());
}

#[test]
fn a_restoration_needs_its_permission() {
    let ids = ids();
    let mut order = open(uneven(), &ids);
    gone(&mut order, &ids);
    let guest = Actor { role: "guest".to_owned(), ..actor() };

    let request = restore_request(&order);
    let refused = accept_restore(&mut order, &request, &[], &author(&ids, guest));

    assert_eq!(refused.unwrap_err().reason, Reason::PermissionDenied);
}

fn goodwill(order: &Order, amount_minor: i64) -> RefundRequest {
    RefundRequest {
        order_id: order.order_id.clone(),
        what: Given::Goodwill { amount_minor },
        reason_code: "GOODWILL".to_owned(),
        note: String::new(),
        content: Fingerprint::of(&[b"goodwill"]),
    }
}

#[test]
fn goodwill_lowers_the_price_and_stays_when_the_order_is_restored() {
    let ids = ids();
    let mut order = open(uneven(), &ids);
    let placed = order.total_minor();
    let request = goodwill(&order, 100);
    let (mut given, _told) = accept_refund(&mut order, &request, &[], &author(&ids, actor())).unwrap();
    let _told = commit_refund(&mut order, &mut given, now()).unwrap();
    let _told = finish(&mut order, &mut given, Settled::default(), now()).unwrap();
    assert_eq!(order.total_minor(), placed - 100);

    let whole = gone(&mut order, &ids);
    assert_eq!(order.total_minor(), -100, "payment stops at nothing");
    let back = restored(&mut order, &ids);

    assert_eq!(order.total_minor(), placed - 100);
    assert_eq!(verify(&order, &[given, whole, back]), []);
}

#[test]
fn goodwill_is_limited_by_the_price_and_by_the_policy() {
    let ids = ids();
    let policy = preset("marketplace").unwrap();
    let order = open(uneven(), &ids);
    let asked = |amount: i64, role: &str| {
        let who = Actor { role: role.to_owned(), ..actor() };
        accept_refund(
            &mut order.clone(),
            &goodwill(&order, amount),
            &[],
            &Author { policy, ..author(&ids, who) },
        )
        .map(drop)
    };
    let total = order.total_minor();

    assert_eq!(asked(total + 1, "manager").unwrap_err().reason, Reason::ExceedsRefundable);
    assert_eq!(asked(total, "manager"), Ok(()));
    assert_eq!(asked(total, "staff").unwrap_err().details["limit_minor"], "380");
    assert_eq!(asked(1, "guest").unwrap_err().reason, Reason::PermissionDenied);
}

fn buyer() -> Actor {
    Actor { user: "bea".to_owned(), organisation: "buyer-1".to_owned(), role: "buyer".to_owned() }
}

fn supplier() -> Actor {
    Actor { user: "sam".to_owned(), organisation: "maker-1".to_owned(), role: "supplier".to_owned() }
}

fn two_sided(ids: &Ids) -> Order {
    let parties = Parties {
        buyer: "buyer-1".to_owned(),
        supplier: "maker-1".to_owned(),
        client_contact: "Ann@example.org".to_owned(),
        ..Parties::default()
    };
    open(NewOrder { parties, ..uneven() }, ids)
}

fn fewer(line: i64, left: i64) -> Proposal {
    Proposal {
        proposed: Proposed::Quantities(vec![(LineKey::Number(line), left)]),
        reason_code: String::new(),
        note: String::new(),
        expires_at: now().plus(Duration::from_mins(1)),
        pays: Vec::new(),
        pricing_version: None,
    }
}

#[test]
fn a_proposal_holds_nothing_and_the_other_side_approves_it() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let before = order.clone();
    let (mut change, _told) = propose(&order, &fewer(1, 1), None, &author(&ids, supplier()), &ids).unwrap();
    assert_eq!((change.state, &order), (ChangeState::Requested, &before));

    let own = approve(&mut order, &mut change, &[], &supplier(), default_policy(), now());
    assert_eq!(own.unwrap_err().reason, Reason::PermissionDenied);
    let _told = approve(&mut order, &mut change, &[], &buyer(), default_policy(), now()).unwrap();
    assert_eq!((change.state, order.units().cancel_pending), (ChangeState::Executing, 2));
    let _told = commit(&mut order, &mut change, now()).unwrap();

    assert_eq!(order.total_minor(), before.total_minor() - change.amounts.amount);
    assert_eq!(order.lines[0].quantities.net(), 1);
    assert_eq!(verify(&order, &[change]), []);
}

#[test]
fn an_approval_at_another_price_is_refused_and_stays_requested() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let (mut change, _told) = propose(&order, &fewer(1, 2), None, &author(&ids, supplier()), &ids).unwrap();
    some_gone(&mut order, &[(2, 1)], &ids);

    let refused = approve(&mut order, &mut change, &[], &buyer(), default_policy(), now()).unwrap_err();

    assert_eq!((refused.reason, change.state), (Reason::QuoteStale, ChangeState::Requested));
}

#[test]
fn an_approval_while_another_change_holds_the_order_is_refused() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let (mut change, _told) = propose(&order, &fewer(1, 2), None, &author(&ids, supplier()), &ids).unwrap();
    let request = items(&order, &[(2, 1)]);
    accepted(&mut order, &request, &ids).unwrap();

    let refused = approve(&mut order, &mut change, &[], &buyer(), default_policy(), now()).unwrap_err();

    assert_eq!((refused.reason, change.state), (Reason::ChangeInProgress, ChangeState::Requested));
}

#[test]
fn a_counter_proposal_declines_the_one_it_answers() {
    let ids = ids();
    let order = two_sided(&ids);
    let (mut first, _told) = propose(&order, &fewer(1, 1), None, &author(&ids, supplier()), &ids).unwrap();

    let (second, _told) =
        propose(&order, &fewer(1, 2), Some(&mut first), &author(&ids, buyer()), &ids).unwrap();

    assert_eq!((first.state, second.state), (ChangeState::Declined, ChangeState::Requested));
    assert_eq!(second.terms.counter_of, Some(first.change_order_id.clone()));
    let late = decline(&order, &mut first, &buyer(), default_policy(), "", now());
    assert_eq!(late.unwrap_err().reason, Reason::AlreadyDecided);
}

#[test]
fn a_proposal_nobody_answers_expires_by_the_clock() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let (mut change, _told) = propose(&order, &fewer(1, 1), None, &author(&ids, supplier()), &ids).unwrap();
    assert_eq!(expire(&order, &mut change, now()), None);
    let later = now().plus(Duration::from_mins(1));

    let late = approve(&mut order, &mut change, &[], &buyer(), default_policy(), later).unwrap_err();
    assert_eq!(late.reason, Reason::QuoteExpired);
    assert!(expire(&order, &mut change, later).is_some());

    assert_eq!((change.state, change.finished_at), (ChangeState::Expired, Some(later)));
}

#[test]
fn a_charge_is_lowered_by_agreement_and_never_below_nothing() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let before = order.total_minor();
    let less = |shipping_minor: i64| Proposal {
        proposed: Proposed::Shipping(vec![GroupReversal {
            delivery_group: String::new(),
            shipping_minor,
            shipping_tax_minor: 0,
        }]),
        ..fewer(1, 1)
    };
    let too_much = propose(&order, &less(401), None, &author(&ids, supplier()), &ids).unwrap_err();
    assert_eq!(too_much.reason, Reason::AmountOutOfRange);

    let (mut change, _told) = propose(&order, &less(150), None, &author(&ids, supplier()), &ids).unwrap();
    let _told = approve(&mut order, &mut change, &[], &buyer(), default_policy(), now()).unwrap();
    let _told = commit(&mut order, &mut change, now()).unwrap();

    assert_eq!((order.total_minor(), order.units().open), (before - 150, 5));
    assert_eq!(verify(&order, &[change]), []);
}

#[test]
fn a_withdrawal_is_received_without_a_reason_and_accepted_apart() {
    let ids = ids();
    let mut order = two_sided(&ids);
    let guest = Actor { user: String::new(), organisation: String::new(), role: "guest".to_owned() };
    let wrong = receive_withdrawal(&order, &[], "eve@example.org", "", &author(&ids, guest.clone()));
    assert_eq!(wrong.unwrap_err().reason, Reason::ResourceNotFound);

    let (mut change, _told) =
        receive_withdrawal(&order, &[], " ann@example.org ", "", &author(&ids, guest.clone())).unwrap();
    assert_eq!((change.state, change.created_at), (ChangeState::Requested, now()));
    let again =
        receive_withdrawal(&order, &[change.clone()], "ann@example.org", "", &author(&ids, guest.clone()));
    assert_eq!(again.unwrap_err().reason, Reason::StateConflict);

    let own = approve(&mut order, &mut change, &[], &guest, default_policy(), now());
    assert_eq!(own.unwrap_err().reason, Reason::PermissionDenied);
    let _told = approve(&mut order, &mut change, &[], &supplier(), default_policy(), now()).unwrap();
    let _told = commit(&mut order, &mut change, now()).unwrap();
    assert_eq!((order.state(), order.total_minor()), (OrderState::Cancelled, 0));
}

#[test]
fn an_order_made_again_comes_to_the_same_under_the_next_number() {
    let ids = ids();
    let order = open(uneven(), &ids);
    let wish = |prices: Prices| Reissue {
        order_id: order.order_id.clone(),
        prices,
        tenders: Vec::new(),
        external_payments: Vec::new(),
        references: Vec::new(),
        confirm_later: false,
        content: Fingerprint::of(&[b"again"]),
    };

    let again = open(made_again(&order, &wish(Prices::Frozen), "O-1-R1".to_owned()).unwrap(), &ids);

    assert_eq!(again.total_minor(), order.total_minor());
    assert_eq!((again.number.as_str(), &again.reissue_of), ("O-1-R1", &Some(order.order_id.clone())));
    assert_ne!(again.lines[0].line_id, order.lines[0].line_id);
    let today = [("TEA".to_owned(), UnitPrice::parse("2.00").unwrap())].into_iter().collect();
    let dearer = made_again(&order, &wish(Prices::Current(today)), "O-1-R2".to_owned()).unwrap();
    assert_eq!((dearer.order_discount_minor, dearer.lines[0].quantity), (0, Quantity::parse(3).unwrap()));
    let without = made_again(&order, &wish(Prices::Current([].into())), "O-1-R2".to_owned());
    assert_eq!(without.unwrap_err().reason, Reason::FieldRequired);
}

#[test]
fn suffixes_count_on_from_the_first_number() {
    let of = |number: &str| numbers(number).take(2).collect::<Vec<_>>();
    assert_eq!(of("O-1"), ["O-1-R1", "O-1-R2"]);
    assert_eq!(of("O-1-R1"), ["O-1-R1", "O-1-R2"]);
    assert_eq!(of("A-Rx"), ["A-Rx-R1", "A-Rx-R2"]);
}

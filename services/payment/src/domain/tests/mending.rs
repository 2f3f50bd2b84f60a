//! What an operator can do about a refund that failed.

use types::{Reason, RefundId};

use super::super::movement::{Kind as Moved, Till};
use super::super::refund::{Resolution, State};
use super::super::split::Strategy;
use super::super::{Account, Event, Terms};
use super::{World, declined, done, payment_ids};

fn failed(world: &World, amounts: &[i64]) -> (Account, RefundId) {
    let mut account = world.captured(amounts);
    world.reserve(&mut account, "sag_1", 0);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    world.answer_all(&mut account, &declined());
    let refund_id = account.refunds.keys().next().unwrap().clone();
    (account, refund_id)
}

fn by_hand() -> Resolution {
    Resolution { reference: "transfer 7".to_owned(), note: "paid on Monday".to_owned() }
}

#[test]
fn a_retry_is_a_new_refund_that_makes_the_failed_one_good() {
    let world = World::new();
    let (mut account, refund_id) = failed(&world, &[100]);

    let again = account.retry(&refund_id, None, "req_1", world.moment()).unwrap();
    world.answer_all(&mut account, &done());

    assert_ne!(again, refund_id);
    assert_eq!(account.refunds[&refund_id].state, State::Declined, "history stays");
    assert_eq!(account.refunds[&again].state, State::Succeeded);
    assert_eq!(account.refunds[&again].retry_of.as_ref(), Some(&refund_id));
    assert_eq!(account.position_minor(), 0);
    let told = account.unsaved.events.iter().any(|(_, event)| {
        matches!(event, Event::RefundEnded { refund_id: told, state: State::Succeeded, retry_of: Some(of), .. }
            if *told == again && *of == refund_id)
    });
    assert!(told, "{:?}", account.unsaved.events);
    let refusal = account.retry(&refund_id, None, "req_2", world.moment()).unwrap_err();
    assert_eq!(refusal.reason, Reason::NotRetryable);
}

#[test]
fn a_retry_may_go_to_another_tender_that_has_so_much() {
    let world = World::new();
    let (mut account, refund_id) = failed(&world, &[100, 100]);
    let other = payment_ids(&account).into_iter().find(|id| account.refunds[&refund_id].payment_id != *id);

    let again = account.retry(&refund_id, other.as_ref(), "req_1", world.moment()).unwrap();

    assert_eq!(Some(&account.refunds[&again].payment_id), other.as_ref());
}

#[test]
fn a_refund_paid_by_hand_counts_and_is_booked() {
    let world = World::new();
    let (mut account, refund_id) = failed(&world, &[100]);
    assert_eq!(account.positions().1.owed_minor, 100);

    account.resolve(&refund_id, &by_hand(), world.moment()).unwrap();

    let refund = &account.refunds[&refund_id];
    assert_eq!((refund.state, refund.resolution.clone()), (State::ResolvedExternally, by_hand()));
    assert_eq!(account.position_minor(), 0);
    let (_, last) = account.unsaved.movements.last().unwrap();
    assert_eq!((last.kind, last.till), (Moved::ByHand, Till::ByHand));
    let position = account.positions().1;
    assert_eq!((position.owed_minor, position.by_hand_minor, position.confirmed_minor), (0, 100, 100));
    let refusal = account.resolve(&refund_id, &by_hand(), world.moment()).unwrap_err();
    assert_eq!(refusal.reason, Reason::NotRetryable);
}

#[test]
fn what_is_mended_once_is_not_mended_another_way() {
    let world = World::new();
    let (mut account, refund_id) = failed(&world, &[100]);
    account.retry(&refund_id, None, "req_1", world.moment()).unwrap();

    let refusal = account.resolve(&refund_id, &by_hand(), world.moment()).unwrap_err();

    assert_eq!(refusal.reason, Reason::NotRetryable);
}

#[test]
fn a_later_change_that_gave_it_back_leaves_nothing_to_mend() {
    let world = World::new();
    let (mut account, refund_id) = failed(&world, &[100]);
    world.reserve(&mut account, "sag_2", 0);
    account.settle("sag_2", "settle_refund", None, world.moment()).unwrap();
    world.answer_all(&mut account, &done());

    for outcome in [
        account.retry(&refund_id, None, "req_1", world.moment()).map(drop),
        account.resolve(&refund_id, &by_hand(), world.moment()),
    ] {
        assert_eq!(outcome.unwrap_err().reason, Reason::ExceedsRefundable);
    }
}

#[test]
fn only_what_failed_can_be_mended() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    world.reserve(&mut account, "sag_1", 0);
    let refund_id = account.refunds.keys().next().unwrap().clone();

    let reserved = account.retry(&refund_id, None, "req_1", world.moment()).unwrap_err();
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    world.answer_all(&mut account, &done());
    let succeeded = account.resolve(&refund_id, &by_hand(), world.moment()).unwrap_err();

    assert_eq!((reserved.reason, succeeded.reason), (Reason::NotRetryable, Reason::NotRetryable));
    let unknown = account.retry(&world.ids.mint(), None, "req_1", world.moment()).unwrap_err();
    assert_eq!(unknown.reason, Reason::ResourceNotFound);
}

#[test]
fn money_that_is_tried_again_comes_from_the_tender_that_failed_last() {
    let world = World::new();
    let (account, failed) = failed(&world, &[60, 60]);
    let first_tried = account.refunds[&failed].payment_id.clone();
    let shares = |terms: &Terms| -> Vec<_> {
        let (shares, left) = account.forecast(0, terms);
        assert_eq!(left, 0);
        shares.into_iter().map(|share| (share.payment_id == first_tried, share.amount_minor)).collect()
    };

    for strategy in [Strategy::Lifo, Strategy::Fifo, Strategy::ExactThenSmallestSufficient] {
        let again = Terms { strategy, retry_of: Some(failed.clone()), ..Terms::default() };
        let shares = shares(&again);
        assert!(!shares[0].0, "the one that failed comes last: {shares:?}");
        assert!(shares.last().is_some_and(|(failed, _)| *failed), "{shares:?}");
    }
}

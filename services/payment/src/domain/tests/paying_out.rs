//! What is owed is paid out, and no more than that.

use types::Reason;

use super::super::refund::{Method, Resolution, State};
use super::super::split::{Named, Strategy};
use super::super::{Account, PayOut, Reservation, Terms, Way};
use super::{World, applied, assert_books_balance, done, payment_ids};

/// Two tenders of 60 and 40, of an order that comes to nothing by a change that moved no money.
fn owed(world: &World) -> Account {
    let mut account = world.captured(&[60, 40]);
    let nothing = Reservation { move_no_money: true, ..world.reservation("sag_1", 0) };
    account.reserve(&nothing, world.moment()).unwrap();
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    account.tell_owed();
    assert_eq!(account.told.owed_minor, 100);
    account
}

fn wanted(world: &World, saga: &str, amount_minor: Option<i64>, way: Way, strategy: Strategy) -> Reservation {
    let terms = Terms { pay_out: Some(PayOut { amount_minor, way }), strategy, ..Terms::default() };
    Reservation { terms, ..world.reservation(saga, 0) }
}

#[test]
fn it_goes_by_every_way_and_to_named_tenders_until_nothing_is_owed() {
    let world = World::new();
    let mut account = owed(&world);
    let named =
        Strategy::Explicit(vec![Named { payment_id: payment_ids(&account)[0].clone(), amount_minor: 30 }]);
    let by_hand = Resolution { reference: "transfer 7".to_owned(), note: String::new() };
    let ways = [
        ("sag_2", None, Way::Tenders, named, None, 70),
        ("sag_3", Some(20), Way::StoreCredit, Strategy::Lifo, None, 50),
        ("sag_4", Some(40), Way::ByHand, Strategy::Lifo, Some(&by_hand), 10),
        ("sag_5", None, Way::Tenders, Strategy::Lifo, None, 0),
    ];
    for (saga, amount, way, strategy, by_hand, left) in ways {
        let reply =
            applied(account.reserve(&wanted(&world, saga, amount, way, strategy), world.moment()).unwrap());
        assert_eq!(reply.owed_minor, 0, "the rest is not its to owe");
        account.settle(saga, "settle_refund", by_hand, world.moment()).unwrap();
        world.answer_all(&mut account, &done());
        account.tell_owed();
        assert_eq!((account.told.owed_minor, account.owed_minor()), (left, left), "{saga}");
    }
    let paid = |state| account.refunds.values().filter(move |refund| refund.state == state);
    assert_eq!(paid(State::ResolvedExternally).map(|refund| refund.amount_minor).sum::<i64>(), 40);
    assert!(paid(State::ResolvedExternally).all(|refund| refund.resolution == by_hand));
    let credit = paid(State::Succeeded).filter(|refund| refund.method == Method::StoreCredit);
    assert_eq!((credit.map(|refund| refund.amount_minor).sum::<i64>(), account.store_credit_minor), (20, 20));
    assert_books_balance(&account);
}

#[test]
fn no_more_than_is_owed_and_not_on_its_way_is_paid_out() {
    let world = World::new();
    let mut account = owed(&world);
    let too_much = wanted(&world, "sag_2", Some(101), Way::Tenders, Strategy::Lifo);
    assert_eq!(account.reserve(&too_much, world.moment()).unwrap_err().reason, Reason::ExceedsRefundable);
    let most = wanted(&world, "sag_2", Some(80), Way::Tenders, Strategy::Lifo);
    account.reserve(&most, world.moment()).unwrap();
    account.settle("sag_2", "settle_refund", None, world.moment()).unwrap();

    // 80 are on their way: 20 are left, and then nothing.
    for (amount, allowed) in [(Some(21), false), (Some(20), true), (None, false)] {
        let next = wanted(&world, "sag_3", amount, Way::Tenders, Strategy::Lifo);
        assert_eq!(account.reserve(&next, world.moment()).is_ok(), allowed, "{amount:?}");
    }
}

#[test]
fn what_is_only_authorised_is_not_owed() {
    let world = World::new();
    let mut account = world.authorised(&[100]);
    let nothing = Reservation { move_no_money: true, ..world.reservation("sag_1", 0) };
    account.reserve(&nothing, world.moment()).unwrap();
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();

    let refused =
        account.reserve(&wanted(&world, "sag_2", None, Way::Tenders, Strategy::Lifo), world.moment());

    assert_eq!((refused.unwrap_err().reason, account.owed_minor()), (Reason::ExceedsRefundable, 0));
}

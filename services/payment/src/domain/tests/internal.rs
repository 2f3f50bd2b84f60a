//! What is ours moves in the commit that decides it, and store credit takes a declined refund's place.

use types::Reason;

use super::super::gateway::Effect;
use super::super::movement::{Kind as Moved, Till};
use super::super::payment::{self, Kind};
use super::super::refund::{self, Method, State};
use super::super::split::{Named, Strategy};
use super::super::{Account, Event, HoldState, Origin, Reservation, StepOutcome, Terms};
use super::{World, applied, assert_books_balance, declined, done, ended_well};

fn paid_with(world: &World, gateways: &[(&str, i64)]) -> Account {
    let tenders = gateways.iter().map(|(gateway, amount)| super::super::Tender {
        gateway: (*gateway).to_owned(),
        ..world.tender(*amount)
    });
    let (mut account, _) = world.place(&world.opening(tenders.collect()));
    world.answer_all(&mut account, &done());
    account.capture_tenders(&Origin::step("sag_place", "capture_payments"), world.moment());
    world.answer_all(&mut account, &done());
    account
}

#[test]
fn gift_cards_and_store_credit_ask_nobody() {
    let world = World::new();
    let gift = super::super::Tender { gateway: "gift_card".to_owned(), ..world.tender(60) };
    let credit = super::super::Tender { gateway: "store_credit".to_owned(), ..world.tender(40) };

    let (mut account, placed) = world.place(&world.opening(vec![gift, credit]));
    let captured = account.capture_tenders(&super::placing(), world.moment());
    world.reserve(&mut account, "sag_1", 0);
    let settled = applied(account.settle("sag_1", "settle_refund", None, world.moment()).unwrap());

    assert!(account.unsaved.tasks.is_empty());
    assert!(matches!((placed, captured), (StepOutcome::Applied(_), StepOutcome::Applied(_))));
    assert!(settled.legs.iter().all(|leg| leg.state == State::Succeeded), "{settled:?}");
    assert_eq!(account.position_minor(), 0);
    // A returned store credit is the order's again; a gift card is its issuer's.
    assert_eq!((account.store_credit_minor, account.credit_seq), (40, 1));
    assert_books_balance(&account);
}

#[test]
fn what_is_ours_is_returned_before_a_gateway_is_asked() {
    let world = World::new();
    let mut account = paid_with(&world, &[("sandbox", 50), ("store_credit", 20), ("gift_card", 30)]);

    world.reserve(&mut account, "sag_1", 40);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();

    let kinds: Vec<_> = account
        .refunds
        .values()
        .map(|refund| (account.payment(&refund.payment_id).kind, refund.amount_minor))
        .collect();
    assert_eq!(kinds, [(Kind::GiftCard, 30), (Kind::StoreCredit, 20), (Kind::Gateway, 10)]);
    assert_eq!(account.unsaved.tasks.len(), 1);
}

#[test]
fn an_offline_tender_goes_to_a_person_and_last() {
    let world = World::new();
    let mut account = paid_with(&world, &[("offline", 60), ("sandbox", 40)]);

    world.reserve(&mut account, "sag_1", 0);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    let ended = world.answer_all(&mut account, &done());

    let reply = ended_well(&ended);
    let manual = reply.legs.iter().find(|leg| leg.state == State::Manual).unwrap();
    assert_eq!((manual.amount_minor, reply.owed_minor), (60, 60));
    assert!(account.unsaved.events.iter().any(|(_, event)| matches!(event, Event::AttentionRaised { .. })));
}

fn fall_back(world: &World, account: &mut Account, target_minor: i64) {
    let wanted = Reservation {
        terms: Terms { store_credit_fallback: true, ..Terms::default() },
        ..world.reservation("sag_1", target_minor)
    };
    account.reserve(&wanted, world.moment()).unwrap();
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
}

#[test]
fn a_declined_refund_becomes_store_credit_where_the_policy_allows() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    fall_back(&world, &mut account, 30);

    let reply = ended_well(&world.answer_all(&mut account, &declined()));

    assert_eq!(reply.owed_minor, 0);
    assert_eq!(reply.legs.iter().map(|leg| leg.made_good).collect::<Vec<_>>(), [true, false]);
    let credit = account.refunds.values().find(|refund| refund.method == Method::StoreCredit).unwrap();
    assert_eq!((credit.state, credit.amount_minor), (State::Succeeded, 70));
    assert!(credit.retry_of.is_some());
    assert_eq!((account.store_credit_minor, account.position_minor()), (70, 30));
    let (_, last) = account.unsaved.movements.last().unwrap();
    assert_eq!((last.kind, last.till, last.amount_minor), (Moved::Refund, Till::StoreCredit, 70));
    assert_eq!(account.holds["sag_1"].state, HoldState::Settled);
    assert_books_balance(&account);
}

#[test]
fn without_the_policy_it_stays_owed() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    world.reserve(&mut account, "sag_1", 30);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();

    let reply = ended_well(&world.answer_all(&mut account, &declined()));

    assert_eq!((reply.owed_minor, account.store_credit_minor), (70, 0));
    assert_eq!(account.refunds.len(), 1);
}

#[test]
fn a_declined_void_needs_no_store_credit() {
    let world = World::new();
    let mut account = world.authorised(&[100]);
    fall_back(&world, &mut account, 0);
    assert_eq!(account.unsaved.tasks[0].effect, Effect::Void);

    world.answer_all(&mut account, &declined());

    assert_eq!(account.store_credit_minor, 0);
    assert!(account.refunds.values().all(|refund| refund.kind == refund::Kind::Void));
}

#[test]
fn names_of_gateways_say_who_moves_the_money() {
    for (name, kind) in [
        ("gift_card", Kind::GiftCard),
        ("store_credit", Kind::StoreCredit),
        ("offline", Kind::Offline),
        ("stripe", Kind::Gateway),
        ("bank", Kind::Gateway),
    ] {
        assert_eq!(payment::Kind::named(name), kind);
    }
}

#[test]
fn a_disputed_order_may_be_forced_and_the_rest_stays_owed() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let payment_id = super::payment_ids(&account)[0].clone();
    super::disputing::dispute(
        &world,
        &mut account,
        &payment_id,
        70,
        super::super::gateway::DisputeState::Open,
    );

    let refused = account.reserve(&world.reservation("sag_1", 0), world.moment()).unwrap_err();
    let forced =
        Reservation { terms: Terms { force: true, ..Terms::default() }, ..world.reservation("sag_1", 0) };
    let reply = applied(account.reserve(&forced, world.moment()).unwrap());

    assert_eq!(refused.reason, Reason::ExceedsRefundable);
    assert_eq!((super::amounts(&reply), reply.owed_minor), (vec![30], 70));
}

#[test]
fn a_declined_refund_is_tried_on_the_next_tender_with_room_and_never_by_name() {
    let world = World::new();
    for by_name in [false, true] {
        let mut account = world.captured(&[40, 30]);
        let last = super::payment_ids(&account)[1].clone();
        let strategy = if by_name {
            Strategy::Explicit(vec![Named { payment_id: last, amount_minor: 30 }])
        } else {
            Strategy::Lifo
        };
        let wanted =
            Reservation { terms: Terms { strategy, ..Terms::default() }, ..world.reservation("sag_1", 40) };
        account.reserve(&wanted, world.moment()).unwrap();
        account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();

        let ended = world.answer_all(&mut account, &declined());
        if by_name {
            assert_eq!((ended_well(&ended).owed_minor, account.refunds.len()), (30, 1));
            continue;
        }
        assert!(ended.is_empty(), "the next tender is asked");
        let reply = ended_well(&world.answer_all(&mut account, &done()));
        let states: Vec<_> = reply.legs.iter().map(|leg| (leg.state, leg.made_good)).collect();
        assert_eq!(states, [(State::Declined, true), (State::Succeeded, false)]);
        assert_eq!((reply.owed_minor, account.position_minor()), (0, 40));
        assert_books_balance(&account);
    }
}

#[test]
fn a_tender_that_declined_is_not_asked_again() {
    let world = World::new();
    let mut account = world.captured(&[30, 30]);
    world.reserve(&mut account, "sag_1", 30);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();

    assert!(world.answer_all(&mut account, &declined()).is_empty());
    let reply = ended_well(&world.answer_all(&mut account, &declined()));

    assert_eq!((reply.owed_minor, account.refunds.len()), (30, 2));
    assert!(account.unsaved.tasks.is_empty());
}

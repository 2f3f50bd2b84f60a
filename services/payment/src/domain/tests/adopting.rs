//! Payments that other systems made: what is stated, what the gateway shows, and what follows.

use types::{Currency, PaymentId, Reason, Tenant};

use super::super::gateway::{Effect, Holding, Reading};
use super::super::payment::{Proof, State};
use super::super::{Account, Ended, Ending, ExternalPayment, Read, StepOutcome, refund};
use super::{World, applied, assert_books_balance, done, ended_well, payment_ids, placing};

fn stated(world: &World, attested: bool) -> ExternalPayment {
    ExternalPayment { attested, ..world.external(100) }
}

fn holding() -> Holding {
    Holding {
        reference: "INV-536365".to_owned(),
        currency: Currency::parse("GBP").unwrap(),
        captured_minor: 100,
        open_minor: 0,
        refunded_minor: 0,
        tenant: None,
        order_id: None,
    }
}

fn placed(world: &World, attested: bool) -> (Account, StepOutcome, PaymentId) {
    let mut opening = world.opening(Vec::new());
    opening.total_minor = 100;
    opening.external_payments.push(stated(world, attested));
    let (account, outcome) = world.place(&opening);
    let payment_id = payment_ids(&account)[0].clone();
    (account, outcome, payment_id)
}

fn shown(world: &World, account: &mut Account, payment_id: &PaymentId, reading: &Reading) -> Read {
    account.payment_read(&Tenant::DEFAULT, payment_id, reading, world.moment()).unwrap()
}

fn rejected(ended: &[Ended]) -> Reason {
    match ended {
        [Ended { ending: Ending::Rejected(refusal), .. }] => refusal.reason,
        other => panic!("the step should have been rejected: {other:?}"),
    }
}

#[test]
fn a_payment_counts_when_its_gateway_shows_it_and_not_before() {
    let world = World::new();
    let (mut account, outcome, payment_id) = placed(&world, false);
    assert_eq!(outcome, StepOutcome::Pending);
    assert_eq!(account.position_minor(), 0, "it is only said");
    assert_eq!(account.unsaved.tasks[0].effect, Effect::Read);

    let read = shown(&world, &mut account, &payment_id, &Reading::Holds(holding()));

    assert!(read.verified);
    ended_well(&read.ended);
    assert_eq!((account.payment(&payment_id).state, account.position_minor()), (State::Captured, 100));
    assert_books_balance(&account);
    let again =
        account.payment_read(&Tenant::DEFAULT, &payment_id, &Reading::Holds(holding()), world.moment());
    assert_eq!(again, None, "nobody asks any more");
}

#[test]
fn whatever_the_gateway_shows_otherwise_refuses_the_placement() {
    let euro = Currency::parse("EUR").unwrap();
    let world = World::new();
    let other_order = world.ids.mint();
    for (wrong, why) in [
        (Holding { captured_minor: 99, ..holding() }, "captured 99"),
        (Holding { captured_minor: 1_000, ..holding() }, "captured 1000"),
        (Holding { captured_minor: 0, open_minor: 100, ..holding() }, "captured 0"),
        (Holding { open_minor: 1, ..holding() }, "uncaptured"),
        (Holding { refunded_minor: 1, ..holding() }, "given 1 back"),
        (Holding { currency: euro, ..holding() }, "EUR"),
        (Holding { tenant: Some("other".to_owned()), ..holding() }, "another tenant"),
        (Holding { order_id: Some(other_order), ..holding() }, "another order"),
    ] {
        let (mut account, _, payment_id) = placed(&world, false);

        let read = shown(&world, &mut account, &payment_id, &Reading::Holds(wrong));

        assert!(!read.verified);
        assert_eq!(rejected(&read.ended), Reason::PaymentNotVerified);
        let payment = account.payment(&payment_id);
        assert!(payment.detail.contains(why), "{}", payment.detail);
        assert_eq!((payment.state, account.position_minor()), (State::Declined, 0));
        assert!(account.captures.is_empty() && account.refunds.is_empty());
    }
}

#[test]
fn silence_is_neither_yes_nor_no() {
    let world = World::new();
    let (mut account, _, payment_id) = placed(&world, false);
    let silence = Reading::Silent { detail: "no connection".to_owned() };

    for _ in 0..3 {
        assert_eq!(shown(&world, &mut account, &payment_id, &silence), Read::default());
    }

    let payment = account.payment(&payment_id);
    assert_eq!(
        (payment.state, payment.proof, payment.schedule.tries),
        (State::Authorising, Proof::Reading, 3)
    );
    assert_eq!(account.unsaved.events.len(), 1, "a person is told once");
}

#[test]
fn what_is_merely_authorised_rests_on_nobodys_word() {
    let world = World::new();
    let mut opening = world.opening(Vec::new());
    opening.total_minor = 100;
    opening.external_payments.push(ExternalPayment { captured_minor: 40, ..stated(&world, true) });

    let (mut account, outcome) = world.place(&opening);

    assert_eq!(outcome, StepOutcome::Pending);
    let payment_id = payment_ids(&account)[0].clone();
    let open = Holding { captured_minor: 40, open_minor: 60, ..holding() };
    assert!(shown(&world, &mut account, &payment_id, &Reading::Holds(open)).verified);
    assert_eq!((account.position_minor(), account.uncaptured(account.payment(&payment_id))), (40, 60));
}

#[test]
fn an_attested_payment_is_read_before_the_first_of_it_goes_back() {
    let world = World::new();
    let (mut account, outcome, payment_id) = placed(&world, true);
    applied(outcome);
    assert!(account.unsaved.tasks.is_empty());
    world.reserve(&mut account, "sag_1", 60);

    let settling = account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();

    assert_eq!(settling, StepOutcome::Pending);
    let tasks = std::mem::take(&mut account.unsaved.tasks);
    assert_eq!(tasks.iter().map(|task| task.effect).collect::<Vec<_>>(), [Effect::Read], "and no refund");
    assert!(account.waiting_for(&payment_id).contains("sag_1"));
    let read = shown(&world, &mut account, &payment_id, &Reading::Holds(holding()));
    assert!(read.verified && read.ended.is_empty());
    assert_eq!(account.unsaved.tasks[0].effect, Effect::Refund);
    ended_well(&world.answer_all(&mut account, &done()));

    world.reserve(&mut account, "sag_2", 0);
    account.settle("sag_2", "settle_refund", None, world.moment()).unwrap();
    assert_eq!(account.unsaved.tasks[0].effect, Effect::Refund, "it is read once");
}

#[test]
fn an_attested_payment_that_the_gateway_does_not_show_is_given_back_by_hand() {
    let world = World::new();
    let (mut account, _, payment_id) = placed(&world, true);
    let mut wanted = world.reservation("sag_1", 60);
    wanted.terms.store_credit_fallback = true;
    account.reserve(&wanted, world.moment()).unwrap();
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();

    let missing = Reading::Refuted { detail: "no such payment".to_owned() };
    let read = shown(&world, &mut account, &payment_id, &missing);

    let reply = ended_well(&read.ended);
    assert_eq!((reply.legs[0].state, reply.owed_minor), (refund::State::Manual, 40));
    let refund = account.refunds.values().next().unwrap();
    assert!(refund.detail.contains("no such payment"), "{}", refund.detail);
    assert_eq!(account.refunds.len(), 1, "a word is not turned into store credit");
    assert_eq!(account.payment(&payment_id).proof, Proof::Attested, "the next one is read again");
}

#[test]
fn a_refund_that_joins_while_the_payment_is_being_read_is_sent_with_the_first() {
    let world = World::new();
    let (mut account, _, payment_id) = placed(&world, true);
    for (saga, target) in [("sag_1", 60), ("sag_2", 30)] {
        world.reserve(&mut account, saga, target);
        account.settle(saga, "settle_refund", None, world.moment()).unwrap();
    }
    assert_eq!(account.unsaved.tasks.len(), 1, "one question");
    account.unsaved.tasks.clear();

    shown(&world, &mut account, &payment_id, &Reading::Holds(holding()));

    assert_eq!(account.unsaved.tasks.len(), 2);
}

#[test]
fn a_payment_shown_after_its_order_was_given_up_is_left_for_a_person() {
    let world = World::new();
    let (mut account, _, payment_id) = placed(&world, false);
    account.abandon(&placing(), world.moment());

    shown(&world, &mut account, &payment_id, &Reading::Holds(holding()));

    assert!(account.refunds.is_empty(), "we did not take it");
    assert_eq!(account.unsaved.events.len(), 1);
}

#[test]
fn a_card_is_asked_for_no_more_than_the_order_still_needs() {
    let world = World::new();
    let mut account = world.captured(&[60]);
    account.ceiling_minor = 100;

    assert!(account.check_missing(40).is_ok());
    assert_eq!(account.check_missing(41).unwrap_err().reason, Reason::AboveCaptureCeiling);
    account.authorise(&world.tender(40), &placing(), world.moment()).unwrap();
    assert!(account.check_missing(1).is_err(), "the one that is being asked for counts");
}

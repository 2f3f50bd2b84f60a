use types::Reason;

use super::super::payment::State;
use super::super::refund::{self, Kind};
use super::super::{CaptureAsked, Origin, StepOutcome};
use super::{World, applied, assert_books_balance, declined, done, ended_well, payment_ids};

fn asked() -> Origin {
    Origin::Request { request_id: "r1".to_owned(), method: "CapturePayment".to_owned() }
}

fn forward() -> Origin {
    Origin::step("sag_place", "capture_payments")
}

#[test]
fn tenders_that_asked_for_it_are_captured_whole() {
    let world = World::new();
    let mut account = world.authorised(&[60, 40]);

    let outcome = account.capture_tenders(&forward(), world.moment());
    let ended = world.answer_all(&mut account, &done());

    assert_eq!(outcome, StepOutcome::Pending);
    ended_well(&ended);
    assert_eq!(account.position_minor(), 100);
    assert_books_balance(&account);
}

#[test]
fn a_capture_above_the_ceiling_is_refused_by_one_unit() {
    let world = World::new();
    let mut account = world.authorised(&[100]);
    account.ceiling_minor = 60;
    let payment_id = payment_ids(&account)[0].clone();
    let capture =
        |amount| account.clone().capture(&payment_id, CaptureAsked::Amount(amount), &asked(), world.moment());

    assert!(capture(60).is_ok());
    assert_eq!(capture(61).unwrap_err().reason, Reason::AboveCaptureCeiling);

    account.capture(&payment_id, CaptureAsked::Amount(40), &asked(), world.moment()).unwrap();
    let second = account.capture(&payment_id, CaptureAsked::Amount(21), &asked(), world.moment());
    assert_eq!(second.unwrap_err().reason, Reason::AboveCaptureCeiling, "the one in flight counts");
}

#[test]
fn a_capture_above_the_authorisation_is_refused() {
    let world = World::new();
    let mut account = world.authorised(&[100]);
    let payment_id = payment_ids(&account)[0].clone();

    let beyond = account.capture(&payment_id, CaptureAsked::Amount(101), &asked(), world.moment());
    account.capture(&payment_id, CaptureAsked::All, &asked(), world.moment()).unwrap();
    let again = account.capture(&payment_id, CaptureAsked::All, &asked(), world.moment());

    assert_eq!(beyond.unwrap_err().reason, Reason::ExceedsAuthorised);
    assert_eq!(again.unwrap_err().reason, Reason::ExceedsAuthorised);
}

#[test]
fn the_forward_step_captures_only_what_the_order_is_still_worth() {
    let world = World::new();
    let mut account = world.authorised(&[100]);
    world.reserve(&mut account, "sag_cancel", 30);

    account.capture_tenders(&forward(), world.moment());
    world.answer_all(&mut account, &done());

    assert_eq!(account.position_minor(), 30);
}

#[test]
fn nothing_is_left_to_capture_after_a_whole_cancellation() {
    let world = World::new();
    let mut account = world.authorised(&[100]);
    world.reserve(&mut account, "sag_cancel", 0);

    let outcome = account.capture_tenders(&forward(), world.moment());

    assert!(applied(outcome).nothing_to_do);
}

#[test]
fn a_declined_capture_leaves_the_authorisation_and_tells_a_person() {
    let world = World::new();
    let mut account = world.authorised(&[100]);
    account.capture_tenders(&forward(), world.moment());

    let ended = world.answer_all(&mut account, &declined());

    ended_well(&ended);
    assert_eq!(account.payments.values().next().unwrap().state, State::Authorised);
    assert_eq!(account.unsaved.events.len(), 1);
    assert_eq!(account.position_minor(), 0);
}

#[test]
fn a_leg_that_waits_for_its_capture_is_a_refund_if_the_money_was_taken() {
    let world = World::new();
    let mut account = world.authorised(&[100]);
    account.capture_tenders(&forward(), world.moment());
    let capture = std::mem::take(&mut account.unsaved.tasks);

    let reply = world.reserve(&mut account, "sag_cancel", 40);
    assert_eq!(reply.legs[0].state, refund::State::AwaitingCapture);
    let outcome = account.settle("sag_cancel", "settle_refund", None, world.moment()).unwrap();
    assert_eq!(outcome, StepOutcome::Pending);
    world.answer(&mut account, &capture[0], &done());
    let ended = world.answer_all(&mut account, &done());

    let reply = ended_well(&ended);
    assert_eq!((reply.legs[0].kind, reply.legs[0].state), (Kind::Refund, refund::State::Succeeded));
    assert_eq!(account.position_minor(), 40);
    assert_books_balance(&account);
}

#[test]
fn a_leg_that_waits_for_its_capture_is_a_void_if_it_was_declined() {
    let world = World::new();
    let mut account = world.authorised(&[100]);
    account.capture_tenders(&forward(), world.moment());
    let capture = std::mem::take(&mut account.unsaved.tasks);
    world.reserve(&mut account, "sag_cancel", 40);
    account.settle("sag_cancel", "settle_refund", None, world.moment()).unwrap();

    world.answer(&mut account, &capture[0], &declined());
    let ended = world.answer_all(&mut account, &done());

    let reply = ended_well(&ended);
    assert_eq!((reply.legs[0].kind, reply.legs[0].state), (Kind::Void, refund::State::Succeeded));
    assert_eq!(account.authorised_minor(), 40);
    assert_books_balance(&account);
}

use types::{Currency, Reason};

use super::super::gateway::Effect;
use super::super::payment::State;
use super::super::{Account, Ending, Event, StepOutcome, refund};
use super::{World, applied, assert_books_balance, declined, done, ended_well, lost, payment_ids, placing};

#[test]
fn a_placement_is_pending_until_every_tender_is_agreed_to() {
    let world = World::new();
    let (mut account, outcome) = world.place(&world.opening(vec![world.tender(60), world.tender(40)]));
    let tasks = std::mem::take(&mut account.unsaved.tasks);

    let first = world.answer(&mut account, &tasks[0], &done());
    let second = world.answer(&mut account, &tasks[1], &done());

    assert_eq!(outcome, StepOutcome::Pending);
    assert!(first.is_empty());
    ended_well(&second);
    assert_eq!(account.authorised_minor(), 100);
    assert_eq!(account.position_minor(), 0);
}

#[test]
fn a_tender_of_nothing_makes_no_row() {
    let world = World::new();
    let mut opening = world.opening(vec![world.tender(0)]);
    opening.external_payments.push(world.external(0));

    let (account, outcome) = world.place(&opening);

    assert!(account.payments.is_empty());
    assert!(applied(outcome).nothing_to_do);
}

#[test]
fn a_payment_that_somebody_vouches_for_is_recorded_as_it_is() {
    let world = World::new();
    let mut opening = world.opening(Vec::new());
    opening.external_payments.push(world.external(100));

    let (account, outcome) = world.place(&opening);

    assert!(!applied(outcome).nothing_to_do);
    assert_eq!(account.position_minor(), 100);
    assert_eq!(account.payments.values().next().unwrap().state, State::Captured);
    assert_books_balance(&account);
}

#[test]
fn one_declined_tender_gives_all_others_back_before_the_step_is_rejected() {
    let world = World::new();
    let (mut account, _) =
        world.place(&world.opening(vec![world.tender(60), world.tender(30), world.tender(10)]));
    let tasks = std::mem::take(&mut account.unsaved.tasks);

    assert!(world.answer(&mut account, &tasks[0], &done()).is_empty());
    assert!(world.answer(&mut account, &tasks[1], &declined()).is_empty());
    // The third was still being asked for: it goes back as soon as it is there.
    assert!(world.answer(&mut account, &tasks[2], &done()).is_empty());
    let voids = std::mem::take(&mut account.unsaved.tasks);
    assert_eq!(voids.iter().map(|task| task.effect).collect::<Vec<_>>(), [Effect::Void, Effect::Void]);
    assert!(world.answer(&mut account, &voids[0], &done()).is_empty());
    let ended = world.answer(&mut account, &voids[1], &done());

    assert_eq!(ended[0].origin, placing());
    assert!(
        matches!(&ended[0].ending, Ending::Rejected(refusal) if refusal.reason == Reason::PaymentDeclined)
    );
    let states: Vec<_> =
        payment_ids(&account).iter().map(|payment_id| account.payment(payment_id).state).collect();
    assert_eq!(states, [State::Voided, State::Declined, State::Voided]);
    assert_eq!(account.ceiling_minor, 0);
}

#[test]
fn an_undone_placement_gives_back_what_is_agreed_to_later() {
    let world = World::new();
    let (mut account, _) = world.place(&world.opening(vec![world.tender(100)]));
    let tasks = std::mem::take(&mut account.unsaved.tasks);

    account.abandon(&placing(), world.moment());
    assert!(account.refunds.is_empty(), "nothing is there to be given back yet");
    world.answer(&mut account, &tasks[0], &done());
    world.answer_all(&mut account, &done());

    let payment = account.payments.values().next().unwrap();
    assert_eq!((payment.state, payment.voided_minor), (State::Voided, 100));
    let refund = account.refunds.values().next().unwrap();
    assert_eq!((refund.kind, refund.state), (refund::Kind::Void, refund::State::Succeeded));
}

#[test]
fn undoing_twice_gives_back_once() {
    let world = World::new();
    let mut account = world.authorised(&[100]);

    account.abandon(&placing(), world.moment());
    account.abandon(&placing(), world.moment());

    assert_eq!(account.refunds.len(), 1);
    assert_eq!(account.unsaved.tasks.len(), 1);
}

#[test]
fn a_payment_made_elsewhere_for_an_order_that_was_not_placed_needs_a_person() {
    let world = World::new();
    let mut opening = world.opening(Vec::new());
    opening.external_payments.push(world.external(100));
    let (mut account, _) = world.place(&opening);

    account.abandon(&placing(), world.moment());
    account.abandon(&placing(), world.moment());

    assert!(account.refunds.is_empty());
    let attention: Vec<_> = account.unsaved.events.iter().map(|(_, event)| event).collect();
    assert!(
        matches!(attention[..], [Event::AttentionRaised { cause, .. }] if cause.reason == Reason::PlacementFailed)
    );
}

#[test]
fn a_lost_authorisation_is_asked_about_again_and_a_person_is_told_once() {
    let world = World::new();
    let (mut account, _) = world.place(&world.opening(vec![world.tender(100)]));
    let tasks = std::mem::take(&mut account.unsaved.tasks);

    for _ in 0..5 {
        world.answer(&mut account, &tasks[0], &lost());
    }

    let payment = account.payments.values().next().unwrap();
    assert_eq!(payment.state, State::Authorising);
    assert_eq!(payment.schedule.tries, 5);
    assert_eq!(payment.schedule.next_at, 1_000_000_000 + 30_000_000, "the last wait repeats");
    assert_eq!(account.unsaved.events.len(), 1);
}

#[test]
fn a_second_answer_changes_nothing() {
    let world = World::new();
    let (mut account, _) = world.place(&world.opening(vec![world.tender(100)]));
    let tasks = std::mem::take(&mut account.unsaved.tasks);
    world.answer(&mut account, &tasks[0], &done());
    let before = account.clone();

    world.answer(&mut account, &tasks[0], &declined());

    assert_eq!(account, before);
}

#[test]
fn more_than_can_be_counted_is_refused() {
    let world = World::new();
    let opening = world.opening(vec![world.tender(600_000_000_000_000), world.tender(600_000_000_000_000)]);

    let refusal = Account::place(&opening, &placing(), world.moment()).unwrap_err();

    assert_eq!(refusal.reason, Reason::AmountOutOfRange);
}

#[test]
fn yen_and_dinars_are_minor_units_like_any_other() {
    for code in ["JPY", "KWD"] {
        let world = World::new();
        let mut opening = world.opening(vec![world.tender(1_001)]);
        opening.currency = Currency::parse(code).unwrap();
        let (mut account, _) = world.place(&opening);
        world.answer_all(&mut account, &done());
        account.capture_tenders(&super::super::Origin::step("sag_place", "capture_payments"), world.moment());
        world.answer_all(&mut account, &done());

        let reply = world.reserve(&mut account, "sag_1", 1_000);

        assert_eq!(super::amounts(&reply), [1], "{code}");
    }
}

#[test]
fn money_captured_for_an_order_that_was_not_placed_is_refunded() {
    let world = World::new();
    let mut account = world.authorised(&[100]);
    let payment_id = payment_ids(&account)[0].clone();
    let origin =
        super::super::Origin::Request { request_id: "r1".to_owned(), method: "CapturePayment".to_owned() };
    for amount in [30, 20] {
        let asked = super::super::CaptureAsked::Amount(amount);
        account.capture(&payment_id, asked, &origin, world.moment()).unwrap();
    }
    let captures = std::mem::take(&mut account.unsaved.tasks);
    world.answer(&mut account, &captures[0], &done());

    account.abandon(&placing(), world.moment());
    world.answer(&mut account, &captures[1], &done());
    world.answer_all(&mut account, &done());

    assert_eq!((account.position_minor(), account.authorised_minor()), (0, 50));
    assert!(account.refunds.values().all(|refund| refund.state == refund::State::Succeeded));
    assert_books_balance(&account);
}

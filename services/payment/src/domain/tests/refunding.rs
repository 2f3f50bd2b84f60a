use types::Reason;

use super::super::gateway::{Answer, Effect};
use super::super::refund::{Kind, State};
use super::super::{Event, HoldState, StepOutcome};
use super::{
    World, amounts, applied, assert_books_balance, declined, done, ended_well, lost, payment_ids, pending,
    refund_ids,
};

#[test]
fn what_exceeds_the_new_total_is_reserved_and_no_more() {
    let world = World::new();
    for (target, expected) in [(100, vec![]), (99, vec![1]), (40, vec![60]), (0, vec![100]), (500, vec![])] {
        let mut account = world.captured(&[100]);

        let reply = world.reserve(&mut account, "sag_1", target);

        assert_eq!(amounts(&reply), expected, "target {target}");
        assert_eq!(reply.nothing_to_do, expected.is_empty());
        assert_eq!(account.ceiling_minor, target);
    }
}

#[test]
fn authorisations_are_lowered_before_captured_money_is_given_back_latest_first() {
    let world = World::new();
    let mut account = world.captured(&[50]);
    account.ceiling_minor = 150;
    for amount in [70, 30] {
        account.authorise(&world.tender(amount), &super::placing(), world.moment()).unwrap();
    }
    world.answer_all(&mut account, &done());
    let payments = payment_ids(&account);

    let reply = world.reserve(&mut account, "sag_1", 20);

    let legs: Vec<_> =
        reply.legs.iter().map(|leg| (leg.payment_id.clone(), leg.kind, leg.amount_minor)).collect();
    assert_eq!(
        legs,
        [
            (payments[2].clone(), Kind::Void, 30),
            (payments[1].clone(), Kind::Void, 70),
            (payments[0].clone(), Kind::Refund, 30),
        ]
    );
}

#[test]
fn gift_cards_come_before_cards() {
    let world = World::new();
    let mut gift = world.tender(40);
    gift.gateway = "gift_card".to_owned();
    let (mut account, _) = world.place(&world.opening(vec![gift, world.tender(60)]));
    world.answer_all(&mut account, &done());
    account.capture_tenders(&super::placing(), world.moment());
    world.answer_all(&mut account, &done());
    let payments = payment_ids(&account);

    let reply = world.reserve(&mut account, "sag_1", 50);

    let legs: Vec<_> = reply.legs.iter().map(|leg| (leg.payment_id.clone(), leg.amount_minor)).collect();
    assert_eq!(legs, [(payments[0].clone(), 40), (payments[1].clone(), 10)]);
}

#[test]
fn part_of_an_authorisation_is_lowered_and_all_of_it_is_voided() {
    let world = World::new();
    for (target, effect) in [(40, Effect::Lower), (0, Effect::Void)] {
        let mut account = world.authorised(&[100]);
        world.reserve(&mut account, "sag_1", target);

        account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();

        assert_eq!(account.unsaved.tasks[0].effect, effect);
    }
}

#[test]
fn a_second_reservation_gives_back_only_what_the_first_left() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    world.reserve(&mut account, "sag_1", 40);

    let same = world.reserve(&mut account, "sag_2", 40);
    let further = world.reserve(&mut account, "sag_3", 10);

    assert!(same.nothing_to_do);
    assert_eq!(amounts(&further), [30]);
}

#[test]
fn a_release_puts_everything_back() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    world.reserve(&mut account, "sag_1", 40);

    account.release("sag_1", world.moment()).unwrap();

    assert_eq!(account.ceiling_minor, 100);
    assert_eq!(account.position_minor(), 100);
    assert_eq!(account.refunds[&refund_ids(&account)[0]].state, State::Released);
    assert!(account.unsaved.tasks.is_empty());
    assert_eq!(amounts(&world.reserve(&mut account, "sag_2", 0)), [100]);
}

#[test]
fn a_release_leaves_the_ceiling_of_a_later_change() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    world.reserve(&mut account, "sag_1", 40);
    world.reserve(&mut account, "sag_2", 30);

    account.release("sag_1", world.moment()).unwrap();

    assert_eq!(account.ceiling_minor, 30);
}

#[test]
fn settling_without_a_reservation_is_a_protocol_violation() {
    let world = World::new();
    let mut account = world.captured(&[100]);

    let refusal = account.settle("sag_1", "settle_refund", None, world.moment()).unwrap_err();

    assert_eq!(refusal.reason, Reason::ProtocolViolation);
}

#[test]
fn nothing_to_settle_is_settled_at_once() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    world.reserve(&mut account, "sag_1", 100);

    let outcome = account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();

    assert!(applied(outcome).nothing_to_do);
    assert_eq!(account.holds["sag_1"].state, HoldState::Settled);
}

#[test]
fn a_change_that_moves_no_money_owes_what_exceeds() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let mut wanted = world.reservation("sag_1", 30);
    wanted.move_no_money = true;

    let reply = applied(account.reserve(&wanted, world.moment()).unwrap());
    let settled = applied(account.settle("sag_1", "settle_refund", None, world.moment()).unwrap());

    assert_eq!((reply.owed_minor, reply.legs.len()), (70, 0));
    assert_eq!(settled.owed_minor, 70);
    assert!(!settled.nothing_to_do);
    assert_eq!(account.ceiling_minor, 30);
}

#[test]
fn a_declined_refund_is_owed_and_free_to_be_tried_by_a_later_change() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    world.reserve(&mut account, "sag_1", 40);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();

    let ended = world.answer_all(&mut account, &declined());

    let reply = ended_well(&ended);
    assert_eq!((reply.owed_minor, reply.legs[0].state), (60, State::Declined));
    assert!(matches!(&account.unsaved.events[..], [(1, Event::AttentionRaised { .. })]));
    assert_eq!(amounts(&world.reserve(&mut account, "sag_2", 40)), [60]);
    assert_books_balance(&account);
}

#[test]
fn an_unknown_refund_holds_its_amount() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    world.reserve(&mut account, "sag_1", 40);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();

    let ended = world.answer_all(&mut account, &lost());

    assert!(ended.is_empty());
    let refund = &account.refunds[&refund_ids(&account)[0]];
    assert_eq!(refund.state, State::Unknown);
    assert_eq!(refund.schedule.next_at, 1_000_000_000 + 5_000_000);
    assert_eq!(account.position_minor(), 40);
    assert!(world.reserve(&mut account, "sag_2", 40).nothing_to_do);
}

#[test]
fn a_pending_refund_is_asked_about_with_patience_of_its_own() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    world.reserve(&mut account, "sag_1", 0);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    let tasks = std::mem::take(&mut account.unsaved.tasks);

    world.answer(&mut account, &tasks[0], &lost());
    world.answer(&mut account, &tasks[0], &lost());
    world.answer(&mut account, &tasks[0], &pending());

    let refund = &account.refunds[&refund_ids(&account)[0]];
    assert_eq!((refund.state, refund.schedule.tries), (State::Pending, 1));
    assert_eq!(refund.schedule.next_at, 1_000_000_000 + 60_000_000);
    let ended = world.answer(&mut account, &tasks[0], &done());
    assert_eq!(ended_well(&ended).legs[0].state, State::Succeeded);
}

#[test]
fn the_step_ends_when_its_last_leg_does() {
    let world = World::new();
    let mut account = world.captured(&[60, 40]);
    world.reserve(&mut account, "sag_1", 0);
    let outcome = account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    let tasks = std::mem::take(&mut account.unsaved.tasks);

    let first = world.answer(&mut account, &tasks[0], &done());
    let second = world.answer(&mut account, &tasks[1], &declined());

    assert_eq!(outcome, StepOutcome::Pending);
    assert!(first.is_empty());
    let reply = ended_well(&second);
    assert_eq!((reply.legs.len(), reply.owed_minor), (2, 60));
}

#[test]
fn a_refund_that_fails_afterwards_is_reversed_in_the_book_and_told() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    world.reserve(&mut account, "sag_1", 40);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    let tasks = std::mem::take(&mut account.unsaved.tasks);
    world.answer(&mut account, &tasks[0], &done());
    let failure = Answer::FailedAfter { reference: "ref".to_owned(), detail: "sent back".to_owned() };

    let ended = world.answer(&mut account, &tasks[0], &failure);
    world.answer(&mut account, &tasks[0], &failure);

    assert!(ended.is_empty());
    assert_eq!(account.refunds[&refund_ids(&account)[0]].state, State::Reversed);
    assert_eq!(account.position_minor(), 100);
    let told: Vec<_> = account.unsaved.events.iter().map(|(_, event)| event).collect();
    assert!(matches!(
        told[..],
        [Event::AttentionRaised { .. }, Event::RefundEnded { state: State::Reversed, .. }]
    ));
    assert_books_balance(&account);
}

#[test]
fn a_late_failure_that_comes_before_the_success_is_both() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    world.reserve(&mut account, "sag_1", 40);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    let failure = Answer::FailedAfter { reference: "ref".to_owned(), detail: "sent back".to_owned() };

    let ended = world.answer_all(&mut account, &failure);

    let reply = ended_well(&ended);
    assert_eq!((reply.legs[0].state, reply.owed_minor), (State::Reversed, 60));
    assert_eq!(account.unsaved.movements.len(), 3, "capture, refund, reversal");
    assert_books_balance(&account);
}

#[test]
fn the_gateways_key_is_the_refunds_id_in_every_attempt() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    world.reserve(&mut account, "sag_1", 0);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    let first = std::mem::take(&mut account.unsaved.tasks).remove(0);

    world.answer(&mut account, &first, &lost());
    let again = account.task_for(&first.subject).unwrap();

    assert_eq!(again, first);
    world.answer(&mut account, &first, &done());
    assert_eq!(account.task_for(&first.subject), None, "nothing more is asked");
}

#[test]
fn what_a_gateway_rounds_off_goes_to_the_next_tender_or_is_owed() {
    let world = World::new();
    let reserved = |steps: [i64; 2]| {
        let mut account = world.captured(&[1_000, 5_000]);
        let payments = payment_ids(&account);
        for (payment_id, step_minor) in payments.iter().zip(steps) {
            account.payments.get_mut(payment_id).unwrap().step_minor = step_minor;
        }
        let reply = world.reserve(&mut account, "sag_1", 6_000 - 1_234);
        account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
        world.answer_all(&mut account, &done());
        (amounts(&reply), account.owed_minor())
    };

    assert_eq!(reserved([1, 10]), (vec![1_230, 4], 0), "the latest card rounds, the other has the rest");
    assert_eq!(reserved([10, 10]), (vec![1_230], 4), "nobody can give the last four");
    assert_eq!(reserved([1, 1]), (vec![1_234], 0));
}

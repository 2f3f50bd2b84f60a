//! A dispute freezes what is reserved and lowers the cap; won releases, lost has paid.

use types::{PaymentId, Reason};

use super::super::gateway::{DisputeState, FoundDispute, Statement};
use super::super::movement::Kind as Moved;
use super::super::refund::State;
use super::super::{Account, Event, Observed, Reservation, StepOutcome, Terms};
use super::{World, done, ended_well, payment_ids};

pub fn dispute(
    world: &World,
    account: &mut Account,
    payment_id: &PaymentId,
    amount_minor: i64,
    state: DisputeState,
) -> Observed {
    let statement = Statement {
        captured_minor: account.payment(payment_id).captured_minor,
        refunds: Vec::new(),
        disputes: vec![FoundDispute { gateway_reference: "dp_1".to_owned(), amount_minor, state }],
    };
    account.observe(payment_id, &statement, world.moment())
}

fn free(account: &Account) -> i64 {
    account.sources(|_| true).iter().map(|source| source.free_minor).sum()
}

#[test]
fn an_open_dispute_lowers_the_cap_and_not_the_position() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let payment = payment_ids(&account)[0].clone();

    assert!(dispute(&world, &mut account, &payment, 60, DisputeState::Open).changed);
    assert!(!dispute(&world, &mut account, &payment, 60, DisputeState::Open).changed, "the same again");

    assert_eq!((free(&account), account.position_minor()), (40, 100));
    let refusal = account.reserve(&world.reservation("sag_1", 50), world.moment()).unwrap_err();
    assert_eq!(refusal.reason, Reason::ExceedsRefundable);
}

#[test]
fn what_is_reserved_waits_for_the_dispute_and_goes_on_when_it_is_won() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let payment = payment_ids(&account)[0].clone();
    world.reserve(&mut account, "sag_1", 40);
    dispute(&world, &mut account, &payment, 100, DisputeState::Open);

    let settling = account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    assert_eq!(settling, StepOutcome::Pending);
    assert!(account.unsaved.tasks.is_empty(), "frozen");

    dispute(&world, &mut account, &payment, 100, DisputeState::Won);
    let reply = ended_well(&world.answer_all(&mut account, &done()));

    assert_eq!((super::amounts(&reply), account.position_minor()), (vec![60], 40));
    assert_eq!(account.captures.values().next().unwrap().disputed_minor, 0);
}

#[test]
fn a_lost_dispute_has_paid_what_was_reserved() {
    let world = World::new();
    for (lost, left, position) in [(100, None, 0), (60, None, 40), (25, Some(35), 40)] {
        let mut account = world.captured(&[100]);
        let payment = payment_ids(&account)[0].clone();
        world.reserve(&mut account, "sag_1", 40);
        dispute(&world, &mut account, &payment, lost, DisputeState::Open);
        account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();

        let observed = dispute(&world, &mut account, &payment, lost, DisputeState::Lost);
        let mut ended = observed.ended;
        ended.extend(world.answer_all(&mut account, &done()));

        let reply = ended_well(&ended);
        let sent: Vec<_> = reply.legs.iter().filter(|leg| leg.state == State::Succeeded).collect();
        assert_eq!(sent.first().map(|leg| leg.amount_minor), left, "lost {lost}");
        assert_eq!((account.position_minor(), reply.owed_minor), (position, 0), "lost {lost}");
        let booked = account.unsaved.movements.iter().filter(|(_, moved)| moved.kind == Moved::Dispute);
        assert_eq!(booked.map(|(_, moved)| moved.amount_minor).collect::<Vec<_>>(), [lost]);
    }
}

#[test]
fn a_leg_that_left_the_disputed_amount_out_is_sent_whole_when_the_dispute_is_lost() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let payment = payment_ids(&account)[0].clone();
    dispute(&world, &mut account, &payment, 40, DisputeState::Open);
    let forced =
        Reservation { terms: Terms { force: true, ..Terms::default() }, ..world.reservation("sag_1", 0) };
    account.reserve(&forced, world.moment()).unwrap();
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    assert_eq!(account.owed_minor(), 100, "what the dispute holds up is owed meanwhile");

    let lost = dispute(&world, &mut account, &payment, 40, DisputeState::Lost);
    assert!(lost.ended.is_empty(), "the leg goes on its way");
    world.answer_all(&mut account, &done());

    let sent = account.refunds.values().filter(|refund| refund.state == State::Succeeded);
    assert_eq!(sent.map(|refund| refund.amount_minor).sum::<i64>(), 60);
    assert_eq!((account.position_minor(), account.owed_minor()), (0, 0));
}

#[test]
fn a_dispute_ends_once() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let payment = payment_ids(&account)[0].clone();
    dispute(&world, &mut account, &payment, 100, DisputeState::Lost);
    let after = account.clone();

    for state in DisputeState::ALL {
        assert!(!dispute(&world, &mut account, &payment, 100, state).changed, "{state:?}");
    }

    assert_eq!(account, after);
}

#[test]
fn two_disputes_count_together() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let payment = payment_ids(&account)[0].clone();
    let found = |reference: &str, state| FoundDispute {
        gateway_reference: reference.to_owned(),
        amount_minor: 30,
        state,
    };
    let statement = Statement {
        captured_minor: 100,
        refunds: Vec::new(),
        disputes: vec![found("dp_1", DisputeState::Lost), found("dp_2", DisputeState::Open)],
    };

    account.observe(&payment, &statement, world.moment());

    assert_eq!((free(&account), account.position_minor()), (40, 70));
}

/// What was raised and cleared about disputes, in order.
fn attention(account: &Account) -> Vec<(&'static str, String)> {
    let events = account.unsaved.events.iter().filter_map(|(_, event)| match event {
        Event::AttentionRaised { subject, .. } => Some(("raised", subject)),
        Event::AttentionCleared { subject, .. } => Some(("cleared", subject)),
        _ => None,
    });
    let disputes = events.filter(|(_, subject)| subject.subject_type == "dispute");
    disputes.map(|(what, subject)| (what, subject.subject_id.clone())).collect()
}

#[test]
fn x27_a_dispute_asks_for_a_person_until_it_is_won_and_again_when_it_is_lost() {
    let world = World::new();
    for (end, told) in [(DisputeState::Won, 2), (DisputeState::Lost, 3)] {
        let mut account = world.captured(&[100]);
        let payment = payment_ids(&account)[0].clone();

        dispute(&world, &mut account, &payment, 100, DisputeState::Open);
        dispute(&world, &mut account, &payment, 100, end);

        let of = |what| (what, "dp_1".to_owned());
        let expected = [of("raised"), of("cleared"), of("raised")];
        assert_eq!(attention(&account), expected[..told], "{end:?}");
    }
}

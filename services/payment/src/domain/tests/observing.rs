//! What the gateway's own book says and ours does not.

use proptest::prelude::*;
use types::{PaymentId, RefundId};

use super::super::gateway::{Answer, FoundRefund, Statement};
use super::super::refund::{Kind, State};
use super::super::{Account, CaptureAsked, Event, Observed, Origin};
use super::{World, declined, done, ended_well, payment_ids, refund_ids};

fn statement(captured_minor: i64, refunds: Vec<FoundRefund>) -> Statement {
    Statement { captured_minor, refunds, disputes: Vec::new() }
}

fn elsewhere(reference: &str, amount_minor: i64) -> FoundRefund {
    let gateway_reference = reference.to_owned();
    FoundRefund {
        answer: Answer::Done { reference: gateway_reference.clone() },
        gateway_reference,
        refund_id: None,
        amount_minor,
    }
}

fn observe(world: &World, account: &mut Account, payment: &PaymentId, statement: &Statement) -> Observed {
    account.observe(payment, statement, world.moment())
}

#[test]
fn f50_a_refund_made_elsewhere_is_ours_to_count_once() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let payment = payment_ids(&account)[0].clone();
    let found = statement(100, vec![elsewhere("re_1", 30)]);

    assert!(observe(&world, &mut account, &payment, &found).changed);
    for _ in 0..3 {
        assert!(!observe(&world, &mut account, &payment, &found).changed);
    }

    let external: Vec<_> = account.refunds.values().collect();
    assert_eq!(external.len(), 1);
    assert_eq!((external[0].state, external[0].amount_minor), (State::External, 30));
    assert_eq!(account.position_minor(), 70);
    assert_eq!(account.sources(|_| true)[0].free_minor, 70);
}

#[test]
fn f50_what_is_reserved_gives_way_to_what_was_given_back_elsewhere() {
    let world = World::new();
    // Reserved 60 of 100, for an order that is worth 40.
    for (elsewhere_minor, sent, position) in [(30, Some(30), 40), (60, None, 40), (100, None, 0)] {
        let mut account = world.captured(&[100]);
        let payment = payment_ids(&account)[0].clone();
        world.reserve(&mut account, "sag_1", 40);

        let found = statement(100, vec![elsewhere("re_1", elsewhere_minor)]);
        observe(&world, &mut account, &payment, &found);
        let outcome = account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
        world.answer_all(&mut account, &done());

        let ours = account.refunds.values().find(|refund| refund.state == State::Succeeded);
        assert_eq!(ours.map(|refund| refund.amount_minor), sent, "{elsewhere_minor} elsewhere: {outcome:?}");
        assert_eq!(account.position_minor(), position);
        assert!(account.captures.values().all(|capture| capture.refunded_minor <= capture.amount_minor));
    }
}

#[test]
fn f50_a_refund_elsewhere_waits_for_ours_that_is_in_flight() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let payment = payment_ids(&account)[0].clone();
    world.reserve(&mut account, "sag_1", 40);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    let found = statement(100, vec![elsewhere("re_1", 60)]);

    assert!(observe(&world, &mut account, &payment, &found).later);
    // The gateway took the other one and declines ours.
    world.answer_all(&mut account, &declined());

    assert!(observe(&world, &mut account, &payment, &found).changed);
    assert_eq!(account.position_minor(), 40);
}

#[test]
fn f46_the_gateways_word_before_its_answer_ends_the_step_once() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let payment = payment_ids(&account)[0].clone();
    world.reserve(&mut account, "sag_1", 40);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    let task = account.unsaved.tasks.pop().unwrap();
    let ours = FoundRefund { refund_id: Some(refund_ids(&account)[0].clone()), ..elsewhere("ref", 60) };

    let heard = observe(&world, &mut account, &payment, &statement(100, vec![ours]));
    let late = world.answer(&mut account, &task, &done());

    assert_eq!(ended_well(&heard.ended).legs[0].state, State::Succeeded);
    assert!(late.is_empty(), "the answer itself is no news");
    assert_eq!((account.refunds.len(), account.unsaved.movements.len()), (1, 2), "captured, refunded");
}

#[test]
fn f44_a_success_that_fails_afterwards_is_owed_and_the_book_says_so() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let payment = payment_ids(&account)[0].clone();
    world.reserve(&mut account, "sag_1", 0);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    world.answer_all(&mut account, &done());
    let failed = FoundRefund {
        refund_id: Some(refund_ids(&account)[0].clone()),
        answer: Answer::FailedAfter { reference: "ref".to_owned(), detail: "closed".to_owned() },
        ..elsewhere("ref", 100)
    };

    observe(&world, &mut account, &payment, &statement(100, vec![failed]));

    assert_eq!(account.refunds.values().next().unwrap().state, State::Reversed);
    let (tenders, sum) = account.positions();
    assert_eq!((sum.owed_minor, sum.reversed_minor, sum.confirmed_minor), (100, 100, 0));
    assert_eq!(tenders[0].1, sum);
    super::assert_books_balance(&account);
}

#[test]
fn f45_a_refund_that_is_pending_for_days_is_asked_after_with_patience_and_without_alarm() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    world.reserve(&mut account, "sag_1", 0);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    let task = account.unsaved.tasks.pop().unwrap();
    let events = account.unsaved.events.len();

    let mut waits = Vec::new();
    for _ in 0..6 {
        assert!(world.answer(&mut account, &task, &super::pending()).is_empty(), "the step waits on");
        let refund = account.refunds.values().next().unwrap();
        assert_eq!(refund.state, State::Pending);
        waits.push(refund.schedule.next_at - world.moment().db_now);
    }

    let pending = &world.timing.pending;
    assert_eq!(waits[..2], pending[..2], "its own ladder, not the one of lost answers");
    assert!(waits[2..].iter().all(|wait| wait == pending.last().unwrap()));
    assert_eq!(account.unsaved.events.len(), events, "nobody is alarmed by patience");
    assert_eq!(account.positions().1.in_flight_minor, 100);
    assert_eq!(ended_well(&world.answer(&mut account, &task, &done())).legs[0].state, State::Succeeded);
}

#[test]
fn a_late_capture_on_a_cancelled_order_goes_back_once() {
    let world = World::new();
    let mut account = world.authorised(&[100]);
    let payment = payment_ids(&account)[0].clone();
    world.reserve(&mut account, "sag_1", 0);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    world.answer_all(&mut account, &done());
    assert_eq!(account.payment(&payment).voided_minor, 100);

    for _ in 0..3 {
        observe(&world, &mut account, &payment, &statement(100, Vec::new()));
    }
    world.answer_all(&mut account, &done());

    assert_eq!(account.payment(&payment).captured_minor, 100);
    assert_eq!(account.payment(&payment).voided_minor, 0, "it was not voided after all");
    let back: Vec<_> = account.refunds.values().filter(|refund| refund.kind == Kind::Refund).collect();
    assert_eq!(back.len(), 1);
    assert_eq!((back[0].state, back[0].amount_minor), (State::Succeeded, 100));
    // The void has given way and was not lost: nothing is owed, nobody has to look at it, and its change tells of the
    // refund that stands for it.
    let void = account.refunds.values().find(|refund| refund.kind == Kind::Void).unwrap();
    assert_eq!((void.state, account.owed_minor(), account.troubled().len()), (State::Released, 0, 0));
    assert_eq!(
        (&back[0].change_order_id, &back[0].retry_of),
        (&void.change_order_id, &Some(void.refund_id.clone()))
    );
    let lost = account.unsaved.events.iter().filter(|(_, event)| match event {
        Event::AttentionRaised { subject, .. } => subject.subject_type == "refund",
        _ => false,
    });
    assert_eq!(lost.count(), 0);
    let told = account.unsaved.events.iter().any(|(_, event)| {
        matches!(event, Event::RefundEnded { state: State::Succeeded, amount_minor: 100, .. })
    });
    assert!(told, "the customer hears of it");
    assert_eq!(Some(back[0].saga_id.as_str()), back[0].capture_id.as_ref().map(AsRef::as_ref));
    assert_eq!(account.position_minor(), 0);
}

#[test]
fn a_late_capture_within_the_orders_worth_stays() {
    let world = World::new();
    let mut account = world.authorised(&[100]);
    let payment = payment_ids(&account)[0].clone();

    observe(&world, &mut account, &payment, &statement(100, Vec::new()));

    assert_eq!((account.position_minor(), account.refunds.len()), (100, 0));
}

#[test]
fn nothing_is_read_into_a_payment_that_is_being_authorised() {
    let world = World::new();
    let (mut account, _) = world.place(&world.opening(vec![world.tender(100)]));
    let payment = payment_ids(&account)[0].clone();
    let before = account.clone();

    let observed = observe(&world, &mut account, &payment, &statement(100, vec![elsewhere("re_1", 5)]));

    assert!(observed.later);
    assert_eq!(account, before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn whatever_the_gateway_says_no_capture_gives_back_more_than_it_took(
        amounts in prop::collection::vec(1_i64..=1_000, 1..3),
        turns in prop::collection::vec((0_u8..6, 0_i64..=2_000, 0_usize..4), 1..16),
    ) {
        let world = World::new();
        let mut account = world.captured(&amounts);
        let payments = payment_ids(&account);
        let mut told: Vec<(PaymentId, FoundRefund)> = Vec::new();

        for (number, (choice, amount, which)) in turns.into_iter().enumerate() {
            let payment = payments[which % payments.len()].clone();
            let saga = format!("sag_{number}");
            match choice {
                0 => { let _ = account.reserve(&world.reservation(&saga, amount), world.moment()); }
                1 => {
                    let open = account.holds.values().find(|hold| hold.state == super::super::HoldState::Reserved);
                    if let Some(saga) = open.map(|hold| hold.saga_id.clone()) {
                        account.settle(&saga, "settle_refund", None, world.moment()).unwrap();
                    }
                }
                2 => { world.answer_all(&mut account, &done()); }
                3 => { world.answer_all(&mut account, &declined()); }
                4 => told.push((payment.clone(), elsewhere(&format!("re_{number}"), amount.max(1)))),
                _ => {
                    let ids: Vec<RefundId> = refund_ids(&account);
                    if let Some(id) = ids.get(which) {
                        let _ = account.retry(id, None, &format!("req_{number}"), world.moment());
                    }
                }
            }
            let its = told.iter().filter(|(of, _)| *of == payment).map(|(_, found)| found.clone()).collect();
            let captured = account.payment(&payment).captured_minor;
            let mut once = account.clone();
            observe(&world, &mut once, &payment, &statement(captured, its));
            account = once;

            for capture in account.captures.values() {
                prop_assert!(capture.refunded_minor <= capture.amount_minor, "{:?}", capture);
            }
            prop_assert!(account.position_minor() >= 0);
            for refund in account.refunds.values() {
                prop_assert_eq!(account.explain(refund).sum(), refund.amount_minor);
            }
        }
    }
}

#[test]
fn a_refund_at_the_gateway_that_spans_captures_is_a_row_for_each_and_comes_back_whole() {
    let world = World::new();
    let mut account = world.authorised(&[100]);
    let payment = payment_ids(&account)[0].clone();
    for amount in [70, 30] {
        let origin = Origin::Request { request_id: amount.to_string(), method: "CapturePayment".to_owned() };
        account.capture(&payment, CaptureAsked::Amount(amount), &origin, world.moment()).unwrap();
        world.answer_all(&mut account, &done());
    }
    let found = statement(100, vec![elsewhere("re_1", 90)]);

    for _ in 0..3 {
        observe(&world, &mut account, &payment, &found);
    }

    let rows: Vec<i64> = account.refunds.values().map(|refund| refund.amount_minor).collect();
    assert_eq!((rows.iter().sum::<i64>(), rows.len(), account.position_minor()), (90, 2, 10));
    let failed = Answer::FailedAfter { reference: "re_1".to_owned(), detail: "closed".to_owned() };
    let found = statement(100, vec![FoundRefund { answer: failed, ..elsewhere("re_1", 90) }]);
    observe(&world, &mut account, &payment, &found);
    assert!(account.refunds.values().all(|refund| refund.state == State::Reversed));
    assert_eq!(account.position_minor(), 100);
}

#[test]
fn x27_a_refund_made_elsewhere_asks_for_a_person_until_the_order_is_worth_as_much_less() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let payment = payment_ids(&account)[0].clone();
    observe(&world, &mut account, &payment, &statement(100, vec![elsewhere("re_1", 30)]));
    let refund_id = refund_ids(&account)[0].to_string();
    let words = |account: &mut Account| {
        account.clear_attention();
        let events = std::mem::take(&mut account.unsaved.events);
        let words = events.into_iter().filter_map(|(_, event)| match event {
            Event::AttentionRaised { subject, .. } => Some((true, subject.subject_type, subject.subject_id)),
            Event::AttentionCleared { subject, .. } => {
                Some((false, subject.subject_type, subject.subject_id))
            }
            _ => None,
        });
        words.collect::<Vec<_>>()
    };
    assert_eq!(words(&mut account), [(true, "external_refund", refund_id.clone())]);

    // Ten of the thirty are accounted for, then all of them.
    world.reserve(&mut account, "sag_1", 90);
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    assert_eq!(words(&mut account), []);
    world.reserve(&mut account, "sag_2", 70);
    assert_eq!(words(&mut account), [], "it is not decided yet");
    account.settle("sag_2", "settle_refund", None, world.moment()).unwrap();
    assert_eq!(words(&mut account), [(false, "external_refund", refund_id)]);
    assert_eq!(account.position_minor(), 70, "and nothing moved a second time");
}

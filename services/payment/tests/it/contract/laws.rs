//! The laws, each on a payment of its own.

use payment::domain::gateway::{Answer, PartialCapture, Reading};
use types::Tenant;

use super::proxy::Fault;
use super::{Paid, Subject, done, is_no, is_open};

/// All that an adapter with authorisations must keep.
pub async fn all(subject: &Subject) {
    a_key_is_asked_for_before_and_after(subject).await;
    an_empty_card_is_declined(subject).await;
    part_of_an_authorisation_is_captured(subject).await;
    a_void_ends_an_authorisation(subject).await;
    what_is_captured_is_not_voided(subject).await;
    refunds(subject, &subject.captured(1_000).await).await;
    if subject.faults.is_some() {
        for fault in Fault::ALL {
            a_lost_answer_is_never_a_no(subject, &subject.captured(1_000).await, fault).await;
        }
    }
}

/// What holds for refunds of 1,000, however they were paid.
pub async fn refunds(subject: &Subject, paid: &Paid) {
    a_payment_is_shown_by_its_name(subject, paid).await;
    a_refund_is_found_by_our_id(subject, paid).await;
    a_key_that_comes_again_makes_no_second_refund(subject, paid).await;
    more_than_was_taken_is_not_given_back(subject, paid).await;
}

async fn a_key_is_asked_for_before_and_after(subject: &Subject) {
    let task = subject.authorise_task(&subject.card);
    if subject.shows.search {
        assert_eq!(subject.query(&task).await, None, "nothing was asked for yet");
    }

    let reference = done(&subject.call(&task).await);

    let mut known = task.clone();
    known.authorisation.clone_from(&reference);
    assert_eq!(subject.query(&known).await, Some(Answer::Done { reference: reference.clone() }));
    if subject.shows.search {
        assert_eq!(subject.query(&task).await, Some(Answer::Done { reference: reference.clone() }));
    }
    if subject.shows.keys {
        assert_eq!(done(&subject.call(&task).await), reference, "the same key is the same payment");
    }
}

async fn an_empty_card_is_declined(subject: &Subject) {
    let task = subject.authorise_task(&subject.empty_card);

    assert!(is_no(&subject.call(&task).await));
}

async fn part_of_an_authorisation_is_captured(subject: &Subject) {
    let paid = subject.authorised().await;
    let task = subject.capture_task(&paid, 600);
    assert_eq!(subject.query(&task).await, None, "nothing was captured yet");

    let reference = done(&subject.call(&task).await);

    assert_eq!(subject.query(&task).await, Some(Answer::Done { reference }));
    let statement = subject.statement(&paid).await;
    assert_eq!(statement.captured_minor, 600);
    assert_eq!(statement.refunds, [], "what was not captured is no refund");
    let rest = subject.call(&subject.capture_task(&paid, 400)).await;
    match subject.gateway.capabilities().partial_capture {
        PartialCapture::KeepsTheRest => drop(done(&rest)),
        PartialCapture::DropsTheRest => assert!(is_no(&rest) || matches!(rest, Answer::Done { .. })),
    }
}

async fn a_void_ends_an_authorisation(subject: &Subject) {
    let paid = subject.authorised().await;
    let void = subject.void_task(&paid);
    assert_eq!(subject.query(&void).await, None, "the authorisation still stands");

    done(&subject.call(&void).await);

    done(&subject.query(&void).await.expect("the void was made"));
    done(&subject.call(&void).await);
    assert_eq!(subject.statement(&paid).await.captured_minor, 0);
}

async fn what_is_captured_is_not_voided(subject: &Subject) {
    if subject.gateway.capabilities().lowers {
        // A gateway that keeps the rest may always give the rest back.
        return;
    }
    let paid = subject.captured(1_000).await;

    assert!(is_no(&subject.call(&subject.void_task(&paid)).await));
    assert_eq!(subject.statement(&paid).await.captured_minor, 1_000);
}

async fn a_payment_is_shown_by_its_name(subject: &Subject, paid: &Paid) {
    let name = paid.authorisation.as_str();
    let shown = subject.gateway.read(&Tenant::DEFAULT, name).await;
    let Reading::Holds(held) = shown else { panic!("{name} should be shown: {shown:?}") };
    let amounts = (held.captured_minor, held.open_minor, held.refunded_minor);
    assert_eq!((held.reference.as_str(), held.currency.code(), amounts), (name, "GBP", (1_000, 0, 0)));

    let never_made = if name.starts_with("ch_") { "ch_neverMade" } else { "pi_neverMade" };
    let missing = subject.gateway.read(&Tenant::DEFAULT, never_made).await;
    assert!(matches!(missing, Reading::Refuted { .. }), "{missing:?}");
}

async fn a_refund_is_found_by_our_id(subject: &Subject, paid: &Paid) {
    let task = subject.refund_task(paid, 200);
    assert_eq!(subject.query(&task).await, None, "nothing was given back yet");

    let reference = done(&subject.call(&task).await);

    assert_eq!(subject.query(&task).await, Some(Answer::Done { reference: reference.clone() }));
    let made = subject.made_by(&task, paid).await;
    assert_eq!(made.len(), 1);
    assert_eq!((made[0].amount_minor, &made[0].gateway_reference), (200, &reference));
    assert_eq!(made[0].answer, Answer::Done { reference });
}

async fn a_key_that_comes_again_makes_no_second_refund(subject: &Subject, paid: &Paid) {
    if !subject.shows.keys {
        return;
    }
    let task = subject.refund_task(paid, 100);
    let reference = done(&subject.call(&task).await);

    assert_eq!(done(&subject.call(&task).await), reference);
    let mut other = task.clone();
    other.amount_minor = 150;
    let answer = subject.call(&other).await;

    assert!(is_open(&answer), "the key belongs to another refund, whose fate this is not: {answer:?}");
    let made = subject.made_by(&task, paid).await;
    assert_eq!(made.iter().map(|refund| refund.amount_minor).collect::<Vec<_>>(), [100]);
}

async fn more_than_was_taken_is_not_given_back(subject: &Subject, paid: &Paid) {
    if !subject.shows.cap {
        return;
    }
    let answer = subject.call(&subject.refund_task(paid, 1_000)).await;

    assert!(is_no(&answer), "{answer:?}");
    let refunds = subject.statement(paid).await.refunds;
    assert!(refunds.iter().map(|refund| refund.amount_minor).sum::<i64>() <= 1_000);
}

/// Whatever went wrong on the way, the outcome is open until it is asked for, and the same key makes
/// one refund in the end.
pub async fn a_lost_answer_is_never_a_no(subject: &Subject, paid: &Paid, fault: Fault) {
    let faults = subject.faults.as_ref().expect("this side has faults");
    let task = subject.refund_task(paid, 50);

    faults.arm(fault);
    let answer = subject.call(&task).await;

    assert!(is_open(&answer), "{fault:?}: {answer:?}");
    assert!(faults.spent(), "{fault:?} was met");
    let found = subject.query(&task).await;
    if fault.applies() {
        done(&found.unwrap_or_else(|| panic!("{fault:?}: the refund was made")));
    } else {
        assert_eq!(found, None, "{fault:?}: the refund was not made");
    }
    if subject.shows.keys || !fault.applies() {
        done(&subject.call(&task).await);
    }
    assert_eq!(subject.made_by(&task, paid).await.len(), 1, "{fault:?}");
}

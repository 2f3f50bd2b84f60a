//! Each token of the sandbox, from the step to the book.

use std::time::Duration;

use payment::domain::payment::State;
use payment::domain::refund;
use payment::ops::command::StepAnswer;
use payment::ports::sandbox::Outcome;
use proto::payment::v1::RefundState;
use types::{OrderId, Reason};

use crate::service::{Service, applied, on_each_engine, poll, reason};

/// Places an order of 100 with one tender, captured.
async fn captured(service: &Service, token: &str) -> OrderId {
    let saga = service.saga();
    let opening = service.opening(&[(token, 100)]);
    applied(&service.authorise(&saga, &opening).await);
    applied(&service.capture(&saga, &opening.order_id).await);
    opening.order_id
}

async fn refunds(service: &Service, order: &OrderId) -> Vec<refund::State> {
    service.account(order).await.refunds.values().map(|refund| refund.state).collect()
}

#[tokio::test]
async fn what_is_approved_is_settled_in_the_same_call() {
    for mut service in on_each_engine("approve").await {
        let _working = service.work();
        let order = captured(&service, "tok_approve").await;
        let saga = service.saga();
        service.reserve(&saga, &order, 40).await;

        let reply = applied(&service.settle(&saga, &order).await);

        assert_eq!((reply.legs[0].state(), reply.legs[0].amount_minor), (RefundState::Succeeded, 60));
        assert_eq!(reply.owed_minor, 0);
        assert_eq!(service.count_events("StepSettled").await, 0, "the answer was the signal");
    }
}

#[tokio::test]
async fn a_caller_that_does_not_wait_is_signalled_instead() {
    for mut service in on_each_engine("signal").await {
        let order = service.paid_elsewhere("INV-1", 100).await;
        let saga = service.saga();
        service.reserve(&saga, &order, 40).await;
        service.impatient();
        assert_eq!(service.settle(&saga, &order).await, StepAnswer::Pending);

        let _working = service.work();
        let signals = poll(async || match service.count_events("StepSettled").await {
            0 => None,
            count => Some(count),
        })
        .await;

        assert_eq!(signals, 1);
        assert_eq!(service.settled(&saga, &order).await.legs[0].state(), RefundState::Succeeded);
    }
}

#[tokio::test]
async fn a_declined_tender_voids_the_others_and_rejects_the_step() {
    for mut service in on_each_engine("decline").await {
        let _working = service.work();
        let saga = service.saga();
        let opening = service.opening(&[("tok_approve", 60), ("tok_decline", 30), ("tok_approve", 10)]);

        let answer = service.authorise(&saga, &opening).await;

        assert_eq!(reason(&answer), Reason::PaymentDeclined);
        assert_eq!(service.authorise(&saga, &opening).await, answer);
        let account = service.account(&opening.order_id).await;
        let mut states: Vec<_> = account.payments.values().map(|payment| payment.state).collect();
        states.sort();
        assert_eq!(states, [State::Voided, State::Voided, State::Declined]);
        let voids = service.effects().await.into_iter().filter(|effect| effect.key.starts_with("rfd_"));
        assert_eq!(voids.map(|effect| effect.amount_minor).sum::<i64>(), 70);
        assert!(applied(&service.void(&saga, &opening.order_id).await).nothing_to_do);
    }
}

#[tokio::test]
async fn a_lost_authorisation_is_found_by_asking_and_made_once() {
    for mut service in on_each_engine("timeout").await {
        let _working = service.work();
        let saga = service.saga();
        let opening = service.opening(&[("tok_timeout", 100)]);

        applied(&service.authorise(&saga, &opening).await);

        let account = service.account(&opening.order_id).await;
        assert!(account.payments.values().all(|payment| payment.state == State::Authorised));
        assert_eq!(service.effects().await.len(), 1);
    }
}

#[tokio::test]
async fn a_declined_capture_leaves_the_order_and_tells_a_person() {
    for mut service in on_each_engine("capture_decline").await {
        let _working = service.work();

        let order = captured(&service, "tok_capture_decline").await;

        let account = service.account(&order).await;
        assert_eq!(account.position_minor(), 0);
        assert!(account.payments.values().all(|payment| payment.state == State::Authorised));
        assert_eq!(service.count_events("AttentionRaised").await, 1);
        assert_eq!(service.ledger_sums(&order).await, (0, 0, 0));
    }
}

#[tokio::test]
async fn a_declined_refund_stays_owed() {
    for mut service in on_each_engine("refund_decline").await {
        let _working = service.work();
        let order = captured(&service, "tok_refund_decline").await;
        let saga = service.saga();
        service.reserve(&saga, &order, 40).await;

        let reply = applied(&service.settle(&saga, &order).await);

        assert_eq!((reply.legs[0].state(), reply.owed_minor), (RefundState::Declined, 60));
        assert!(!reply.legs[0].detail.is_empty());
        assert_eq!(service.count_events("AttentionRaised").await, 1);
        assert_eq!(service.account(&order).await.position_minor(), 100);
        assert_eq!(service.ledger_sums(&order).await, (2, 100, 100), "no money went back");
    }
}

#[tokio::test]
async fn a_lost_refund_is_found_by_asking_and_made_once() {
    for mut service in on_each_engine("refund_timeout").await {
        let _working = service.work();
        let order = captured(&service, "tok_refund_timeout").await;
        let saga = service.saga();
        service.reserve(&saga, &order, 40).await;

        let reply = applied(&service.settle(&saga, &order).await);

        assert_eq!(reply.legs[0].state(), RefundState::Succeeded);
        let refunds = service.effects().await.into_iter().filter(|effect| effect.key.starts_with("rfd_"));
        assert_eq!(refunds.count(), 1);
    }
}

#[tokio::test]
async fn a_late_refund_is_pending_until_the_gateway_says_so() {
    for mut service in on_each_engine("refund_late").await {
        let _working = service.work();
        let order = captured(&service, "tok_refund_late").await;
        let saga = service.saga();
        service.reserve(&saga, &order, 40).await;
        service.impatient();
        service.settle(&saga, &order).await;
        poll(async || (refunds(&service, &order).await == [refund::State::Pending]).then_some(())).await;
        assert_eq!(service.settle(&saga, &order).await, StepAnswer::Pending);

        service.clock.advance(Duration::from_secs(61));
        poll(async || (refunds(&service, &order).await == [refund::State::Succeeded]).then_some(())).await;

        assert_eq!(service.count_events("StepSettled").await, 1);
        let reply = service.settled(&saga, &order).await;
        assert_eq!(reply.legs[0].state(), RefundState::Succeeded);
        let effects = service.effects().await;
        assert!(effects.iter().all(|effect| effect.outcome == Outcome::Applied));
    }
}

#[tokio::test]
async fn a_refund_that_fails_afterwards_is_reversed_and_told() {
    for mut service in on_each_engine("fail_after").await {
        let _working = service.work();
        let order = captured(&service, "tok_refund_fail_after").await;
        let saga = service.saga();
        service.reserve(&saga, &order, 40).await;
        let reply = applied(&service.settle(&saga, &order).await);
        assert_eq!((reply.legs[0].state(), reply.owed_minor), (RefundState::Succeeded, 0));

        service.clock.advance(Duration::from_secs(61));
        poll(async || (refunds(&service, &order).await == [refund::State::Reversed]).then_some(())).await;

        assert_eq!(service.account(&order).await.position_minor(), 100);
        assert_eq!(service.count_events("RefundEnded").await, 1);
        assert_eq!(service.count_events("AttentionRaised").await, 1);
        assert_eq!(service.ledger_sums(&order).await, (6, 220, 220), "capture, refund, reversal");
        assert_eq!(applied(&service.settle(&saga, &order).await), reply, "a recorded reply stays");
    }
}

#[tokio::test]
async fn a_notice_is_heard_once() {
    for mut service in on_each_engine("notice").await {
        let _working = service.work();
        let order = captured(&service, "tok_refund_fail_after").await;
        let saga = service.saga();
        service.reserve(&saga, &order, 0).await;
        service.settle(&saga, &order).await;

        service.clock.advance(Duration::from_secs(61));
        poll(async || (refunds(&service, &order).await == [refund::State::Reversed]).then_some(())).await;

        poll(async || service.sandbox.notices("sandbox").await.unwrap().is_empty().then_some(())).await;
    }
}

#[tokio::test]
async fn payments_made_elsewhere_misbehave_by_their_reference() {
    for mut service in on_each_engine("reference").await {
        let _working = service.work();
        let order = service.paid_elsewhere("bank/tok_refund_decline/77", 100).await;
        let saga = service.saga();
        service.reserve(&saga, &order, 0).await;

        let reply = applied(&service.settle(&saga, &order).await);

        assert_eq!((reply.legs[0].state(), reply.owed_minor), (RefundState::Declined, 100));
    }
}

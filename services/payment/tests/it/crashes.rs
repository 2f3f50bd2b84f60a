//! Dying at the worst moments: one refund id makes one effect.

use payment::domain::payment::State;
use payment::domain::refund;
use payment::ops::command::StepAnswer;
use proto::payment::v1::RefundState;
use types::OrderId;

use crate::service::{Service, call_and_forget, on_each_engine, poll};

/// A refund of 60 that is committed as SUBMITTING and was not sent by anybody.
async fn submitted(service: &mut Service, reference: &str) -> (String, OrderId) {
    let order = service.paid_elsewhere(reference, 100).await;
    let saga = service.saga();
    service.reserve(&saga, &order, 40).await;
    service.impatient();
    assert_eq!(service.settle(&saga, &order).await, StepAnswer::Pending);
    let account = service.account(&order).await;
    assert!(account.refunds.values().all(|refund| refund.state == refund::State::Submitting));
    (saga, order)
}

#[tokio::test]
async fn a_crash_before_the_call_is_made_good_by_the_next_process() {
    for mut service in on_each_engine("crash_before").await {
        let (saga, order) = submitted(&mut service, "INV-1").await;

        let _working = service.work_elsewhere();

        let reply = service.settled(&saga, &order).await;
        assert_eq!(reply.legs[0].state(), RefundState::Succeeded);
        assert_eq!(service.effects().await.len(), 1);
    }
}

#[tokio::test]
async fn a_crash_after_the_effect_finds_it_instead_of_making_another() {
    for mut service in on_each_engine("crash_after").await {
        let (saga, order) = submitted(&mut service, "INV-1").await;
        let tasks = service.take_tasks();
        assert!(call_and_forget(&service.sandbox, &tasks[0]).await.is_some());

        let _working = service.work_elsewhere();

        let reply = service.settled(&saga, &order).await;
        assert_eq!(reply.legs[0].state(), RefundState::Succeeded);
        let effects = service.effects().await;
        assert_eq!(effects.len(), 1);
        assert_eq!(effects[0].key, reply.legs[0].refund_id);
    }
}

#[tokio::test]
async fn a_worker_killed_while_the_gateway_hangs_leaves_one_effect() {
    for mut service in on_each_engine("crash_during").await {
        let (saga, order) = submitted(&mut service, "x-tok_refund_timeout").await;
        let working = service.work();
        poll(async || (service.effects().await.len() == 1).then_some(())).await;
        drop(working);

        let _working = service.work_elsewhere();

        let reply = service.settled(&saga, &order).await;
        assert_eq!(reply.legs[0].state(), RefundState::Succeeded);
        assert_eq!(service.effects().await.len(), 1);
        assert_eq!(service.ledger_sums(&order).await, (4, 160, 160));
    }
}

#[tokio::test]
async fn two_workers_on_the_same_refund_make_one_effect_and_one_booking() {
    for mut service in on_each_engine("two_workers").await {
        let (saga, order) = submitted(&mut service, "INV-1").await;
        let one = service.work();

        let other = service.work_elsewhere();

        assert_eq!(service.settled(&saga, &order).await.legs[0].state(), RefundState::Succeeded);
        assert_eq!(service.effects().await.len(), 1);
        assert_eq!(service.ledger_sums(&order).await, (4, 160, 160));
        drop((one, other));
    }
}

#[tokio::test]
async fn a_crash_while_authorising_is_made_good_too() {
    for mut service in on_each_engine("crash_authorise").await {
        service.impatient();
        let saga = service.saga();
        let opening = service.opening(&[("tok_approve", 60), ("tok_approve", 40)]);
        assert_eq!(service.authorise(&saga, &opening).await, StepAnswer::Pending);
        let tasks = service.take_tasks();
        call_and_forget(&service.sandbox, &tasks[0]).await;

        let _working = service.work_elsewhere();

        poll(async || match service.authorise(&saga, &opening).await {
            StepAnswer::Applied(_) => Some(()),
            _ => None,
        })
        .await;
        let account = service.account(&opening.order_id).await;
        assert!(account.payments.values().all(|payment| payment.state == State::Authorised));
        assert_eq!(service.effects().await.len(), 2);
    }
}

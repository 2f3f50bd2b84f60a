//! Refunds that race for the same money, counted in the gateway's own book.

use std::collections::BTreeMap;

use payment::domain::refund::State;
use payment::ops::command::StepAnswer;
use types::{OrderId, Tenant};

use crate::service::{Service, applied, on_each_engine};

/// Orders that are fought over at the same time.
const AT_ONCE: usize = 100;
/// Together 10,000 races.
const ROUNDS: usize = 100;
/// What each order has captured; two changes want all of it.
const CAPTURED: i64 = 100;

/// Reserves everything and sends what it got: how much that was.
async fn cancel(service: &Service, order: &OrderId) -> i64 {
    let saga = service.saga();
    let answer = service.reserve(&saga, order, 0).await;
    let StepAnswer::Applied(_) = &answer else { return 0 };
    let got: i64 = applied(&answer).legs.iter().map(|leg| leg.amount_minor).sum();
    if got > 0 {
        service.settle(&saga, order).await;
    }
    got
}

/// Both sides at once, the first or the second a moment ahead; what each of them got.
async fn fight(sides: [&Service; 2], order: OrderId, ahead: usize) -> [i64; 2] {
    let (first, second) = (sides[ahead], sides[1 - ahead]);
    let (first, second) = futures::future::join(cancel(first, &order), cancel(second, &order)).await;
    if ahead == 0 { [first, second] } else { [second, first] }
}

/// The gateway is asked for what both sides have committed.
async fn carry_out(service: &mut Service) {
    let tasks = service.take_tasks();
    let worker = service.worker();
    let calls = tasks.iter().map(|task| worker.carry_out(&Tenant::DEFAULT, task));
    futures::future::join_all(calls).await;
}

#[tokio::test]
async fn f49_concurrent_refunds_never_exceed_the_capture() {
    for mut service in on_each_engine("f49").await {
        // The other side is another process: they meet at the database's locks and nowhere else.
        let mut other = service.replica();
        service.impatient();
        other.impatient();
        let mut wins = [0_usize; 2];
        for round in 0..ROUNDS {
            let placed = (0..AT_ONCE).map(|number| {
                let reference = format!("INV-{round}-{number}");
                let service = &service;
                async move { service.paid_elsewhere(&reference, CAPTURED).await }
            });
            let orders = futures::future::join_all(placed).await;
            let fights = orders
                .into_iter()
                .enumerate()
                .map(|(number, order)| fight([&service, &other], order, (number + round) % 2));
            for got in futures::future::join_all(fights).await {
                assert_eq!(got.iter().sum::<i64>(), CAPTURED, "exactly one side takes it all: {got:?}");
                for (won, got) in wins.iter_mut().zip(got) {
                    *won += usize::from(got > 0);
                }
            }
            carry_out(&mut service).await;
            carry_out(&mut other).await;
        }
        let races = ROUNDS * AT_ONCE;
        assert_eq!(wins.iter().sum::<usize>(), races);
        assert!(wins.iter().all(|won| won * 20 >= races), "each side wins at least 5 %: {wins:?}");
        assert_the_gateway_agrees(&service, races).await;
        println!("{races} races on {:?}: {wins:?}", service.database.engine());
    }
}

/// The sum of what left, by the gateway's ledger.
async fn assert_the_gateway_agrees(service: &Service, races: usize) {
    let mut given_back: BTreeMap<OrderId, i64> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let page = service.sandbox.effects(&Tenant::DEFAULT, &after, 1_000).await.unwrap();
        let Some(last) = page.last() else { break };
        after.clone_from(&last.key);
        for effect in page {
            *given_back.entry(effect.order_id).or_default() += effect.amount_minor;
        }
    }
    assert_eq!(given_back.len(), races);
    let over = given_back.iter().find(|(_, amount)| **amount > CAPTURED);
    assert_eq!(over, None, "more left than was taken");
}

#[tokio::test]
async fn f49_one_of_64_parallel_refunds_gets_the_money() {
    for service in on_each_engine("f49_64").await {
        let order = service.paid_elsewhere("INV-1", 100).await;
        let sagas: Vec<String> = (0..64).map(|_| service.saga()).collect();
        let asked = sagas.iter().map(|saga| service.reserve(saga, &order, 40));

        let answers = futures::future::join_all(asked).await;

        let legs: Vec<i64> = answers
            .iter()
            .flat_map(|answer| applied(answer).legs.into_iter().map(|leg| leg.amount_minor))
            .collect();
        assert_eq!(legs, [60]);
        let account = service.account(&order).await;
        assert_eq!(account.refunds.values().filter(|refund| refund.state == State::Reserved).count(), 1);
    }
}

/// Captured or not when the change's money is sent, the sum is right: decided in the payment's own commit.
#[tokio::test]
async fn f56_a_capture_that_races_the_cancellation_is_refunded_or_voided() {
    for mut service in on_each_engine("f56").await {
        let _working = service.work();
        let (mut voided, mut refunded) = (0, 0);
        for round in 0..40 {
            let (place, cancel) = (service.saga(), service.saga());
            let opening = service.opening(&[("tok_approve", 100)]);
            let order = opening.order_id.clone();
            applied(&service.authorise(&place, &opening).await);
            let capture = service.capture(&place, &order);
            let reserve = service.reserve(&cancel, &order, 0);
            let reserved = if round % 2 == 0 {
                futures::future::join(capture, reserve).await.1
            } else {
                futures::future::join(reserve, capture).await.0
            };
            applied(&reserved);

            service.settled(&cancel, &order).await;

            let account = service.account(&order).await;
            let payment = account.payments.values().next().unwrap();
            assert_eq!(account.position_minor(), 0);
            assert_eq!(payment.captured_minor + payment.voided_minor, 100);
            voided += i32::from(payment.voided_minor == 100);
            refunded += i32::from(payment.captured_minor == 100);
        }
        assert!(voided > 0 && refunded > 0, "both ends must be seen: {voided} voided, {refunded} refunded");
    }
}

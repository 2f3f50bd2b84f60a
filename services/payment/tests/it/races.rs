//! Refunds that race for the same money, counted in the gateway's own book.

use std::collections::BTreeMap;
use std::time::Duration;

use payment::domain::gateway::Answer;
use payment::domain::refund::State;
use payment::domain::split::{Named, Strategy};
use payment::domain::{ExternalPayment, Terms};
use payment::ops::command::{Deed, Mending, StepAnswer};
use payment::ops::observer::Look;
use payment::ports::sandbox::Outcome;
use storage::Direction;
use types::{ChangeOrderId, OrderId, PaymentId, RefundId, Tenant};

use crate::service::{Service, applied, next_worth, on_each_engine, poll};

/// Orders that are fought over at the same time.
const AT_ONCE: usize = 100;
/// Together 10,000 races.
const ROUNDS: usize = 100;
/// What each contested capture holds; both sides want all of it.
const CAPTURED: i64 = 100;

/// A capture that two sides want.
struct Contested {
    order: OrderId,
    /// By name, where the order has other tenders too.
    payment: Option<PaymentId>,
    /// An operator wants to try it again on the contested capture.
    failed: Option<RefundId>,
}

/// A change reserves everything and sends what it got: how much that was.
async fn cancel(service: &Service, contested: &Contested) -> i64 {
    let saga = service.saga();
    let strategy = match &contested.payment {
        None => Strategy::Lifo,
        Some(payment_id) => {
            Strategy::Explicit(vec![Named { payment_id: payment_id.clone(), amount_minor: CAPTURED }])
        }
    };
    let answer = service.reserve_by(&saga, &contested.order, 0, strategy).await;
    let StepAnswer::Applied(_) = &answer else { return 0 };
    let got: i64 = applied(&answer).legs.iter().map(|leg| leg.amount_minor).sum();
    if got > 0 {
        service.settle(&saga, &contested.order).await;
    }
    got
}

/// An operator tries a refund again that had failed on another tender; without one, another change is made.
async fn give_again(service: &Service, contested: &Contested) -> i64 {
    let (Some(failed), Some(payment)) = (&contested.failed, &contested.payment) else {
        return cancel(service, contested).await;
    };
    let how = Mending::Retry { refund_id: failed.clone(), payment_id: Some(payment.clone()) };
    match service.mend(&contested.order, &service.saga(), how).await {
        Ok(_) => CAPTURED,
        Err(_) => 0,
    }
}

/// Both sides at once, the first or the second a moment ahead; what each of them got.
async fn fight(sides: [&Service; 2], contested: Contested, ahead: usize) -> [i64; 2] {
    let (one, other) = (cancel(sides[0], &contested), give_again(sides[1], &contested));
    if ahead == 0 {
        <[i64; 2]>::from(futures::future::join(one, other).await)
    } else {
        let (other, one) = futures::future::join(other, one).await;
        [one, other]
    }
}

/// The gateway is asked for what has been committed.
async fn carry_out(service: &mut Service) {
    let tasks = service.take_tasks();
    let worker = service.worker();
    let calls = tasks.iter().map(|task| worker.carry_out(&Tenant::DEFAULT, task));
    futures::future::join_all(calls).await;
}

impl Service {
    async fn reserve_by(
        &self,
        saga: &str,
        order: &OrderId,
        target_minor: i64,
        strategy: Strategy,
    ) -> StepAnswer {
        let deed = Deed::ReserveRefund {
            change_order_id: self.ids.mint::<ChangeOrderId>(),
            target_minor,
            move_no_money: false,
            worth_version: next_worth(),
            terms: Terms { strategy, ..Terms::default() },
        };
        self.step(saga, "reserve_refund", Direction::Do, order, deed).await
    }

    /// One capture that changes of two processes want.
    async fn wanted_twice(&self, reference: &str) -> Contested {
        let order = self.paid_elsewhere(reference, CAPTURED).await;
        Contested { order, payment: None, failed: None }
    }

    /// The first of two captures is on a card that refuses; giving it back was tried and has failed once the gateway
    /// was called. The other one is what a change and an operator want.
    async fn wanted_by_an_operator(&self, reference: &str) -> Contested {
        let mut opening = self.opening(&[]);
        opening.total_minor = 2 * CAPTURED;
        for reference in [format!("{reference}/tok_refund_decline"), reference.to_owned()] {
            opening.external_payments.push(ExternalPayment {
                payment_id: self.ids.mint::<PaymentId>(),
                gateway: "bank".to_owned(),
                reference,
                authorised_minor: CAPTURED,
                captured_minor: CAPTURED,
                attested: true,
            });
        }
        let order = opening.order_id.clone();
        let [refusing, contested] = [0, 1].map(|place| opening.external_payments[place].payment_id.clone());
        let placing = self.saga();
        applied(&self.authorise(&placing, &opening).await);
        for paid in &opening.external_payments {
            self.shown(&placing, &order, &paid.payment_id, &paid.reference, CAPTURED).await;
        }
        let saga = self.saga();
        let first = Strategy::Explicit(vec![Named { payment_id: refusing, amount_minor: CAPTURED }]);
        let reserved = applied(&self.reserve_by(&saga, &order, CAPTURED, first).await);
        self.settle(&saga, &order).await;
        let failed = RefundId::parse(&reserved.legs[0].refund_id).unwrap();
        Contested { order, payment: Some(contested), failed: Some(failed) }
    }

    /// The contested captures of a round: of two changes in the even ones, of a change and an operator in the odd.
    async fn contested(&mut self, round: usize) -> Vec<Contested> {
        let service = &*self;
        let placed = (0..AT_ONCE).map(|number| async move {
            let reference = format!("INV-{round}-{number}");
            if round.is_multiple_of(2) {
                service.wanted_twice(&reference).await
            } else {
                service.wanted_by_an_operator(&reference).await
            }
        });
        let contested = futures::future::join_all(placed).await;
        carry_out(self).await;
        contested
    }
}

#[tokio::test]
async fn f49_concurrent_refunds_never_exceed_the_capture() {
    for mut service in on_each_engine("f49").await {
        // The other side is another process: they meet at the database's locks and nowhere else.
        let mut other = service.replica();
        service.impatient();
        other.impatient();
        // By what the second side is: another change, an operator.
        let mut wins = [[0_usize; 2]; 2];
        for round in 0..ROUNDS {
            let contested = service.contested(round).await;
            let fights = contested.into_iter().enumerate().map(|(number, contested)| {
                // Which process the sides are in changes from order to order, because a process commits many at once.
                let sides = if number % 2 == 0 { [&service, &other] } else { [&other, &service] };
                fight(sides, contested, (number / 2 + round / 2) % 2)
            });
            for got in futures::future::join_all(fights).await {
                assert_eq!(got.iter().sum::<i64>(), CAPTURED, "exactly one side takes it all: {got:?}");
                for (won, got) in wins[round % 2].iter_mut().zip(got) {
                    *won += usize::from(got > 0);
                }
            }
            carry_out(&mut service).await;
            carry_out(&mut other).await;
        }
        let races = ROUNDS * AT_ONCE;
        assert_eq!(wins.iter().flatten().sum::<usize>(), races);
        for wins in wins {
            let all: usize = wins.iter().sum();
            assert!(wins.iter().all(|won| won * 20 >= all), "each side wins at least 5 %: {wins:?}");
        }
        assert_the_gateway_agrees(&service, races).await;
        println!("{races} races on {:?}: {wins:?}", service.database.engine());
    }
}

/// The sum of what left, by the gateway's ledger: each contested capture once, and nothing of any other.
async fn assert_the_gateway_agrees(service: &Service, races: usize) {
    let mut given_back: BTreeMap<PaymentId, i64> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let page = service.sandbox.effects(&Tenant::DEFAULT, &after, 1_000).await.unwrap();
        let Some(last) = page.last() else { break };
        after.clone_from(&last.key);
        for effect in page.into_iter().filter(|effect| effect.outcome == Outcome::Applied) {
            *given_back.entry(effect.payment_id).or_default() += effect.amount_minor;
        }
    }
    assert_eq!(given_back.len(), races);
    let over = given_back.iter().find(|(_, amount)| **amount > CAPTURED);
    assert_eq!(over, None, "more left than was taken");
}

/// Where the gateway keeps a cap of its own, somebody at its dashboard may be faster than we: what we sent is declined, what
/// was given there is found, and together it is never more than was taken.
#[tokio::test]
async fn f49_our_refund_and_one_at_the_dashboard_are_never_more_than_the_capture() {
    for mut service in on_each_engine("f49_side").await {
        service.impatient();
        let (mut ours, mut theirs) = (0_usize, 0_usize);
        for round in 0..SIDE_ROUNDS {
            let paid = service.captured_with_a_cap().await;
            let sent = paid.iter().map(|(order, _)| async {
                let saga = service.saga();
                applied(&service.reserve(&saga, order, 0).await);
                service.settle(&saga, order).await;
            });
            futures::future::join_all(sent).await;
            let tasks = service.take_tasks();
            let worker = service.worker();
            let calls = tasks.iter().enumerate().map(|(number, task)| {
                let (worker, sandbox) = (&worker, &service.sandbox);
                async move {
                    let reference = format!("re_{}", task.payment_id);
                    let payment = &task.payment_id;
                    let side = sandbox.refund_at_dashboard_if_left(&Tenant::DEFAULT, payment, &reference, 60);
                    let call = worker.carry_out(&Tenant::DEFAULT, task);
                    // Half of them meet at a moment of chance; of the rest each side comes first in turn.
                    match number % 4 {
                        0 => {
                            let side = side.await;
                            call.await;
                            side
                        }
                        1 => {
                            call.await;
                            side.await
                        }
                        _ => {
                            let late = async {
                                let spread = Duration::from_millis(((number * 13 + round) % 100) as u64);
                                tokio::time::sleep(spread).await;
                                side.await
                            };
                            futures::future::join(call, late).await.1
                        }
                    }
                }
            });
            for side in futures::future::join_all(calls).await {
                theirs += usize::from(side.unwrap());
            }
            // A call that was not answered in time is resolved by the first look, and makes room for the second.
            let looks = paid.iter().map(async |(order, payment)| {
                poll(async || {
                    let look = service.observer().look(&Tenant::DEFAULT, order, payment).await;
                    matches!(look, Ok(Look::Done { .. })).then_some(())
                })
                .await;
            });
            futures::future::join_all(looks).await;
            for (order, payment) in &paid {
                ours += usize::from(service.is_given_back(order, payment).await);
            }
        }
        let races = SIDE_ROUNDS * AT_ONCE;
        assert_eq!(ours + theirs, races, "one side wins each");
        assert!(ours * 20 >= races && theirs * 20 >= races, "ours {ours}, theirs {theirs}");
        println!("{races} races on {:?}: ours {ours}, at the dashboard {theirs}", service.database.engine());
    }
}

/// Races against the gateway's dashboard, in rounds.
const SIDE_ROUNDS: usize = 10;

impl Service {
    /// Orders whose payments are captured at a gateway with a cap of its own.
    async fn captured_with_a_cap(&mut self) -> Vec<(OrderId, PaymentId)> {
        let openings: Vec<_> =
            (0..AT_ONCE).map(|_| self.opening(&[("tok_refund_capped", CAPTURED)])).collect();
        let sagas: Vec<_> = openings.iter().map(|_| self.saga()).collect();
        let asked = sagas.iter().zip(&openings).map(|(saga, opening)| self.authorise(saga, opening));
        futures::future::join_all(asked).await;
        carry_out(self).await;
        let asked = sagas.iter().zip(&openings).map(|(saga, opening)| self.capture(saga, &opening.order_id));
        futures::future::join_all(asked).await;
        carry_out(self).await;
        openings
            .into_iter()
            .map(|opening| (opening.order_id, opening.tenders[0].payment_id.clone()))
            .collect()
    }

    /// Whether we gave the money back; else somebody at the dashboard did. Either way the gateway's book says the same
    /// as ours, and no more than was captured.
    async fn is_given_back(&self, order: &OrderId, payment: &PaymentId) -> bool {
        let account = self.account(order).await;
        let mut states: Vec<(State, i64)> =
            account.refunds.values().map(|refund| (refund.state, refund.amount_minor)).collect();
        states.sort();
        let task = account.payment_task(payment).unwrap();
        let statement = self.sandbox.statement(&Tenant::DEFAULT, &task).await.unwrap();
        let given = statement.refunds.iter().filter(|found| matches!(found.answer, Answer::Done { .. }));
        let given: i64 = given.map(|found| found.amount_minor).sum();
        assert!(given <= statement.captured_minor, "{statement:?}");
        assert_eq!(account.captured_minor() - account.position_minor(), given, "{states:?}");
        match states.as_slice() {
            [(State::Succeeded, CAPTURED)] => true,
            [(State::Declined, CAPTURED), (State::External, 60)] => false,
            other => panic!("no end of such a race: {other:?}"),
        }
    }
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

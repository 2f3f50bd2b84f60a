//! A payment that several orders share: what becomes of one order's part never touches another's.

use payment::domain::Opening;
use payment::domain::gateway::Effect;
use payment::domain::payment::State;
use payment::domain::refund;
use payment::domain::shared::{GATEWAY, SharedPayment};
use payment::ops::command::StepAnswer;
use payment::ops::observer::Look;
use payment::store::shared_payment;
use types::{Currency, PaymentId, Reason, Tenant};

use crate::service::{Service, applied, on_each_engine, reason};

impl Service {
    async fn share(&self, authorised_minor: i64, captured: bool) -> SharedPayment {
        let shared = SharedPayment {
            shared_payment_id: self.ids.mint(),
            gateway: "sandbox".to_owned(),
            gateway_reference: format!("checkout-{}", self.ids.mint::<PaymentId>()),
            currency: Currency::parse("GBP").unwrap(),
            authorised_minor,
            captured,
            allotted_minor: 0,
            captured_minor: 0,
            voided_minor: 0,
            refunded_minor: 0,
            created_at: self.clock.now(),
        };
        let mut tx = self.database.begin().await.unwrap();
        let kept = shared_payment::record(&mut tx, &Tenant::DEFAULT, &shared).await.unwrap();
        assert_eq!(shared_payment::record(&mut tx, &Tenant::DEFAULT, &shared).await.unwrap(), kept, "once");
        tx.commit().await.unwrap();
        kept
    }

    /// An order that holds a part; it is not placed yet.
    fn part_of(&self, shared: &SharedPayment, amount_minor: i64) -> Opening {
        let mut opening = self.opening(&[(shared.shared_payment_id.as_str(), amount_minor)]);
        GATEWAY.clone_into(&mut opening.tenders[0].gateway);
        opening
    }

    /// Allotted, captured, voided, refunded.
    async fn sums(&self, shared: &SharedPayment) -> [i64; 4] {
        let mut tx = self.database.read().await.unwrap();
        let found = shared_payment::find(&mut tx, &Tenant::DEFAULT, &shared.shared_payment_id).await.unwrap();
        let found = found.unwrap();
        [found.allotted_minor, found.captured_minor, found.voided_minor, found.refunded_minor]
    }

    /// What the gateway was asked for, without its own authorisations.
    async fn asked(&self) -> Vec<(Effect, i64)> {
        self.effects().await.into_iter().map(|effect| (effect.kind, effect.amount_minor)).collect()
    }
}

#[tokio::test]
async fn p38_cancelling_one_order_gives_back_its_own_part_and_never_a_siblings() {
    for mut service in on_each_engine("p38").await {
        let _working = service.work();
        let shared = service.share(100, false).await;
        let (one, other) = (service.part_of(&shared, 40), service.part_of(&shared, 60));
        let place = [service.saga(), service.saga()];
        applied(&service.authorise(&place[0], &one).await);
        applied(&service.authorise(&place[1], &other).await);
        assert_eq!(service.sums(&shared).await, [100, 0, 0, 0]);
        assert_eq!(service.asked().await, [], "the checkout has authorised it");

        let cancel = service.saga();
        applied(&service.reserve(&cancel, &one.order_id, 0).await);
        applied(&service.settle(&cancel, &one.order_id).await);

        assert_eq!(service.asked().await, [(Effect::Lower, 40)], "lowered by its own part, and not voided");
        assert_eq!(service.sums(&shared).await, [100, 0, 40, 0]);
        applied(&service.capture(&place[1], &other.order_id).await);
        let account = service.account(&other.order_id).await;
        assert_eq!(
            account.payments.values().map(|payment| payment.state).collect::<Vec<_>>(),
            [State::Captured]
        );
        assert_eq!(service.sums(&shared).await, [100, 60, 40, 0]);

        let cancel = service.saga();
        applied(&service.reserve(&cancel, &other.order_id, 10).await);
        applied(&service.settle(&cancel, &other.order_id).await);
        assert_eq!(service.sums(&shared).await, [100, 60, 40, 50]);
        assert_eq!(service.ledger_sums(&other.order_id).await, (4, 110, 110), "captured 60, back 50");
        assert_eq!(service.ledger_sums(&one.order_id).await, (0, 0, 0), "no money moved");
    }
}

#[tokio::test]
async fn p38_all_parts_together_are_never_more_than_was_authorised() {
    for service in on_each_engine("p38_parts").await {
        let other_process = service.replica();
        let shared = service.share(100, true).await;
        let openings: Vec<_> = (0..20).map(|_| service.part_of(&shared, 30)).collect();
        let placed = openings.iter().enumerate().map(async |(number, opening)| {
            let replica = if number % 2 == 0 { &service } else { &other_process };
            replica.authorise(&replica.saga(), opening).await
        });

        let answers = futures::future::join_all(placed).await;

        let taken = answers.iter().filter(|answer| matches!(answer, StepAnswer::Applied(_))).count();
        assert_eq!(taken, 3);
        let refused = answers.iter().filter(|answer| !matches!(answer, StepAnswer::Applied(_)));
        assert!(refused.map(reason).all(|reason| reason == Reason::ExceedsAuthorised));
        assert_eq!(service.sums(&shared).await, [90, 90, 0, 0]);
        let stranger = service.part_of(&SharedPayment { shared_payment_id: service.ids.mint(), ..shared }, 1);
        assert_eq!(reason(&service.authorise(&service.saga(), &stranger).await), Reason::ResourceNotFound);
    }
}

#[tokio::test]
async fn p38_a_part_in_mid_capture_is_passed_over_and_reported_until_it_has_ended() {
    for mut service in on_each_engine("p38_mid").await {
        service.impatient();
        let shared = service.share(100, false).await;
        let opening = service.part_of(&shared, 40);
        let order = &opening.order_id;
        let (place, cancel) = (service.saga(), service.saga());
        applied(&service.authorise(&place, &opening).await);
        assert_eq!(service.capture(&place, order).await, StepAnswer::Pending);

        applied(&service.reserve(&cancel, order, 0).await);
        assert_eq!(service.settle(&cancel, order).await, StepAnswer::Pending);

        let states = service.account(order).await.refunds.into_values().map(|refund| refund.state);
        assert_eq!(states.collect::<Vec<_>>(), [refund::State::AwaitingCapture], "nothing was asked for");
        assert_eq!(service.count_events("AttentionRaised").await, 1);
        let worker = service.worker();
        for _ in 0..2 {
            for task in service.take_tasks() {
                worker.carry_out(&Tenant::DEFAULT, &task).await;
            }
        }
        service.settled(&cancel, order).await;
        assert_eq!(service.asked().await.len(), 2, "captured, and then given back");
        assert_eq!(service.count_events("AttentionCleared").await, 1);
        assert_eq!(service.sums(&shared).await, [40, 40, 0, 40]);
    }
}

#[tokio::test]
async fn p38_a_look_at_one_part_takes_nothing_of_a_siblings_for_its_own() {
    for mut service in on_each_engine("p38_look").await {
        let _working = service.work();
        let shared = service.share(100, true).await;
        let (one, other) = (service.part_of(&shared, 40), service.part_of(&shared, 60));
        for opening in [&one, &other] {
            applied(&service.authorise(&service.saga(), opening).await);
        }
        let payment = &other.tenders[0].payment_id;
        service.sandbox.refund_at_dashboard(&Tenant::DEFAULT, payment, "re_1", 10).await.unwrap();

        assert_eq!(service.look(&other.order_id, payment).await, Look::Done { changed: true });

        let found = service.account(&other.order_id).await.refunds.into_values().map(|refund| refund.state);
        assert_eq!(found.collect::<Vec<_>>(), [refund::State::External]);
        // The gateway tells the same of the whole payment, whichever part it is asked about.
        let sibling = &one.tenders[0].payment_id;
        service.sandbox.refund_at_dashboard(&Tenant::DEFAULT, sibling, "re_2", 10).await.unwrap();
        let mut tx = service.database.read().await.unwrap();
        let asked = [((Tenant::DEFAULT, sibling.clone()), shared.shared_payment_id.clone())].into();
        let siblings = shared_payment::siblings(&mut tx, &asked).await.unwrap();
        let siblings = siblings.into_values().next().unwrap();
        tx.rollback().await;
        assert_eq!(siblings.captured_minor, 60);
        assert!(siblings.references.contains("re_1") && !siblings.references.contains("re_2"));
        assert_eq!(service.sums(&shared).await, [100, 100, 0, 10]);
    }
}

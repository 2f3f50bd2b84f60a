//! Two processes on one database: they meet at its locks and nowhere else.

use payment::domain::refund;
use proto::payment::v1::RefundState;

use crate::service::{applied, on_each_engine, poll};

#[tokio::test]
async fn of_64_reservations_over_two_replicas_exactly_one_gets_the_money() {
    for service in on_each_engine("replicas").await {
        let other = service.replica();
        let order = service.paid_elsewhere("INV-1", 100).await;
        let sagas: Vec<_> = (0..64).map(|_| service.saga()).collect();
        let reservations = sagas.iter().enumerate().map(|(number, saga)| {
            let replica = if number.is_multiple_of(2) { &service } else { &other };
            replica.reserve(saga, &order, 40)
        });

        let answers = futures::future::join_all(reservations).await;

        let reserved: Vec<i64> =
            answers.iter().flat_map(|answer| applied(answer).legs).map(|leg| leg.amount_minor).collect();
        assert_eq!(reserved, [60]);
        assert_eq!(service.account(&order).await.position_minor(), 40);
    }
}

#[tokio::test]
async fn the_same_step_sent_to_two_replicas_has_one_effect() {
    for mut service in on_each_engine("replicas_same").await {
        let mut other = service.replica();
        let (_one, _two) = (service.work(), other.work());
        let order = service.paid_elsewhere("INV-1", 100).await;
        let saga = service.saga();
        service.reserve(&saga, &order, 40).await;
        // The answer comes to the replica that called the gateway; the other one's caller asks again.
        service.impatient();
        other.impatient();

        futures::future::join(service.settle(&saga, &order), other.settle(&saga, &order)).await;

        assert_eq!(service.settled(&saga, &order).await.legs[0].state(), RefundState::Succeeded);
        assert_eq!(service.effects().await.len(), 1);
        assert_eq!(service.ledger_sums(&order).await, (4, 160, 160));
    }
}

#[tokio::test]
async fn many_orders_settle_on_two_replicas_without_standing_in_each_others_way() {
    for mut service in on_each_engine("replicas_many").await {
        let mut other = service.replica();
        let (_one, _two) = (service.work(), other.work());
        let (service, other) = (&service, &other);
        let cancel = async |number: usize| {
            // Each step of a saga may go to another replica.
            let (first, second) = if number.is_multiple_of(2) { (service, other) } else { (other, service) };
            let order = first.paid_elsewhere(&format!("INV-{number}"), 100).await;
            let saga = first.saga();
            second.reserve(&saga, &order, 0).await;
            applied(&first.settle(&saga, &order).await);
            order
        };

        let orders = futures::future::join_all((0..60).map(cancel)).await;

        assert_eq!(service.effects().await.len(), 60);
        for order in &orders {
            poll(async || {
                let account = service.account(order).await;
                let over = |refund: &payment::domain::Refund| refund.state == refund::State::Succeeded;
                account.refunds.values().all(over).then_some(())
            })
            .await;
        }
    }
}

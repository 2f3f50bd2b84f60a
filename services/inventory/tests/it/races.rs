//! Things that happen at the same time: somebody wins, somebody is told why not, and the books balance.

use futures::future::join_all;
use inventory::ops::{Inventory, StepAnswer};
use types::{Clock, Reason};

use crate::world::{World, worlds};

/// The same database behind a second process, as replicas are.
fn replica(world: &World) -> Inventory {
    Inventory::start(world.database.clone(), Clock::System, world.ids.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hot_article_is_never_oversold() {
    for world in worlds("race_hot").await {
        world.receive("main", "apple", 20).await;
        let other = replica(&world);
        let orders: Vec<_> = (0..32).map(|_| world.placing(&[("apple", 1)]).1).collect();

        let reservations = orders.iter().enumerate().map(|(index, command)| {
            let inventory = if index % 2 == 0 { &world.inventory } else { &other };
            inventory.step(command.clone())
        });
        let answers = join_all(reservations).await;

        let refusals: Vec<_> = answers
            .into_iter()
            .filter_map(|answer| match answer.unwrap() {
                StepAnswer::Applied(_) | StepAnswer::Pending => None,
                StepAnswer::Refused(refusal) => Some(refusal.reason),
            })
            .collect();
        assert_eq!(refusals, [Reason::InsufficientStock; 12]);
        assert_eq!(world.stock("main", "apple").await, (20, 20));
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cancellation_and_a_shipment_never_both_win() {
    for world in worlds("race_ship").await {
        world.receive("main", "apple", 400).await;
        let other = replica(&world);
        let (mut cancelled, mut shipped) = (0, 0);
        // Both outcomes are wanted, so each side gets its chance to be first.
        for round in 0..40 {
            let order = world.placed(&[("apple", 2)]).await;
            let created = world.create_fulfilment(&order, Vec::new()).await.unwrap();
            let saga = world.saga();
            let cancel = other.step(order.hold(&saga, &[2]));
            let ship = world.ship(&created.id, Vec::new());
            let (held, left) = match round % 3 {
                0 => tokio::join!(cancel, ship),
                1 => {
                    let (left, held) = tokio::join!(ship, cancel);
                    (held, left)
                }
                _ => {
                    let left = ship.await;
                    (cancel.await, left)
                }
            };
            match (held.unwrap(), left) {
                (StepAnswer::Applied(_), Err(refusal)) => {
                    assert_eq!(refusal.reason, Reason::CancelHold);
                    cancelled += 1;
                }
                (StepAnswer::Refused(refusal), Ok(_)) => {
                    assert_eq!(refusal.reason, Reason::ShippedFirst);
                    shipped += 1;
                }
                both => panic!("{both:?}"),
            }
        }
        assert!(cancelled > 0 && shipped > 0, "{cancelled} cancelled and {shipped} shipped");
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_step_sent_by_two_at_once_is_done_once() {
    for world in worlds("race_twins").await {
        world.receive("main", "apple", 100).await;
        let other = replica(&world);
        for _ in 0..10 {
            let (order, reserve) = world.placing(&[("apple", 2), ("apple", 1)]);
            let twins = [&world.inventory, &other, &world.inventory, &other];
            let answers = join_all(twins.map(|inventory| inventory.step(reserve.clone()))).await;
            for answer in &answers {
                assert_eq!(answer, &answers[0]);
            }
            let (put_back, hold) = (order.unreserve(), order.hold("chg", &[1, 0]));
            let (undone, answer) = tokio::join!(world.inventory.step(put_back), other.step(hold));
            crate::world::applied(undone.unwrap());
            drop(answer.unwrap());
        }
        assert_eq!(world.stock("main", "apple").await, (100, 0));
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_orders_of_many_articles_never_lock_each_other_out() {
    for world in worlds("race_mixed").await {
        let articles = ["apple", "pear", "fig", "plum"];
        for article in articles {
            world.receive("main", article, 1_000).await;
        }
        let other = replica(&world);
        let work = (0..60).map(|index| {
            let (world, other) = (&world, &other);
            async move {
                let lines: Vec<_> = (0..4).map(|line| (articles[(index + line) % 4], 2)).collect();
                let (order, reserve) = world.placing(&lines);
                let inventory = if index % 2 == 0 { &world.inventory } else { other };
                crate::world::applied(inventory.step(reserve).await.unwrap());
                let saga = world.saga();
                crate::world::applied(other.step(order.hold(&saga, &[1, 2, 1, 2])).await.unwrap());
                crate::world::applied(world.inventory.step(order.release(&saga)).await.unwrap());
            }
        });
        join_all(work).await;

        for article in articles {
            assert_eq!(world.stock("main", article).await, (1_000, 30), "{article}");
        }
        world.check().await;
    }
}

//! The time of a timeline: whatever the clocks of the replicas say, it never goes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::future::join_all;
use order::domain::conversation::NewMessage;
use order::domain::history::Visibility;
use order::ops::use_cases::AddNote;
use storage::{Database, testing};
use types::{Clock, OrderId, Timestamp};

use crate::samples::{caller, request_id};
use crate::world::World;

const HOUR_MICROS: i64 = 3_600_000_000;

fn noon() -> Timestamp {
    Timestamp::parse("2026-11-30T12:00:00.000000Z").unwrap()
}

async fn note(world: &World, name: &str, order_id: &OrderId) {
    let new = NewMessage::about(order_id, Visibility::Internal, name);
    world.orders.ask(&caller(), request_id(name), AddNote(new)).await.unwrap();
}

async fn instants(world: &World, order_id: &OrderId) -> Vec<Timestamp> {
    let entries = world.orders.timeline(&caller(), order_id, 0, 500).await.unwrap();
    entries.into_iter().map(|recorded| recorded.entry.at).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_sets_no_timeline_back() {
    for database in testing::databases("clock_set_back").await {
        let hand = Arc::new(AtomicI64::new(noon().unix_micros()));
        let world = World::start_at(database, Clock::Manual(Arc::clone(&hand))).await;
        let order = world.placed("placed at noon").await;

        hand.fetch_sub(HOUR_MICROS, Ordering::SeqCst);
        note(&world, "noted at eleven", &order.order_id).await;

        let told = instants(&world, &order.order_id).await;
        assert!(told.is_sorted(), "{told:?}");
        assert_eq!(told.last(), Some(&noon()), "what stands is the least");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_whose_clocks_differ_tell_one_time() {
    let Some(config) = testing::postgres("clocks_differ").await else { return };
    let hands = [noon().unix_micros(), noon().unix_micros() - HOUR_MICROS];
    let clocks = hands.map(|hand| Clock::Manual(Arc::new(AtomicI64::new(hand))));
    let [early, late] = clocks;
    let first = World::start_at(Database::open(&config).await.unwrap(), early).await;
    let second = World::start_at(Database::open(&config).await.unwrap(), late).await;
    let order = first.placed("placed").await;

    join_all((0..40).map(async |nth| {
        let world = if nth % 2 == 0 { &first } else { &second };
        note(world, &format!("note {nth}"), &order.order_id).await;
    }))
    .await;

    let told = instants(&second, &order.order_id).await;
    assert!(told.is_sorted() && told.len() >= 40, "{told:?}");
}

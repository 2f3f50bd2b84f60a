//! Delivering what is enqueued: once, and once more after a crash. On both engines.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use notification::ops::{Courier, Turn};
use notification::store::notifications::Owned;
use storage::testing;
use types::{NotificationId, Tenant};

use crate::events::World;

const A_CLAIM: Duration = Duration::from_secs(31);

/// What a channel was handed, in order.
#[derive(Default)]
struct Lines(RefCell<Vec<NotificationId>>);

impl Lines {
    fn take(&self, owned: &Owned) {
        self.0.borrow_mut().push(owned.notification.notification_id.clone());
    }

    fn count(&self) -> usize {
        self.0.borrow().len()
    }

    fn distinct(&self) -> usize {
        self.0.borrow().iter().collect::<BTreeSet<_>>().len()
    }
}

/// Orders that were placed: each enqueues two lines.
async fn place(world: &World, orders: usize) {
    for _ in 0..orders {
        let order = world.ids.mint();
        world.deliver(&[&world.placed(&order, 1)]).await;
    }
}

async fn enqueued(world: &World) -> usize {
    world.told(&Tenant::DEFAULT).await.iter().filter(|row| row.ends_with(" enqueued")).count()
}

/// The process that took the events in has died before it wrote them.
fn die(world: &World) {
    testing::advance_clock(&world.database, A_CLAIM);
}

#[tokio::test]
async fn what_was_taken_in_is_handed_over_written_once_and_marked() {
    for mut world in World::each("handed").await {
        place(&world, 3).await;
        let lines = Lines::default();
        let mut courier = Courier::new(world.database.clone(), world.clock.clone(), &world.handing);
        let mut commits = Vec::new();
        while let Ok(told) = world.handed.try_recv() {
            commits.push(told);
        }

        let written = courier.write_handed(&mut commits, &|owned: &Owned| lines.take(owned)).await;
        die(&world);
        let polled = world.courier().turn(&|owned: &Owned| lines.take(owned)).await;

        assert_eq!((written, polled), (Ok(Turn::Delivered(6)), Ok(Turn::Idle)));
        assert!(lines.0.borrow().is_sorted());
        assert_eq!((lines.count(), lines.distinct()), (6, 6));
        assert_eq!(enqueued(&world).await, 0);
    }
}

#[tokio::test]
async fn what_a_dead_process_took_in_is_written_when_its_claim_has_run_out() {
    for world in World::each("delivered").await {
        place(&world, 3).await;
        let lines = Lines::default();
        let mut courier = world.courier();

        assert_eq!(courier.turn(&|owned: &Owned| lines.take(owned)).await, Ok(Turn::Idle));
        die(&world);
        assert_eq!(courier.turn(&|owned: &Owned| lines.take(owned)).await, Ok(Turn::Delivered(6)));
        assert_eq!(courier.turn(&|owned: &Owned| lines.take(owned)).await, Ok(Turn::Idle));

        assert!(lines.0.borrow().is_sorted());
        assert_eq!((lines.count(), lines.distinct()), (6, 6));
        assert_eq!(enqueued(&world).await, 0);
    }
}

#[tokio::test]
async fn a_batch_is_bounded() {
    for world in World::each("bounded").await {
        place(&world, 101).await;
        die(&world);
        let mut courier = world.courier();

        assert_eq!(courier.turn(&|_: &Owned| {}).await, Ok(Turn::Delivered(200)));
        assert_eq!(courier.turn(&|_: &Owned| {}).await, Ok(Turn::Delivered(2)));
        assert_eq!(courier.turn(&|_: &Owned| {}).await, Ok(Turn::Idle));
    }
}

#[tokio::test]
async fn a_crash_before_the_mark_repeats_the_lines_once() {
    for mut world in World::each("crash").await {
        place(&world, 2).await;
        let lines = Lines::default();

        // The process dies after its courier has written the lines.
        while let Ok(told) = world.handed.try_recv() {
            told.iter().for_each(|owned| lines.take(owned));
        }
        let mut second = world.courier();
        assert_eq!(second.turn(&|owned: &Owned| lines.take(owned)).await, Ok(Turn::Idle));
        die(&world);
        assert_eq!(second.turn(&|owned: &Owned| lines.take(owned)).await, Ok(Turn::Delivered(4)));
        assert_eq!(second.turn(&|owned: &Owned| lines.take(owned)).await, Ok(Turn::Idle));

        assert_eq!((lines.count(), lines.distinct()), (8, 4));
        assert_eq!(enqueued(&world).await, 0);
    }
}

#[tokio::test]
async fn couriers_never_share_a_row() {
    for world in World::each("two_couriers").await {
        place(&world, 150).await;
        die(&world);
        let (ours, theirs) = (Lines::default(), Lines::default());
        let (mut one, mut other) = (world.courier(), world.courier());

        let ours_take = |owned: &Owned| ours.take(owned);
        let theirs_take = |owned: &Owned| theirs.take(owned);
        for _ in 0..4 {
            let (one, other) = futures::join!(one.turn(&ours_take), other.turn(&theirs_take));
            one.unwrap();
            other.unwrap();
        }

        assert_eq!(ours.count() + theirs.count(), 300);
        assert_eq!(enqueued(&world).await, 0);
    }
}

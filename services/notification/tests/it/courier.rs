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

fn courier(world: &World) -> Courier {
    Courier::new(world.database.clone(), world.clock.clone(), &world.ids)
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

#[tokio::test]
async fn what_is_enqueued_is_delivered_once_in_order_and_marked() {
    for world in World::each("delivered").await {
        place(&world, 3).await;
        let lines = Lines::default();
        let mut courier = courier(&world);

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
        let mut courier = courier(&world);

        assert_eq!(courier.turn(&|_: &Owned| {}).await, Ok(Turn::Delivered(200)));
        assert_eq!(courier.turn(&|_: &Owned| {}).await, Ok(Turn::Delivered(2)));
        assert_eq!(courier.turn(&|_: &Owned| {}).await, Ok(Turn::Idle));
    }
}

#[tokio::test]
async fn a_crash_before_the_mark_repeats_the_batch_once() {
    for world in World::each("crash").await {
        place(&world, 2).await;
        let lines = Lines::default();

        // The first courier dies after it has written its lines.
        let mut first = courier(&world);
        assert_eq!(first.turn(&|owned: &Owned| lines.take(owned)).await, Ok(Turn::Delivered(4)));
        drop(first);
        let mut second = courier(&world);
        assert_eq!(second.turn(&|owned: &Owned| lines.take(owned)).await, Ok(Turn::Idle));

        testing::advance_clock(&world.database, A_CLAIM);
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
        let (ours, theirs) = (Lines::default(), Lines::default());
        let (mut one, mut other) = (courier(&world), courier(&world));

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

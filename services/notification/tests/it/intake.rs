//! Taking events in: once, in order, and together with what they tell. On both engines.

use std::time::Duration;

use futures::future::join_all;
use notification::ops::Run;
use storage::Delivery::{Accepted, Duplicate, Later};
use types::Tenant;

use crate::events::{CONFIRMED, World};

#[tokio::test]
async fn an_event_is_taken_in_together_with_its_messages() {
    for world in World::each("taken_in").await {
        let order = world.ids.mint();
        let placed = world.placed(&order, 1);

        assert_eq!(world.deliver(&[&placed]).await, [Accepted]);

        assert_eq!(world.told(&Tenant::DEFAULT).await, CONFIRMED);
    }
}

#[tokio::test]
async fn f40_an_event_that_comes_again_is_not_told_again() {
    for world in World::each("duplicates").await {
        let order = world.ids.mint();
        let placed = world.placed(&order, 1);

        assert_eq!(world.deliver(&[&placed, &placed]).await, [Accepted, Duplicate]);
        assert_eq!(world.deliver(&[&placed]).await, [Duplicate]);

        assert_eq!(world.told(&Tenant::DEFAULT).await, CONFIRMED);
    }
}

#[tokio::test]
async fn f40_an_event_that_comes_many_times_at_once_is_told_once() {
    for world in World::each("at_once").await {
        let order = world.ids.mint();
        let placed = world.placed(&order, 1);

        let deliveries = join_all((0..16).map(async |_| world.deliver(&[&placed]).await)).await.concat();

        assert_eq!(deliveries.iter().filter(|delivery| **delivery == Accepted).count(), 1);
        assert_eq!(deliveries.iter().filter(|delivery| **delivery == Duplicate).count(), 15);
        assert_eq!(world.told(&Tenant::DEFAULT).await, CONFIRMED);
    }
}

#[tokio::test]
async fn f40_an_event_waits_for_the_one_before_it() {
    for world in World::each("gaps").await {
        let order = world.ids.mint();
        let (first, second, third) =
            (world.placed(&order, 1), world.placed(&order, 2), world.placed(&order, 3));

        assert_eq!(world.deliver(&[&second, &third]).await, [Later, Later]);
        assert_eq!(world.told(&Tenant::DEFAULT).await, [""; 0]);

        assert_eq!(world.deliver(&[&first, &third]).await, [Accepted, Later]);
        assert_eq!(world.deliver(&[&second, &third]).await, [Accepted, Accepted]);
        assert_eq!(world.told(&Tenant::DEFAULT).await.len(), 3 * CONFIRMED.len());
    }
}

#[tokio::test]
async fn a_gap_holds_up_its_own_order_alone() {
    for world in World::each("other_orders").await {
        let (waiting, other) = (world.ids.mint(), world.ids.mint());

        let deliveries = join_all([
            world.writer.submit(Run(vec![world.placed(&waiting, 2)])),
            world.writer.submit(Run(vec![world.placed(&other, 1)])),
        ])
        .await;

        let deliveries: Vec<_> =
            deliveries.into_iter().map(|taken| taken.expect("the run is taken").deliveries).collect();
        assert_eq!(deliveries, [vec![Later], vec![Accepted]]);
    }
}

#[tokio::test]
async fn an_event_nobody_can_read_waits_for_a_newer_version_and_tells_nothing() {
    for world in World::each("unreadable").await {
        let order = world.ids.mint();
        let mut first = world.placed(&order, 1);
        let readable = std::mem::replace(&mut first.event, Err("a newer type".to_owned()));
        let second = world.placed(&order, 2);

        assert_eq!(world.deliver(&[&first, &second]).await, [Later, Later]);
        assert_eq!(world.told(&Tenant::DEFAULT).await, [""; 0]);

        // The version that can read it was deployed.
        first.event = readable;
        assert_eq!(world.deliver(&[&first, &second]).await, [Accepted, Accepted]);
        assert_eq!(world.alarms().await, [""; 0]);
    }
}

#[tokio::test]
async fn an_event_nobody_can_read_holds_nothing_up_for_ever_and_a_person_hears_of_it() {
    for world in World::each("unread").await {
        let order = world.ids.mint();
        let mut first = world.placed(&order, 1);
        first.event = Err("a newer type".to_owned());
        first.envelope.occurred_at = world.clock.now().minus(Duration::from_mins(11));
        let second = world.placed(&order, 2);

        assert_eq!(world.deliver(&[&first, &second]).await, [Accepted, Accepted]);

        assert_eq!(world.told(&Tenant::DEFAULT).await, CONFIRMED, "of the event behind it");
        let id = &first.envelope.event_id;
        assert_eq!(world.alarms().await, [format!("raised event {id} 1")]);
        assert_eq!(world.deliver(&[&first]).await, [Duplicate]);
    }
}

#[tokio::test]
async fn tenants_share_neither_events_nor_messages() {
    for world in World::each("tenants").await {
        let order = world.ids.mint();
        let ours = world.placed(&order, 1);
        let mut theirs = ours.clone();
        theirs.envelope.tenant = Tenant::parse("other").unwrap();

        assert_eq!(world.deliver(&[&ours]).await, [Accepted]);
        assert_eq!(world.told(&theirs.envelope.tenant).await, [""; 0]);

        assert_eq!(world.deliver(&[&theirs]).await, [Accepted]);
        assert_eq!(world.told(&theirs.envelope.tenant).await, CONFIRMED);
        assert_eq!(world.told(&Tenant::DEFAULT).await, CONFIRMED);
    }
}

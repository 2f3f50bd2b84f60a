//! What a process finds of its own former life.

use saga::{Owner as _, State};
use storage::Direction::Do;
use storage::Engine;

use crate::participants::Act;
use crate::world::{brisk, worlds};

#[tokio::test]
async fn a_restarted_process_does_not_wait_for_its_own_dead_leases() {
    for mut world in worlds("former_life", brisk()).await {
        world.config.worker = saga::of_instance("pod-1", "first");
        world.ports.script("reserve", Do, [Act::Hang]);
        let first = world.start_worker(&world.config.worker);
        let key = world.accept(true).await;
        world.ports.hanging.notified().await;
        first.crash();
        let database = world.owner.database();

        let freed_by_another = saga::free_former(database, "pod-2").await.unwrap();
        let freed = saga::free_former(database, "pod-1").await.unwrap();

        // An embedded database has one process, so any name is its own.
        let embedded = database.engine() == Engine::Sqlite;
        assert_eq!((freed_by_another, freed), if embedded { (1, 0) } else { (0, 1) });
        let second = world.start_worker(&saga::of_instance("pod-1", "second"));
        let image = world.until_state(&key, State::Completed).await;
        assert_eq!(image.row.epoch, 2, "the former life is fenced off");
        second.stop().await;
    }
}

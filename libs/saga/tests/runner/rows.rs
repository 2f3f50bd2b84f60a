//! What the tables themselves promise, whoever writes them.

use std::sync::atomic::Ordering;

use saga::{CauseKind, State, Version, query};
use storage::{DbError, Statement, values};
use types::{SagaId, Tenant};

use crate::world::{World, brisk, worlds};

#[tokio::test]
async fn the_log_is_append_only() {
    static CHANGE: Statement =
        Statement::new("test.change_log", "UPDATE saga_step SET outcome = 'rejected' WHERE saga_id = $1");
    static DELETE: Statement = Statement::new("test.delete_log", "DELETE FROM saga_step WHERE saga_id = $1");
    for world in worlds("append_only", brisk()).await {
        let worker = world.start_worker("worker-1");
        let key = world.accept(true).await;
        world.until_state(&key, State::Completed).await;

        for statement in [&CHANGE, &DELETE] {
            assert!(execute(&world, statement, &key.id).await.is_err(), "{}", statement.name());
        }
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_state_implies_its_columns() {
    static UNFINISHED: Statement =
        Statement::new("test.complete", "UPDATE saga SET state = 'completed' WHERE id = $1");
    static CAUSELESS: Statement =
        Statement::new("test.unwind", "UPDATE saga SET state = 'unwinding' WHERE id = $1");
    static SILENT: Statement =
        Statement::new("test.stop", "UPDATE saga SET state = 'needs_attention' WHERE id = $1");
    for world in worlds("checks", brisk()).await {
        let key = world.accept(false).await;

        for statement in [&UNFINISHED, &CAUSELESS, &SILENT] {
            let refused = execute(&world, statement, &key.id).await.unwrap_err();

            assert!(matches!(refused, DbError::Check { .. }), "{}: {refused}", statement.name());
        }
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_set_aside_and_the_others_run() {
    static SPOIL: Statement =
        Statement::new("test.spoil", "UPDATE saga SET started_at = 'yesterday' WHERE id = $1");
    static STATE: Statement =
        Statement::new("test.state", "SELECT state, attention_cause FROM saga WHERE id = $1");
    for world in worlds("spoiled", brisk()).await {
        let spoiled = world.accept(false).await;
        execute(&world, &SPOIL, &spoiled.id).await.unwrap();
        let good = world.accept(false).await;

        let worker = world.start_worker("worker-1");

        world.until_state(&good, State::Completed).await;
        let mut tx = world.owner.database.read().await.unwrap();
        let row = tx.fetch_one(&STATE, values![&spoiled.id]).await.unwrap();
        assert_eq!(row.text("state").unwrap(), "needs_attention");
        assert!(row.text("attention_cause").unwrap().contains("UNREADABLE"));
        drop(tx);
        worker.stop().await;
    }
}

#[tokio::test]
async fn an_owner_that_cannot_set_a_saga_aside_does_not_keep_the_worker_at_it() {
    for world in worlds("helpless", brisk()).await {
        world.owner.helpless.store(true, Ordering::SeqCst);
        let unknown = world.accept_version(false, Version(9)).await;

        let worker = world.start_worker("worker-1");

        let stopped = world.until_state(&unknown, State::NeedsAttention).await;
        assert_eq!(stopped.row.attention.map(|cause| cause.kind), Some(CauseKind::UnknownDefinition));
        worker.stop().await;
    }
}

#[tokio::test]
async fn sagas_are_listed_by_state_and_found_by_their_subject() {
    for world in worlds("queries", brisk()).await {
        let waiting = world.accept(false).await;
        let other = world.accept(false).await;
        let mut tx = world.owner.database.read().await.unwrap();

        let first = query::list(&mut tx, &Tenant::DEFAULT, None, None, 1).await.unwrap();
        let second = query::list(&mut tx, &Tenant::DEFAULT, None, Some(&waiting.id), 10).await.unwrap();
        let running = query::list(&mut tx, &Tenant::DEFAULT, Some(State::Running), None, 10).await.unwrap();
        let parked = query::list(&mut tx, &Tenant::DEFAULT, Some(State::Parked), None, 10).await.unwrap();
        let found = query::by_subject(&mut tx, &Tenant::DEFAULT, "move", other.id.as_str()).await.unwrap();
        let absent = query::by_subject(&mut tx, &Tenant::DEFAULT, "lift", other.id.as_str()).await.unwrap();

        let keys = |images: &[saga::SagaImage]| -> Vec<SagaId> {
            images.iter().map(|image| image.row.key.id.clone()).collect()
        };
        assert_eq!(keys(&first), std::slice::from_ref(&waiting.id));
        assert_eq!(keys(&second), std::slice::from_ref(&other.id));
        assert_eq!((running.len(), parked.len()), (2, 0));
        assert_eq!((found, absent), (Some(other), None));
    }
}

async fn execute(world: &World, statement: &'static Statement, id: &SagaId) -> Result<(), DbError> {
    let write = world.owner.database.write(statement.name(), |mut tx| async move {
        tx.execute(statement, values![id]).await?;
        Ok((tx, ()))
    });
    write.await
}

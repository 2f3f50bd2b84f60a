use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Waker};

use storage::{Database, DbError, Engine, values};

use crate::world::{MOVED, T, add, on_hand, shops, stock_up};

#[tokio::test]
async fn a_dropped_transaction_is_rolled_back_and_its_connection_goes_on() {
    for database in shops("dropped_tx").await {
        stock_up(&database, &[("tea", 1)]).await;

        for _ in 0..50 {
            let mut tx = database.begin().await.unwrap();
            add(&mut tx, "tea", 1).await.unwrap();
        }

        assert_eq!(on_hand(&database, "tea").await, 1);
    }
}

/// Both goods change together in every transaction. If a statement ever ran in a foreign transaction, or half of one
/// were committed, they would differ.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_future_dropped_at_any_await_leaves_nothing_half_done() {
    for database in shops("dropped_future").await {
        stock_up(&database, &[("cup", 0), ("tea", 0)]).await;

        for polls in (1..=12).cycle().take(240) {
            poll_then_drop(polls, move_both(&database)).await;
        }
        move_both(&database).await.unwrap();

        let (cups, teas) = (on_hand(&database, "cup").await, on_hand(&database, "tea").await);
        assert_eq!(cups, teas);
        assert!(cups >= 1);
    }
}

async fn move_both(database: &Database) -> Result<(), DbError> {
    database
        .write("move_both", |mut tx| async move {
            add(&mut tx, "cup", 1).await?;
            add(&mut tx, "tea", 1).await?;
            Ok((tx, ()))
        })
        .await
}

/// Lets the driver make progress between the polls, then drops the future where it stands.
async fn poll_then_drop(polls: u32, work: impl Future) {
    let mut work = pin!(work);
    for _ in 0..polls {
        if work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return;
        }
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn writes_can_run_in_spawned_tasks_that_borrow() {
    for database in shops("spawned").await {
        stock_up(&database, &[("tea", 0)]).await;
        let shared = database.clone();

        let task = tokio::spawn(async move {
            let sku = String::from("tea");
            let borrowed = &sku;
            shared
                .write("spawned", |mut tx| async move {
                    add(&mut tx, borrowed, 3).await?;
                    Ok((tx, borrowed.len()))
                })
                .await
        });

        assert_eq!(task.await.unwrap(), Ok(3));
        assert_eq!(on_hand(&database, "tea").await, 3);
    }
}

#[tokio::test]
async fn a_read_sees_one_snapshot_and_does_not_wait_for_the_writer() {
    for database in shops("snapshot").await {
        stock_up(&database, &[("tea", 1)]).await;
        let mut reader = database.read().await.unwrap();
        let before = reader.fetch_one(&MOVED, values![T]).await.unwrap().int("count").unwrap();

        let mut writer = database.begin().await.unwrap();
        add(&mut writer, "tea", 1).await.unwrap();
        let meanwhile = on_hand(&database, "tea").await;
        writer.commit().await.unwrap();
        let after = reader.fetch_one(&crate::world::GET_STOCK_READ, values![T]).await.unwrap();

        assert_eq!(before, 0);
        assert_eq!(meanwhile, 1, "what is not committed is not seen");
        assert_eq!(after.int("on_hand").unwrap(), 1, "the snapshot is older than the commit");
        assert_eq!(on_hand(&database, "tea").await, 2);
    }
}

#[tokio::test]
async fn a_read_can_not_write() {
    for database in shops("read_only").await {
        stock_up(&database, &[("tea", 1)]).await;
        let mut reader = database.read().await.unwrap();

        let refused = add(&mut reader, "tea", 1).await;

        assert!(refused.is_err());
    }
}

#[tokio::test]
async fn a_write_that_lost_a_race_runs_again_three_times_at_most() {
    for database in shops("race").await {
        let runs = AtomicU32::new(0);
        let lose = |times: u32| {
            let runs = &runs;
            move |tx| async move {
                if runs.fetch_add(1, Ordering::Relaxed) < times {
                    return Err(DbError::Retryable { statement: "test", detail: "made up".to_owned() });
                }
                Ok((tx, ()))
            }
        };

        let third_retry = database.write("third_retry", lose(3)).await;
        let first_runs = runs.swap(0, Ordering::Relaxed);
        let fourth_retry = database.write("fourth_retry", lose(4)).await;

        assert_eq!((third_retry, first_runs), (Ok(()), 4));
        assert!(fourth_retry.unwrap_err().is_retryable());
        assert_eq!(runs.load(Ordering::Relaxed), 4);
    }
}

/// Two transactions that lock two goods in opposite order: the server ends one, and it runs again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_a_lost_race() {
    for database in shops("deadlock").await {
        if database.engine() == Engine::Sqlite {
            continue; // One writer can't meet another.
        }
        stock_up(&database, &[("cup", 0), ("tea", 0)]).await;
        let both = &tokio::sync::Barrier::new(2);
        let runs = &AtomicU32::new(0);
        let cross = |first: &'static str, second: &'static str| {
            database.write("cross", move |mut tx| async move {
                add(&mut tx, first, 1).await?;
                if runs.fetch_add(1, Ordering::Relaxed) < 2 {
                    both.wait().await;
                }
                add(&mut tx, second, 1).await?;
                Ok((tx, ()))
            })
        };

        let (one, other) = tokio::join!(cross("cup", "tea"), cross("tea", "cup"));

        assert_eq!((one, other), (Ok(()), Ok(())));
        assert!(runs.load(Ordering::Relaxed) > 2, "one of them ran twice");
        assert_eq!((on_hand(&database, "cup").await, on_hand(&database, "tea").await), (2, 2));
    }
}

//! What the writer does when a batch does not commit at the first try.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use super::{Batch, WriteError};
use crate::database::{Database, RETRIES, pause_after_race};
use crate::error::DbError;

type Results<B> = Vec<Result<<B as Batch>::Reply, WriteError>>;

/// One result per command, in order.
pub(super) async fn commit<B: Batch>(database: &Database, batch: &B, commands: &[B::Command]) -> Results<B> {
    match commit_together(database, batch, commands).await {
        Ok(replies) => replies.into_iter().map(Ok).collect(),
        Err(problem) if commands.len() == 1 || hits_all_alike(&problem) => {
            if problem.is_of_the_database() {
                tracing::warn!(%problem, commands = commands.len(), "a batch was not committed");
            }
            commands.iter().map(|_| Err(write_error(problem.clone()))).collect()
        }
        Err(problem) => {
            tracing::info!(%problem, commands = commands.len(), "a batch failed; each command runs alone");
            commit_alone(database, batch, commands).await
        }
    }
}

async fn commit_alone<B: Batch>(database: &Database, batch: &B, commands: &[B::Command]) -> Results<B> {
    let mut results = Vec::with_capacity(commands.len());
    let mut unwell: Option<DbError> = None;
    for command in commands {
        // A database that went away meanwhile is not asked once per command.
        if let Some(problem) = &unwell {
            results.push(Err(WriteError::Failed(problem.clone())));
            continue;
        }
        match commit_together(database, batch, std::slice::from_ref(command)).await {
            Ok(mut replies) => {
                results.push(Ok(replies.pop().expect("attempt has checked the number of replies")));
            }
            Err(problem) => {
                if matches!(problem, DbError::Unavailable { .. } | DbError::StorageFull { .. }) {
                    unwell = Some(problem.clone());
                }
                results.push(Err(write_error(problem)));
            }
        }
    }
    results
}

async fn commit_together<B: Batch>(
    database: &Database,
    batch: &B,
    commands: &[B::Command],
) -> Result<Vec<B::Reply>, DbError> {
    let mut retries = 0;
    loop {
        match attempt(database, batch, commands).await {
            Err(lost) if lost.is_retryable() && retries < RETRIES => {
                retries += 1;
                tracing::debug!(retries, %lost, "a batch lost a race and runs again");
                pause_after_race().await;
            }
            done => return done,
        }
    }
}

async fn attempt<B: Batch>(
    database: &Database,
    batch: &B,
    commands: &[B::Command],
) -> Result<Vec<B::Reply>, DbError> {
    let mut tx = database.begin().await?;
    // A bug met by one command must not end the writer: the panic is an error of the batch.
    let replies = match AssertUnwindSafe(batch.decide(&mut tx, commands)).catch_unwind().await {
        Ok(Ok(replies)) if replies.len() == commands.len() => replies,
        Ok(Ok(replies)) => {
            tx.rollback().await;
            let detail = format!("{} replies for {} commands", replies.len(), commands.len());
            return Err(DbError::malformed("group commit", detail));
        }
        Ok(Err(problem)) => {
            tx.rollback().await;
            return Err(problem);
        }
        Err(panic) => {
            tx.rollback().await;
            let detail = format!("a command panicked: {}", panic_text(&*panic));
            return Err(DbError::Other { statement: "group commit", detail });
        }
    };
    tx.commit().await?;
    let told = std::panic::catch_unwind(AssertUnwindSafe(|| batch.committed(commands, &replies)));
    if let Err(panic) = told {
        // What is committed stays committed; polls make up for the missing wake-up.
        tracing::error!(problem = panic_text(&*panic), "the follow-up of a commit panicked");
    }
    Ok(replies)
}

/// Errors that running each command alone would only multiply.
fn hits_all_alike(problem: &DbError) -> bool {
    problem.is_retryable() || problem.is_of_the_database()
}

fn write_error(problem: DbError) -> WriteError {
    match problem {
        DbError::OutcomeUnknown { .. } => WriteError::OutcomeUnknown,
        problem => WriteError::Failed(problem),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}

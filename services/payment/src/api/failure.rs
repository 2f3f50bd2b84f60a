//! What a database's errors are to a caller.

use std::time::Duration;

use kit::Failure;
use storage::{DbError, WriteError};
use types::Reason;

const RETRY_AFTER: Duration = Duration::from_secs(1);

pub fn of_write(error: &WriteError) -> Failure {
    match error {
        WriteError::OutcomeUnknown => outcome_unknown(),
        WriteError::Overloaded => {
            Failure::unavailable(Reason::Overloaded, "too much is waiting", RETRY_AFTER)
        }
        WriteError::Stopped => {
            Failure::unavailable(Reason::ShuttingDown, "the service is shutting down", RETRY_AFTER)
        }
        WriteError::Failed(error) => of_database(error),
    }
}

/// The caller learns whether to come again; the statement and the server's words are for the log.
pub fn of_database(error: &DbError) -> Failure {
    match error {
        DbError::OutcomeUnknown { .. } => outcome_unknown(),
        DbError::StorageFull { .. } => {
            tracing::error!(%error, "the storage is full");
            Failure::unavailable(Reason::StorageFull, "the storage is full", RETRY_AFTER)
        }
        DbError::Unavailable { .. } => {
            tracing::warn!(%error, "the database is not available");
            Failure::unavailable(Reason::StorageUnavailable, "the database is not available", RETRY_AFTER)
        }
        DbError::Retryable { .. } => {
            Failure::unavailable(Reason::ConcurrentUpdate, "the rows are contended", RETRY_AFTER)
        }
        DbError::Unique { .. }
        | DbError::ForeignKey { .. }
        | DbError::Check { .. }
        | DbError::RowCount { .. }
        | DbError::SchemaTooNew { .. }
        | DbError::UnsafeSettings { .. }
        | DbError::Malformed { .. }
        | DbError::Other { .. } => Failure::internal(error),
    }
}

fn outcome_unknown() -> Failure {
    Failure::unavailable(Reason::OutcomeUnknown, "whether it was committed is not known", RETRY_AFTER)
}

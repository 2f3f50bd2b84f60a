//! What a database's errors are to a caller: whether to come again. The statement and the server's words are for
//! the log.

use std::time::Duration;

use storage::{DbError, WriteError};
use types::Reason;

use super::Failure;

const RETRY_AFTER: Duration = Duration::from_secs(1);

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::OutcomeUnknown => outcome_unknown(),
            WriteError::Overloaded => {
                Self::unavailable(Reason::Overloaded, "too much is waiting", RETRY_AFTER)
            }
            WriteError::Stopped => {
                Self::unavailable(Reason::ShuttingDown, "the service is shutting down", RETRY_AFTER)
            }
            WriteError::Failed(error) => Self::from(error),
        }
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        match error {
            DbError::OutcomeUnknown { .. } => outcome_unknown(),
            DbError::StorageFull { .. } => {
                tracing::error!(%error, "the storage is full");
                Self::unavailable(Reason::StorageFull, "the storage is full", RETRY_AFTER)
            }
            DbError::Unavailable { .. } => {
                tracing::warn!(%error, "the database is not available");
                Self::unavailable(Reason::StorageUnavailable, "the database is not available", RETRY_AFTER)
            }
            DbError::Retryable { .. } => {
                Self::unavailable(Reason::ConcurrentUpdate, "the rows are contended", RETRY_AFTER)
            }
            DbError::Nul { .. } => {
                // The edge refuses it by the name of its field; this is for the field that was forgotten there.
                tracing::warn!(%error, "a text was not stored");
                Self::new(Reason::FieldInvalid, "a text holds NUL, which cannot be stored")
            }
            DbError::Unique { .. }
            | DbError::ForeignKey { .. }
            | DbError::Check { .. }
            | DbError::RowCount { .. }
            | DbError::SchemaTooNew { .. }
            | DbError::UnsafeSettings { .. }
            | DbError::Malformed { .. }
            | DbError::Other { .. } => Self::internal(error),
        }
    }
}

fn outcome_unknown() -> Failure {
    Failure::unavailable(Reason::OutcomeUnknown, "whether it was committed is not known", RETRY_AFTER)
}

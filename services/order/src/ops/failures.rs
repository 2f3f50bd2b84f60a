//! How refusals and the database's troubles become what a caller is told.

use std::time::Duration;

use kit::Failure;
use storage::{DbError, WriteError};
use types::{Reason, Refusal};

const RETRY_AFTER: Duration = Duration::from_millis(200);

/// The details under which a refusal names the missing resource.
const RESOURCE_TYPE: &str = "resource_type";
const RESOURCE_NAME: &str = "resource_name";

/// A resource that the caller named does not exist, or is another tenant's.
pub(super) fn not_found(resource_type: &str, name: &str) -> Refusal {
    Refusal::new(Reason::ResourceNotFound, format!("{resource_type} {name} does not exist"))
        .detail(RESOURCE_TYPE, resource_type)
        .detail(RESOURCE_NAME, name)
}

pub(super) fn of_refusal(refusal: Refusal) -> Failure {
    match (refusal.reason, refusal.details.get(RESOURCE_TYPE), refusal.details.get(RESOURCE_NAME)) {
        (Reason::ResourceNotFound, Some(kind), Some(name)) => Failure::not_found(kind, name),
        _ => Failure::from(refusal),
    }
}

pub(super) fn of_write(error: WriteError) -> Failure {
    match error {
        WriteError::OutcomeUnknown => {
            unavailable(Reason::OutcomeUnknown, "it is not known whether this was done")
        }
        WriteError::Overloaded => unavailable(Reason::Overloaded, "too many requests are waiting"),
        WriteError::Stopped => unavailable(Reason::ShuttingDown, "the service is shutting down"),
        WriteError::Failed(error) => of_database(&error),
    }
}

pub(super) fn of_database(error: &DbError) -> Failure {
    match error {
        DbError::StorageFull { .. } => unavailable(Reason::StorageFull, "the storage is full"),
        DbError::Unavailable { .. } => {
            unavailable(Reason::StorageUnavailable, "the storage cannot be reached")
        }
        DbError::OutcomeUnknown { .. } => {
            unavailable(Reason::OutcomeUnknown, "it is not known whether this was done")
        }
        DbError::Retryable { .. } => {
            Failure::new(Reason::ConcurrentUpdate, "others changed it at the same time; try again")
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

fn unavailable(reason: Reason, message: &str) -> Failure {
    Failure::unavailable(reason, message, RETRY_AFTER)
}

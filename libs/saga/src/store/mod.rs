//! The only SQL of this library. `record` reads and writes one saga's rows, `batch` is the owner's
//! group commit, `lease` is the worker's hold, `query` is for operators.

mod batch;
mod lease;
pub mod query;
mod record;
mod text;

use storage::Migration;

pub(crate) use lease::{claim, let_go, renew, set_aside};
pub use lease::{free_former, of_instance};

/// The saga tables. The owner lists it among its own migrations.
pub const MIGRATION: Migration = Migration::shared(5, "saga", include_str!("../../migrations/saga.sql")).and(
    include_str!("../../migrations/saga.sqlite.sql"),
    include_str!("../../migrations/saga.postgres.sql"),
);

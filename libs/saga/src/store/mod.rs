//! The only SQL of this library. `record` reads and writes one saga's rows, `batch` is the owner's
//! group commit, `lease` is the worker's hold, `query` is for operators.

mod batch;
mod lease;
pub mod query;
mod record;
mod text;

use storage::Migration;

pub(crate) use lease::{claim, let_go, renew, set_aside};

/// The saga tables. The owner lists it among its own migrations.
pub const MIGRATION: Migration = Migration {
    number: 5,
    name: "saga",
    sql: include_str!("../../migrations/saga.sql"),
    sqlite: include_str!("../../migrations/saga.sqlite.sql"),
    postgres: include_str!("../../migrations/saga.postgres.sql"),
};

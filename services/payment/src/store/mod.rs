//! The only room with SQL: one file a table, each loading and writing whole batches.
//!
//! It never decides anything: it brings the domain's values in and out, and checks every row count.

pub mod account;
pub mod audit;
mod capture;
mod changes;
pub mod claim;
mod credit;
mod dispute;
pub mod event;
pub mod gateway_event;
mod hold;
mod movement;
mod payment;
pub mod read;
mod refund;
pub mod reply;

use storage::{DbError, Migration, OUTBOX, REQUESTS, Row, STEP_LEDGER};
use types::{OrderId, Tenant};

use crate::domain::{Origin, Schedule};

/// An order of a tenant: the key of everything here.
pub type OrderKey = (Tenant, OrderId);

pub const MIGRATIONS: &[Migration] = &[
    REQUESTS,
    STEP_LEDGER,
    OUTBOX,
    Migration {
        number: 10,
        name: "money",
        sql: include_str!("../../migrations/0010_money.sql"),
        sqlite: include_str!("../../migrations/0010_money.sqlite.sql"),
        postgres: include_str!("../../migrations/0010_money.postgres.sql"),
    },
    Migration {
        number: 20,
        name: "refund_truth",
        sql: include_str!("../../migrations/0020_refund_truth.sql"),
        sqlite: include_str!("../../migrations/0020_refund_truth.sqlite.sql"),
        postgres: include_str!("../../migrations/0020_refund_truth.postgres.sql"),
    },
];

fn order_key(row: &Row) -> Result<OrderKey, DbError> {
    Ok((row.tenant()?, row.parsed("order_id", OrderId::parse)?))
}

fn schedule(row: &Row) -> Result<Schedule, DbError> {
    Ok(Schedule {
        tries: row.int("tries")?,
        next_at: row.int("next_at")?,
        claimed_until: row.int("claimed_until")?,
    })
}

fn origin(row: &Row) -> Result<Origin, DbError> {
    let (id, name) = (row.text("saga_id")?, row.text("step")?);
    row.named("asked_by", |kind| Origin::from_columns(kind, id, name))
}

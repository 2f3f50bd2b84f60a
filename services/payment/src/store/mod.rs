//! The only room with SQL: one file a table, each loading and writing whole batches.
//!
//! It never decides anything: it brings the domain's values in and out, and checks every row count.

pub mod account;
pub mod adoption;
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
mod owing;
mod payment;
pub mod read;
mod refund;
pub mod shared_payment;

use storage::{DbError, Migration, OUTBOX, REQUESTS, ROLE_MAP, Row, SEALING_KEY, STEP_LEDGER};
use types::{OrderId, Tenant};

use crate::domain::{Origin, Schedule};

pub use self::shared_payment::SharedKey;

/// An order of a tenant: the key of everything here.
pub type OrderKey = (Tenant, OrderId);

pub const MIGRATIONS: &[Migration] = &[
    REQUESTS,
    STEP_LEDGER,
    OUTBOX,
    SEALING_KEY,
    ROLE_MAP,
    Migration::shared(10, "money", include_str!("../../migrations/0010_money.sql")).and(
        include_str!("../../migrations/0010_money.sqlite.sql"),
        include_str!("../../migrations/0010_money.postgres.sql"),
    ),
    Migration::shared(20, "refund_truth", include_str!("../../migrations/0020_refund_truth.sql")).and(
        include_str!("../../migrations/0020_refund_truth.sqlite.sql"),
        include_str!("../../migrations/0020_refund_truth.postgres.sql"),
    ),
    Migration::shared(30, "over_refund", include_str!("../../migrations/0030_over_refund.sql")),
    Migration::shared(31, "shared_payment", include_str!("../../migrations/0031_shared_payment.sql")),
    Migration::shared(32, "adoption", include_str!("../../migrations/0032_adoption.sql")),
    Migration::shared(33, "refund_step", include_str!("../../migrations/0033_refund_step.sql")),
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

/// An id that a row may be without; it is stored as an empty text.
fn or_none<T, E>(text: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<Option<T>, E> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

fn or_empty<T: AsRef<str>>(id: Option<&T>) -> &str {
    id.map_or("", AsRef::as_ref)
}

//! The only room with SQL: the schema, the notifications, and the books for verification.

pub mod audit;
pub mod notifications;

use storage::{INBOX, Migration};

const NOTIFICATION: Migration = Migration {
    number: 10,
    name: "notification",
    sql: include_str!("../../migrations/0010_notification.sql"),
    sqlite: include_str!("../../migrations/0010_notification.sqlite.sql"),
    postgres: include_str!("../../migrations/0010_notification.postgres.sql"),
};

pub const MIGRATIONS: &[Migration] = &[INBOX, NOTIFICATION];

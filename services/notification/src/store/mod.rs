//! The only room with SQL: the schema, what is told and delivered, and the books for verification.

pub mod addresses;
pub mod audit;
pub mod deliveries;
pub mod notifications;
pub mod owed;
pub mod suppressions;
pub mod webhooks;

use storage::{INBOX, Migration, REQUESTS};

const NOTIFICATION: Migration = Migration {
    number: 10,
    name: "notification",
    sql: include_str!("../../migrations/0010_notification.sql"),
    sqlite: include_str!("../../migrations/0010_notification.sqlite.sql"),
    postgres: include_str!("../../migrations/0010_notification.postgres.sql"),
};

const DELIVERY: Migration = Migration {
    number: 11,
    name: "delivery",
    sql: include_str!("../../migrations/0011_delivery.sql"),
    sqlite: include_str!("../../migrations/0011_delivery.sqlite.sql"),
    postgres: include_str!("../../migrations/0011_delivery.postgres.sql"),
};

const ADDRESS: Migration = Migration {
    number: 12,
    name: "address",
    sql: include_str!("../../migrations/0012_address.sql"),
    sqlite: include_str!("../../migrations/0012_address.sqlite.sql"),
    postgres: include_str!("../../migrations/0012_address.postgres.sql"),
};

const WEBHOOK: Migration = Migration {
    number: 15,
    name: "webhook",
    sql: include_str!("../../migrations/0015_webhook.sql"),
    sqlite: include_str!("../../migrations/0015_webhook.sqlite.sql"),
    postgres: include_str!("../../migrations/0015_webhook.postgres.sql"),
};

pub const MIGRATIONS: &[Migration] = &[REQUESTS, INBOX, NOTIFICATION, DELIVERY, ADDRESS, WEBHOOK];

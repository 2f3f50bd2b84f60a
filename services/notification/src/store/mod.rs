//! The only room with SQL: the schema, what is told and delivered, and the books for verification.

pub mod addresses;
pub mod alarms;
pub mod audit;
pub mod deliveries;
pub mod notifications;
pub mod owed;
pub mod suppressions;
pub mod webhooks;

use storage::{INBOX, Migration, OUTBOX, REQUESTS, ROLE_MAP, SEALING_KEY};

const NOTIFICATION: Migration =
    Migration::shared(10, "notification", include_str!("../../migrations/0010_notification.sql")).and(
        include_str!("../../migrations/0010_notification.sqlite.sql"),
        include_str!("../../migrations/0010_notification.postgres.sql"),
    );

const DELIVERY: Migration =
    Migration::shared(11, "delivery", include_str!("../../migrations/0011_delivery.sql")).and(
        include_str!("../../migrations/0011_delivery.sqlite.sql"),
        include_str!("../../migrations/0011_delivery.postgres.sql"),
    );

const ADDRESS: Migration =
    Migration::shared(12, "address", include_str!("../../migrations/0012_address.sql")).and(
        include_str!("../../migrations/0012_address.sqlite.sql"),
        include_str!("../../migrations/0012_address.postgres.sql"),
    );

const WEBHOOK: Migration =
    Migration::shared(15, "webhook", include_str!("../../migrations/0015_webhook.sql")).and(
        include_str!("../../migrations/0015_webhook.sqlite.sql"),
        include_str!("../../migrations/0015_webhook.postgres.sql"),
    );

const ALARM: Migration = Migration::shared(18, "alarm", include_str!("../../migrations/0018_alarm.sql"));

pub const MIGRATIONS: &[Migration] =
    &[REQUESTS, OUTBOX, INBOX, SEALING_KEY, ROLE_MAP, NOTIFICATION, DELIVERY, ADDRESS, WEBHOOK, ALARM];

//! The only room with SQL. One file for each thing that is stored: its statements, how rows become values, how
//! values become rows. Batches are read and written set-based, one statement for all rows of a table.

pub mod attention;
pub mod audit;
mod change_texts;
pub mod changes;
pub mod decisions;
pub mod event_log;
pub mod folders;
pub mod groups;
pub mod heads;
pub mod keys;
pub mod labels;
pub mod lines;
pub mod lists;
pub mod messages;
pub mod newest;
pub mod orders;
pub mod policies;
pub mod queue;
pub mod refusals;
pub mod returns;
pub mod sagas;
pub mod shrunk;
pub mod timeline;
pub mod unpaid;

use storage::Migration;

/// All tables of the service: the libraries' own first, then ours.
pub const MIGRATIONS: &[Migration] = &[
    storage::REQUESTS,
    storage::OUTBOX,
    storage::INBOX,
    saga::MIGRATION,
    storage::SEALING_KEY,
    storage::ROLE_MAP,
    Migration::shared(10, "order", include_str!("../../migrations/0010_order.sql")),
    Migration::shared(11, "change_order", include_str!("../../migrations/0011_change_order.sql")),
    Migration::shared(12, "timeline", include_str!("../../migrations/0012_timeline.sql")).and(
        include_str!("../../migrations/0012_timeline.sqlite.sql"),
        include_str!("../../migrations/0012_timeline.postgres.sql"),
    ),
    Migration::shared(15, "channel", include_str!("../../migrations/0015_channel.sql")),
    Migration::shared(19, "event_log", include_str!("../../migrations/0019_event_log.sql")).and(
        include_str!("../../migrations/0019_event_log.sqlite.sql"),
        include_str!("../../migrations/0019_event_log.postgres.sql"),
    ),
    Migration::shared(20, "policy", include_str!("../../migrations/0020_policy.sql")),
    Migration::shared(24, "folder", include_str!("../../migrations/0024_folder.sql")).and(
        include_str!("../../migrations/0024_folder.sqlite.sql"),
        include_str!("../../migrations/0024_folder.postgres.sql"),
    ),
    Migration::shared(25, "rule", include_str!("../../migrations/0025_rule.sql")),
    Migration::shared(26, "batch", include_str!("../../migrations/0026_batch.sql")),
    Migration::shared(28, "outside", include_str!("../../migrations/0028_outside.sql")),
    Migration::shared(30, "remedies", include_str!("../../migrations/0030_remedies.sql")),
    Migration::shared(33, "edition", include_str!("../../migrations/0033_edition.sql")),
    Migration::shared(44, "publication", include_str!("../../migrations/0044_publication.sql")),
    Migration::shared(45, "returns", include_str!("../../migrations/0045_returns.sql")),
    Migration::shared(50, "decision", include_str!("../../migrations/0050_decision.sql")).and(
        include_str!("../../migrations/0050_decision.sqlite.sql"),
        include_str!("../../migrations/0050_decision.postgres.sql"),
    ),
    Migration::shared(51, "shrunk", include_str!("../../migrations/0051_shrunk.sql")),
    Migration::shared(52, "awaits_payment", include_str!("../../migrations/0052_awaits_payment.sql")),
    Migration::shared(53, "payment", include_str!("../../migrations/0053_payment.sql")),
    Migration::shared(56, "batch_means", include_str!("../../migrations/0056_batch_means.sql")),
    Migration::shared(60, "agreed", include_str!("../../migrations/0060_agreed.sql")),
    Migration::shared(61, "order_label", include_str!("../../migrations/0061_order_label.sql")).and(
        include_str!("../../migrations/0061_order_label.sqlite.sql"),
        include_str!("../../migrations/0061_order_label.postgres.sql"),
    ),
    Migration::shared(70, "shipped_groups", include_str!("../../migrations/0070_shipped_groups.sql")),
    Migration::shared(71, "bundle_stock", include_str!("../../migrations/0071_bundle_stock.sql")),
    Migration::shared(72, "acknowledged", include_str!("../../migrations/0072_acknowledged.sql")),
];

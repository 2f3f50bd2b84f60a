//! The only room with SQL. One file for each thing that is stored: its statements, how rows become values, how
//! values become rows. Batches are read and written set-based, one statement for all rows of a table.

pub mod attention;
pub mod audit;
pub mod batch_totals;
pub mod batches;
pub mod changes;
pub mod event_log;
pub mod folders;
pub mod groups;
pub mod heads;
pub mod keys;
pub mod lines;
pub mod lists;
pub mod messages;
pub mod newest;
pub mod orders;
pub mod policies;
pub mod queue;
pub mod refusals;
pub mod rules;
pub mod sagas;
pub mod stats;
pub mod timeline;

use storage::Migration;

/// All tables of the service: the libraries' own first, then ours.
pub const MIGRATIONS: &[Migration] = &[
    storage::REQUESTS,
    storage::OUTBOX,
    storage::INBOX,
    saga::MIGRATION,
    ORDER,
    CHANGE_ORDER,
    TIMELINE,
    CHANNEL,
    EVENT_LOG,
    POLICY,
    FOLDER,
    RULE,
    BATCH,
    OUTSIDE,
    REMEDIES,
];

const ORDER: Migration = Migration {
    number: 10,
    name: "order",
    sql: include_str!("../../migrations/0010_order.sql"),
    sqlite: "",
    postgres: "",
};

const CHANGE_ORDER: Migration = Migration {
    number: 11,
    name: "change_order",
    sql: include_str!("../../migrations/0011_change_order.sql"),
    sqlite: "",
    postgres: "",
};

const TIMELINE: Migration = Migration {
    number: 12,
    name: "timeline",
    sql: include_str!("../../migrations/0012_timeline.sql"),
    sqlite: include_str!("../../migrations/0012_timeline.sqlite.sql"),
    postgres: include_str!("../../migrations/0012_timeline.postgres.sql"),
};

const CHANNEL: Migration = Migration {
    number: 15,
    name: "channel",
    sql: include_str!("../../migrations/0015_channel.sql"),
    sqlite: "",
    postgres: "",
};

const EVENT_LOG: Migration = Migration {
    number: 19,
    name: "event_log",
    sql: include_str!("../../migrations/0019_event_log.sql"),
    sqlite: include_str!("../../migrations/0019_event_log.sqlite.sql"),
    postgres: include_str!("../../migrations/0019_event_log.postgres.sql"),
};

const POLICY: Migration = Migration {
    number: 20,
    name: "policy",
    sql: include_str!("../../migrations/0020_policy.sql"),
    sqlite: "",
    postgres: "",
};

const FOLDER: Migration = Migration {
    number: 24,
    name: "folder",
    sql: include_str!("../../migrations/0024_folder.sql"),
    sqlite: include_str!("../../migrations/0024_folder.sqlite.sql"),
    postgres: include_str!("../../migrations/0024_folder.postgres.sql"),
};

const RULE: Migration = Migration {
    number: 25,
    name: "rule",
    sql: include_str!("../../migrations/0025_rule.sql"),
    sqlite: "",
    postgres: "",
};

const OUTSIDE: Migration = Migration {
    number: 28,
    name: "outside",
    sql: include_str!("../../migrations/0028_outside.sql"),
    sqlite: "",
    postgres: "",
};

const REMEDIES: Migration = Migration {
    number: 30,
    name: "remedies",
    sql: include_str!("../../migrations/0030_remedies.sql"),
    sqlite: "",
    postgres: "",
};

const BATCH: Migration = Migration {
    number: 26,
    name: "batch",
    sql: include_str!("../../migrations/0026_batch.sql"),
    sqlite: "",
    postgres: "",
};

//! The only room with SQL. One file for each thing that is stored: its statements, how rows become values, how
//! values become rows. Batches are read and written set-based, one statement for all rows of a table.

pub mod attention;
pub mod audit;
pub mod changes;
pub mod groups;
pub mod heads;
pub mod keys;
pub mod lines;
pub mod lists;
pub mod orders;
pub mod queue;
pub mod refusals;
pub mod sagas;
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

//! The only room with SQL. Batches are read and written set-based, one statement for all rows of a table.

pub mod audit;
pub mod delta;
pub mod errands;
pub mod fulfilments;
pub mod goods;
pub mod goods_flush;
pub mod integrations;
pub mod labels;
pub mod lists;
pub mod partner_numbers;
pub mod partner_tasks;
pub mod stock;
pub mod warehouses;

use storage::Migration;

/// All tables of the service: storage's own first, then ours.
pub const MIGRATIONS: &[Migration] = &[
    storage::REQUESTS,
    storage::STEP_LEDGER,
    storage::OUTBOX,
    Migration {
        number: 10,
        name: "stock",
        sql: include_str!("../../migrations/0010_stock.sql"),
        sqlite: include_str!("../../migrations/0010_stock.sqlite.sql"),
        postgres: include_str!("../../migrations/0010_stock.postgres.sql"),
    },
    Migration {
        number: 11,
        name: "goods",
        sql: include_str!("../../migrations/0011_goods.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        number: 12,
        name: "after_ship",
        sql: include_str!("../../migrations/0012_after_ship.sql"),
        sqlite: include_str!("../../migrations/0012_after_ship.sqlite.sql"),
        postgres: include_str!("../../migrations/0012_after_ship.postgres.sql"),
    },
    Migration {
        number: 13,
        name: "labels",
        sql: include_str!("../../migrations/0013_labels.sql"),
        sqlite: "",
        postgres: "",
    },
    Migration {
        number: 14,
        name: "partners",
        sql: include_str!("../../migrations/0014_partners.sql"),
        sqlite: "",
        postgres: "",
    },
];

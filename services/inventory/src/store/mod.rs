//! The only room with SQL. Batches are read and written set-based, one statement for all rows of a table.

pub mod audit;
pub mod delta;
pub mod fulfilments;
pub mod goods;
pub mod goods_flush;
pub mod lists;
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
];

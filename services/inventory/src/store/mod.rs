//! The only room with SQL. Batches are read and written set-based, one statement for all rows of a table.

pub mod assignments;
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
    storage::SEALING_KEY,
    storage::ROLE_MAP,
    Migration::shared(10, "stock", include_str!("../../migrations/0010_stock.sql")).and(
        include_str!("../../migrations/0010_stock.sqlite.sql"),
        include_str!("../../migrations/0010_stock.postgres.sql"),
    ),
    Migration::shared(11, "goods", include_str!("../../migrations/0011_goods.sql")),
    Migration::shared(12, "after_ship", include_str!("../../migrations/0012_after_ship.sql")).and(
        include_str!("../../migrations/0012_after_ship.sqlite.sql"),
        include_str!("../../migrations/0012_after_ship.postgres.sql"),
    ),
    Migration::shared(13, "labels", include_str!("../../migrations/0013_labels.sql")),
    Migration::shared(14, "partners", include_str!("../../migrations/0014_partners.sql")),
    Migration::shared(17, "returns", include_str!("../../migrations/0017_returns.sql")).and(
        include_str!("../../migrations/0017_returns.sqlite.sql"),
        include_str!("../../migrations/0017_returns.postgres.sql"),
    ),
    Migration::shared(18, "carts", include_str!("../../migrations/0018_carts.sql")),
    Migration::shared(19, "unpaid", include_str!("../../migrations/0019_unpaid.sql")),
    Migration::shared(23, "goods_truths", include_str!("../../migrations/0023_goods_truths.sql")),
];

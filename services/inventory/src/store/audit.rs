//! The books as `verify` reads them: whole tables of one tenant, page by page, from one snapshot.

use storage::{DbError, Row, Statement, Tx, Value, values};
use types::Tenant;

/// Rows of one page; it stands in every statement below.
pub const PAGE: usize = 500;

/// A table that is open to auditors.
pub struct Book {
    pub name: &'static str,
    pub columns: &'static [Column],
    /// How many columns behind the tenant make a row's key, which is the order of the pages.
    key: usize,
    page: &'static Statement,
}

pub struct Column {
    pub name: &'static str,
    holds: Holds,
}

#[derive(Clone, Copy)]
enum Holds {
    Text,
    Number,
    Data,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Null,
    Text(String),
    Number(i64),
    Data(Vec<u8>),
}

/// A book's columns and its statement, written down once: key columns first, then how they are bound, then the rest.
///
/// The tenant stands outside of the compared tuple: inside it SQLite would read the tenant's rows from the first one
/// again for every page.
macro_rules! book {
    (@list $first:literal $(, $key:literal)*) => { concat!($first $(, ", ", $key)*) };
    ($table:literal, [$($key:literal $kind:ident),+] $bound:literal, [$($column:literal $holds:ident),* $(,)?]) => {{
        static PAGE_OF: Statement = Statement::new(
            concat!("inventory.export_", $table),
            concat!(
                "SELECT tenant_id" $(, ", ", $key)+ $(, ", ", $column)*, " FROM ", $table,
                " WHERE tenant_id = $1 AND (", book!(@list $($key),+), ") > (", $bound, ")",
                " ORDER BY ", book!(@list $($key),+), " LIMIT 500"
            ),
        );
        Book {
            name: $table,
            columns: &[
                Column { name: "tenant_id", holds: Holds::Text },
                $(Column { name: $key, holds: Holds::$kind },)+
                $(Column { name: $column, holds: Holds::$holds },)*
            ],
            key: [$($key),+].len(),
            page: &PAGE_OF,
        }
    }};
}

/// Every book of this service.
pub static BOOKS: [Book; 11] = [
    book!("warehouse", ["warehouse_id" Text] "$2", ["kind" Text, "priority" Number, "active" Number]),
    book!("stock", ["warehouse_id" Text, "sku" Text] "$2, $3", [
        "on_hand" Number, "reserved" Number, "ledger_seq" Number,
    ]),
    book!("stock_ledger", ["warehouse_id" Text, "sku" Text, "seq" Number] "$2, $3, $4", [
        "kind" Text, "on_hand_delta" Number, "reserved_delta" Number, "saga_id" Text, "step" Text,
        "direction" Text, "reservation_id" Text, "order_id" Text, "line_id" Text, "at" Text,
    ]),
    book!("goods", ["order_id" Text] "$2", ["event_seq" Number, "created_at" Text]),
    book!("goods_line", ["order_id" Text, "line_id" Text] "$2, $3", [
        "sku" Text, "reserved_quantity" Number, "allocated" Number, "deallocated" Number,
        "submitted" Number, "shipped" Number, "unshipped" Number, "delivered" Number,
    ]),
    book!("reservation", ["order_id" Text, "reservation_id" Text] "$2, $3", [
        "line_id" Text, "warehouse_id" Text, "sku" Text, "quantity" Number, "state" Text, "saga_id" Text,
        "held_by" Text, "split_of" Text, "fulfilment_id" Text, "created_at" Text,
    ]),
    book!("fulfilment", ["order_id" Text, "fulfilment_id" Text] "$2, $3", [
        "warehouse_id" Text, "state" Text, "created_at" Text,
    ]),
    book!("fulfilment_line", ["order_id" Text, "fulfilment_line_id" Text] "$2, $3", [
        "fulfilment_id" Text, "reservation_id" Text, "line_id" Text, "sku" Text, "quantity" Number,
        "state" Text, "held_by" Text, "split_of" Text, "tracking_number" Text,
    ]),
    book!("request_key", ["method" Text, "request_id" Text] "$2, $3", [
        "fingerprint" Text, "resource_id" Text, "created_at" Text,
    ]),
    book!("step_ledger", ["saga_id" Text, "step" Text, "direction" Text] "$2, $3, $4", [
        "request_hash" Text, "outcome" Text, "nothing_to_do" Number, "completes" Text, "reply" Data,
        "epoch" Number, "at" Text,
    ]),
    book!("outbox", ["event_id" Text] "$2", [
        "aggregate_type" Text, "aggregate_id" Text, "aggregate_seq" Number, "type" Text, "state" Text,
        "created_at" Text, "queued_at" Number, "sent_at" Number,
    ]),
];

/// The next rows behind a row; fewer than [`PAGE`] are the last ones.
pub async fn page(
    tx: &mut Tx,
    book: &'static Book,
    tenant: &Tenant,
    after: Option<&[Cell]>,
) -> Result<Vec<Vec<Cell>>, DbError> {
    let mut bound = values![tenant];
    match after {
        Some(row) => bound.extend(row.iter().skip(1).take(book.key).map(value)),
        // Less than every key: names are never empty, and numbers count from 1.
        None => bound.extend(book.columns.iter().skip(1).take(book.key).map(|column| match column.holds {
            Holds::Number => Value::Int(0),
            Holds::Text | Holds::Data => Value::Text(String::new()),
        })),
    }
    let rows = tx.fetch_all(book.page, bound).await?;
    rows.iter().map(|row| book.columns.iter().map(|column| cell(row, column)).collect()).collect()
}

fn cell(row: &Row, column: &Column) -> Result<Cell, DbError> {
    Ok(match column.holds {
        Holds::Text => row.opt_text(column.name)?.map_or(Cell::Null, Cell::Text),
        Holds::Number => row.opt_int(column.name)?.map_or(Cell::Null, Cell::Number),
        Holds::Data => row.opt_bytes(column.name)?.map_or(Cell::Null, Cell::Data),
    })
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::NullText,
        Cell::Text(text) => Value::Text(text.clone()),
        Cell::Number(number) => Value::Int(*number),
        Cell::Data(data) => Value::Bytes(data.clone()),
    }
}

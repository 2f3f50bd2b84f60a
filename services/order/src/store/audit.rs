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
macro_rules! book {
    ($table:literal, [$($key:literal $kind:ident),+] $bound:literal, [$($column:literal $holds:ident),* $(,)?]) => {{
        static PAGE_OF: Statement = Statement::new(
            concat!("order.export_", $table),
            concat!(
                "SELECT tenant_id" $(, ", ", $key)+ $(, ", ", $column)*, " FROM ", $table,
                " WHERE tenant_id = $1 AND (tenant_id" $(, ", ", $key)+, ") > (", $bound, ")",
                " ORDER BY tenant_id" $(, ", ", $key)+, " LIMIT 500"
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

/// Every book of this service. Notes, contacts and payloads stay closed: no equation needs them.
pub static BOOKS: [Book; 14] = [
    book!("order_head", ["order_id" Text] "$1, $2", [
        "number" Text, "currency" Text, "placement" Text, "state" Text, "placement_reason" Text,
        "placement_message" Text, "confirmed_at" Text, "processing_at" Text, "created_at" Text,
        "placed_at" Text, "created_by_user" Text, "created_by_org" Text, "created_by_role" Text,
        "customer_id" Text, "buyer" Text, "supplier" Text, "source_router" Text, "placed_minor" Number,
        "reversed_minor" Number, "fees_minor" Number, "refund_owed_minor" Number, "change_in_progress" Text,
        "version" Number, "pricing_version" Number, "event_seq" Number, "timeline_seq" Number,
        "attention_open" Number, "cancelled_by_change" Text,
    ]),
    book!("order_line", ["order_id" Text, "line_id" Text] "$1, $2, $3", [
        "line_number" Number, "sku" Text, "unit_price" Text, "warehouse_id" Text, "delivery_group" Text,
        "ordered" Number, "open" Number, "cancel_pending" Number, "cancelled" Number, "fulfilled" Number,
        "cancelled_after_ship" Number, "returned" Number, "delivered" Number, "gross_minor" Number,
        "line_discount_minor" Number, "order_discount_minor" Number, "goods_net_minor" Number,
        "tax_minor" Number, "tax_included" Number, "shipping_minor" Number, "shipping_tax_minor" Number,
        "reversed_minor" Number, "allocated" Number, "deallocated" Number, "submitted" Number,
        "shipped" Number, "unshipped" Number,
    ]),
    book!("delivery_group", ["order_id" Text, "delivery_group" Text] "$1, $2, $3", [
        "shipping_minor" Number, "shipping_tax_minor" Number, "shipping_reversed_minor" Number,
        "shipping_tax_reversed_minor" Number, "ever_shipped" Number,
    ]),
    book!("external_reference", ["system" Text, "reference" Text] "$1, $2, $3", [
        "order_id" Text,
    ]),
    book!("change_order", ["change_order_id" Text] "$1, $2", [
        "order_id" Text, "number" Text, "type" Text, "state" Text, "saga_id" Text, "settlement" Text,
        "label_action" Text, "reason_code" Text, "requested_by_user" Text, "requested_by_org" Text,
        "requested_by_role" Text, "quote_id" Text, "policy_version" Text, "rule" Text, "gross_minor" Number,
        "discount_minor" Number, "goods_net_minor" Number, "tax_minor" Number, "tax_included" Number,
        "shipping_minor" Number, "shipping_tax_minor" Number, "fee_minor" Number, "amount_minor" Number,
        "new_total_minor" Number, "cause_reason" Text, "cause_message" Text, "refund_owed_minor" Number,
        "exceptions" Text, "refunds" Text, "version" Number, "created_at" Text, "decided_at" Text,
        "finished_at" Text, "attention_open" Number,
    ]),
    book!("change_order_line", ["change_order_id" Text, "line_id" Text] "$1, $2, $3", [
        "line_number" Number, "sku" Text, "quantity" Number, "reason_code" Text, "gross_minor" Number,
        "discount_minor" Number, "goods_net_minor" Number, "tax_minor" Number, "tax_included" Number,
        "shipping_minor" Number, "shipping_tax_minor" Number, "fee_minor" Number, "amount_minor" Number,
    ]),
    book!("timeline", ["order_id" Text, "seq" Number] "$1, $2, $3", [
        "at" Text, "actor_user" Text, "actor_org" Text, "actor_role" Text, "event" Text, "visibility" Text,
        "change_order_id" Text, "saga_id" Text, "step" Text, "direction" Text, "reason_code" Text,
    ]),
    book!("attention", ["attention_id" Text] "$1, $2", [
        "subject_type" Text, "subject_id" Text, "order_id" Text, "change_order_id" Text, "reason" Text,
        "message" Text, "allowed_actions" Text, "opened_at" Text, "closed_at" Text,
    ]),
    book!("request_key", ["method" Text, "request_id" Text] "$1, $2, $3", [
        "fingerprint" Text, "resource_id" Text, "created_at" Text,
    ]),
    book!("saga", ["id" Text] "$1, $2", [
        "definition" Text, "version" Number, "subject_type" Text, "subject_id" Text, "state" Text,
        "epoch" Number, "attempts" Number, "unwind_cause" Text, "attention_cause" Text, "decided_at" Text,
        "started_at" Text, "finished_at" Text,
    ]),
    book!("saga_step", ["saga_id" Text, "seq" Number] "$1, $2, $3", [
        "step" Text, "direction" Text, "outcome" Text, "nothing_to_do" Number, "reply" Data, "reason" Text,
        "attempts" Number, "epoch" Number, "at" Text,
    ]),
    book!("outbox", ["event_id" Text] "$1, $2", [
        "aggregate_type" Text, "aggregate_id" Text, "aggregate_seq" Number, "type" Text, "state" Text,
        "created_at" Text, "queued_at" Number, "sent_at" Number,
    ]),
    book!("inbox", ["event_id" Text] "$1, $2", [
        "source" Text, "aggregate_type" Text, "aggregate_id" Text, "aggregate_seq" Number,
        "received_at" Number,
    ]),
    book!("inbox_position", ["source" Text, "aggregate_type" Text, "aggregate_id" Text] "$1, $2, $3, $4", [
        "last_seq" Number,
    ]),
];

/// The next rows behind a key, and the key of the last of them; fewer than [`PAGE`] rows are the last ones.
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
            Holds::Number => Value::Int(-1),
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

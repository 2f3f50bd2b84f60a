//! `attention`: what a person has to look at.

use std::collections::BTreeSet;

use storage::{DbError, Row, Rows, Statement, Table, Tx, Value, record, values};
use types::{AttentionId, ChangeOrderId, OrderId, Refusal, Tenant};

use super::keys::{self, OrderKey};
use super::refusals;
use crate::domain::attention::AttentionItem;

pub type AttentionKey = (Tenant, AttentionId);

/// Only items of locked orders are read to be closed, so they need no lock of their own.
static LOAD_OPEN: Statement = Statement::new(
    "order.load_open_attention",
    "SELECT a.tenant_id, a.attention_id, a.subject_type, a.subject_id, a.order_id, a.change_order_id, a.reason,
       a.message, a.details, a.allowed_actions, a.opened_at, a.closed_at, a.closed_by, a.closing_note
       FROM rows($1: tenant_id text, order_id text) AS r
       JOIN attention AS a ON a.tenant_id = r.tenant_id AND a.order_id = r.order_id
      WHERE a.closed_at IS NULL
      ORDER BY a.tenant_id, a.attention_id",
);

/// Items about no order of ours are found by what they are about.
static LOAD_OPEN_BY_SUBJECT: Statement = Statement::new(
    "order.load_open_attention_by_subject",
    "SELECT a.tenant_id, a.attention_id, a.subject_type, a.subject_id, a.order_id, a.change_order_id, a.reason,
       a.message, a.details, a.allowed_actions, a.opened_at, a.closed_at, a.closed_by, a.closing_note
       FROM rows($1: tenant_id text, subject_type text, subject_id text) AS r
       JOIN attention AS a
         ON a.tenant_id = r.tenant_id AND a.subject_type = r.subject_type AND a.subject_id = r.subject_id
      WHERE a.closed_at IS NULL
      ORDER BY a.tenant_id, a.attention_id",
);

/// Which orders items are about; an item keeps its order.
static FIND_ORDERS: Statement = Statement::new(
    "order.find_orders_of_attention",
    "SELECT a.tenant_id, a.order_id
       FROM rows($1: tenant_id text, attention_id text) AS r
       JOIN attention AS a ON a.tenant_id = r.tenant_id AND a.attention_id = r.attention_id
      WHERE a.order_id IS NOT NULL",
);

static LOAD: Statement = Statement::new(
    "order.load_attention",
    "SELECT a.tenant_id, a.attention_id, a.subject_type, a.subject_id, a.order_id, a.change_order_id, a.reason,
       a.message, a.details, a.allowed_actions, a.opened_at, a.closed_at, a.closed_by, a.closing_note
       FROM rows($1: tenant_id text, attention_id text) AS r
       JOIN attention AS a ON a.tenant_id = r.tenant_id AND a.attention_id = r.attention_id",
);

static INSERT: Statement = Statement::new(
    "order.insert_attention",
    "INSERT INTO attention rows($1: tenant_id text, attention_id text, closed_at text, closed_by text,
       closing_note text, subject_type text, subject_id text, order_id text, change_order_id text,
       reason text, message text, details text, allowed_actions text, opened_at text)",
);

static CLOSE: Statement = Statement::new(
    "order.close_attention",
    "UPDATE attention SET rows($1: tenant_id text, attention_id text | closed_at text, closed_by text,
       closing_note text)
      AND attention.closed_at IS NULL",
);

static LIST: Statement = Statement::new(
    "order.list_attention",
    "SELECT tenant_id, attention_id, subject_type, subject_id, order_id, change_order_id, reason, message, details,
       allowed_actions, opened_at, closed_at, closed_by, closing_note
       FROM attention
      WHERE tenant_id = $1 AND attention_id > $2 AND (closed_at IS NULL OR $3 = 1)
      ORDER BY attention_id LIMIT $4",
);

/// The open items of these orders.
pub async fn load_open(
    tx: &mut Tx,
    orders: &BTreeSet<OrderKey>,
) -> Result<Vec<(AttentionKey, AttentionItem)>, DbError> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let rows = tx.fetch_all(&LOAD_OPEN, values![keys::rows(orders)]).await?;
    rows.iter().map(|row| Ok((key(row)?, read(row)?))).collect()
}

/// The open items about these subjects: tenant, type and id.
pub async fn load_open_by_subject(
    tx: &mut Tx,
    subjects: &BTreeSet<(Tenant, String, String)>,
) -> Result<Vec<(AttentionKey, AttentionItem)>, DbError> {
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    let named: Rows = subjects.iter().map(|(tenant, kind, id)| values![tenant, kind, id]).collect();
    let rows = tx.fetch_all(&LOAD_OPEN_BY_SUBJECT, values![named]).await?;
    rows.iter().map(|row| Ok((key(row)?, read(row)?))).collect()
}

/// The orders of these items; none of those that are about no order of ours.
pub async fn find_orders(tx: &mut Tx, items: &BTreeSet<AttentionKey>) -> Result<Vec<OrderKey>, DbError> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let rows = tx.fetch_all(&FIND_ORDERS, values![keys::rows(items)]).await?;
    rows.iter().map(|row| Ok((row.tenant()?, row.parsed("order_id", OrderId::parse)?))).collect()
}

/// These items, open or closed.
pub async fn load(
    tx: &mut Tx,
    items: &BTreeSet<AttentionKey>,
) -> Result<Vec<(AttentionKey, AttentionItem)>, DbError> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let rows = tx.fetch_all(&LOAD, values![keys::rows(items)]).await?;
    rows.iter().map(|row| Ok((key(row)?, read(row)?))).collect()
}

/// Writes the items that were opened or closed; nothing else about them changes.
pub async fn flush(tx: &mut Tx, items: &Table<AttentionKey, AttentionItem>) -> Result<(), DbError> {
    let closing = |key: &AttentionKey, item: &AttentionItem| {
        record! {
            tenant_id: &key.0,
            attention_id: &key.1,
            closed_at: item.closed_at,
            closed_by: &item.closed_by,
            closing_note: &item.closing_note,
        }
    };
    let opening = |key: &AttentionKey, item: &AttentionItem| {
        let row = closing(key, item);
        row.and(record! {
            subject_type: &item.subject_type,
            subject_id: &item.subject_id,
            order_id: item.order_id.as_ref(),
            change_order_id: item.change_order_id.as_ref(),
        })
        .and(refusals::record(["reason", "message", "details"], Some(&item.cause)))
        .and(record! {
            allowed_actions: item.allowed_actions.join(" "),
            opened_at: item.opened_at,
        })
    };
    // Closed ones first: the same cause may have been opened again.
    items.flush_updates(tx, &CLOSE, closing).await?;
    items.flush_inserts(tx, &INSERT, opening).await
}

/// At most `limit` items behind an id, oldest first.
pub async fn list(
    tx: &mut Tx,
    tenant: &Tenant,
    after: &str,
    include_closed: bool,
    limit: i64,
) -> Result<Vec<AttentionItem>, DbError> {
    let values: Vec<Value> = values![tenant, after, i64::from(include_closed), limit];
    tx.fetch_all(&LIST, values).await?.iter().map(read).collect()
}

fn key(row: &Row) -> Result<AttentionKey, DbError> {
    Ok((row.tenant()?, row.parsed("attention_id", AttentionId::parse)?))
}

fn read(row: &Row) -> Result<AttentionItem, DbError> {
    let cause: Option<Refusal> = refusals::read(row, "reason", "message", "details")?;
    Ok(AttentionItem {
        attention_id: row.parsed("attention_id", AttentionId::parse)?,
        subject_type: row.text("subject_type")?,
        subject_id: row.text("subject_id")?,
        order_id: row.opt_parsed("order_id", OrderId::parse)?,
        change_order_id: row.opt_parsed("change_order_id", ChangeOrderId::parse)?,
        cause: cause.ok_or_else(|| DbError::malformed(LIST.name(), "an item without a reason"))?,
        allowed_actions: row.text("allowed_actions")?.split(' ').map(str::to_owned).collect(),
        opened_at: row.timestamp("opened_at")?,
        closed_at: row.opt_timestamp("closed_at")?,
        closed_by: row.text("closed_by")?,
        closing_note: row.text("closing_note")?,
    })
}

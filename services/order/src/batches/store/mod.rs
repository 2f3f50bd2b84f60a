//! `batch`, `batch_item` and `batch_estimate`: batches, their orders, and what they would take back.

pub mod forecast;
pub mod totals;

use std::collections::BTreeMap;

use storage::{DbError, Record, Row, Rows, Statement, Tx, record, values};
use types::{BatchId, ChangeOrderId, OrderId, Tenant, Timestamp};

use crate::batches::domain::means::Allowance;
use crate::batches::domain::{Batch, BatchState, Estimate, Item, ItemState};
use crate::domain::change::LabelAction;
use crate::domain::order::Actor;
use crate::store::refusals;

static INSERT: Statement = Statement::new(
    "order.insert_batch",
    "INSERT INTO batch rows($1: tenant_id text, batch_id text, state text, sku text, reason_code text,
       note text, items bigint, created_by_user text, created_by_org text, created_by_role text,
       created_at text, finished_at = NULL, claimed_until = CAST(0 AS BIGINT), label_action text,
       rates text)",
);

static INSERT_ITEMS: Statement = Statement::new(
    "order.insert_batch_items",
    "INSERT INTO batch_item rows($1: tenant_id text, batch_id text, item_number bigint, named text,
       order_id text, state = 'waiting', currency = '', amount_minor = CAST(0 AS BIGINT),
       units = CAST(0 AS BIGINT))",
);

static FIND: Statement = Statement::new(
    "order.find_batch",
    "SELECT tenant_id, batch_id, state, sku, reason_code, note, items, created_by_user, created_by_org,
       created_by_role, created_at, finished_at, label_action, rates
       FROM batch WHERE tenant_id = $1 AND batch_id = $2",
);

static LIST: Statement = Statement::new(
    "order.list_batches",
    "SELECT tenant_id, batch_id, state, sku, reason_code, note, items, created_by_user, created_by_org,
       created_by_role, created_at, finished_at, label_action, rates
       FROM batch WHERE tenant_id = $1 AND batch_id > $2 ORDER BY batch_id LIMIT $3",
);

static SET_STATE: Statement = Statement::new(
    "order.set_batch_state",
    "UPDATE batch SET state = $4, finished_at = $5 WHERE tenant_id = $1 AND batch_id = $2 AND state = $3",
);

static CLAIM: Statement = Statement::new(
    "order.claim_batch",
    "WITH due AS MATERIALIZED (
       SELECT tenant_id, batch_id FROM batch
        WHERE state IN ('estimating', 'running') AND claimed_until <= $1
        ORDER BY claimed_until, batch_id LIMIT 1 FOR UPDATE SKIP LOCKED)
     UPDATE batch SET claimed_until = $2 FROM due
      WHERE batch.tenant_id = due.tenant_id AND batch.batch_id = due.batch_id
     RETURNING batch.tenant_id AS tenant_id, batch.batch_id AS batch_id, batch.state AS state, batch.sku AS sku,
       batch.reason_code AS reason_code, batch.note AS note, batch.items AS items,
       batch.created_by_user AS created_by_user, batch.created_by_org AS created_by_org,
       batch.created_by_role AS created_by_role, batch.created_at AS created_at, batch.finished_at AS finished_at,
       batch.label_action AS label_action, batch.rates AS rates",
);

/// Fails when the claim was lost meanwhile: then somebody else has the batch.
static RENEW: Statement = Statement::new(
    "order.renew_batch_claim",
    "UPDATE batch SET claimed_until = $4 WHERE tenant_id = $1 AND batch_id = $2 AND claimed_until = $3
     RETURNING state",
);

static ITEMS: Statement = Statement::new(
    "order.list_batch_items",
    "SELECT item_number, named, order_id, state, estimate, lines, change_order_id, cause_reason, cause_message,
       cause_details, currency, amount_minor, units, label_action, integration, fixed_at
       FROM batch_item
      WHERE tenant_id = $1 AND batch_id = $2 AND item_number > $3
        AND ($4 = 0 OR state IN (SELECT state FROM rows($6: state text)))
      ORDER BY item_number LIMIT $5",
);

/// What is to be submitted next: what was fixed, and what waits for nobody's rate.
static DUE: Statement = Statement::new(
    "order.due_batch_items",
    "SELECT item_number, named, order_id, state, estimate, lines, change_order_id, cause_reason, cause_message,
       cause_details, currency, amount_minor, units, label_action, integration, fixed_at
       FROM batch_item
      WHERE tenant_id = $1 AND batch_id = $2
        AND (state = 'submitting' OR (state = 'waiting' AND $3 = 0
          AND integration NOT IN (SELECT integration FROM rows($5: integration text))))
      ORDER BY item_number LIMIT $4",
);

/// How many items were fixed since an instant, by integration.
static FIXED_SINCE: Statement = Statement::new(
    "order.batch_items_fixed_since",
    "SELECT integration, COUNT(*) AS items FROM batch_item
      WHERE tenant_id = $1 AND batch_id = $2 AND fixed_at > $3 AND fixed_at > 0 GROUP BY integration",
);

/// Items that nothing was foreseen of yet.
static UNFORESEEN: Statement = Statement::new(
    "order.unforeseen_batch_items",
    "SELECT item_number, named, order_id, state, estimate, lines, change_order_id, cause_reason, cause_message,
       cause_details, currency, amount_minor, units, label_action, integration, fixed_at
       FROM batch_item WHERE tenant_id = $1 AND batch_id = $2 AND estimate IS NULL
      ORDER BY item_number LIMIT $3",
);

static UPDATE_ITEMS: Statement = Statement::new(
    "order.update_batch_items",
    "UPDATE batch_item SET rows($1: tenant_id text, batch_id text, item_number bigint | order_id text,
       state text, estimate text, lines text, change_order_id text, cause_reason text,
       cause_message text, cause_details text, currency text, amount_minor bigint, units bigint,
       label_action text, integration text, fixed_at bigint)",
);

static INSERT_ESTIMATE: Statement = Statement::new(
    "order.insert_batch_estimate",
    "INSERT INTO batch_estimate rows($1: tenant_id text, batch_id text, item_number bigint, sku text,
       units bigint)",
);

/// A worker that holds a batch, until an instant of the database's clock.
#[derive(Debug, Clone)]
pub struct Claim {
    pub batch: Batch,
    pub until: i64,
}

pub async fn insert(tx: &mut Tx, batch: &Batch, items: &[Item]) -> Result<(), DbError> {
    let by = &batch.created_by;
    let row: Rows = std::iter::once(record! {
        tenant_id: &batch.tenant,
        batch_id: &batch.batch_id,
        state: batch.state.as_str(),
        sku: &batch.sku,
        reason_code: &batch.reason_code,
        note: &batch.note,
        items: batch.items,
        created_by_user: &by.user,
        created_by_org: &by.organisation,
        created_by_role: &by.role,
        created_at: batch.created_at,
        label_action: batch.label_action.as_str(),
        rates: serde_json::to_string(&batch.rates).expect("texts and numbers always have a JSON form"),
    })
    .collect();
    tx.execute_exactly(&INSERT, values![row], 1).await?;
    let rows: Rows = items
        .iter()
        .map(|item| {
            record! {
                tenant_id: &batch.tenant,
                batch_id: &batch.batch_id,
                item_number: item.item_number,
                named: &item.named,
                order_id: item.order_id.as_ref(),
            }
        })
        .collect();
    tx.execute_exactly(&INSERT_ITEMS, values![rows], items.len() as u64).await
}

pub async fn find(tx: &mut Tx, tenant: &Tenant, batch_id: &BatchId) -> Result<Option<Batch>, DbError> {
    tx.fetch_optional(&FIND, values![tenant, batch_id]).await?.as_ref().map(read).transpose()
}

/// At most `limit` batches behind an id, oldest first.
pub async fn list(tx: &mut Tx, tenant: &Tenant, after: &str, limit: i64) -> Result<Vec<Batch>, DbError> {
    tx.fetch_all(&LIST, values![tenant, after, limit]).await?.iter().map(read).collect()
}

/// Moves a batch on, if it still stands where it was read.
pub async fn set_state(
    tx: &mut Tx,
    batch: &Batch,
    state: BatchState,
    finished_at: Option<Timestamp>,
) -> Result<bool, DbError> {
    let values = values![&batch.tenant, &batch.batch_id, batch.state.as_str(), state.as_str(), finished_at];
    Ok(tx.execute(&SET_STATE, values).await? == 1)
}

/// The batch that has waited longest, if one is due.
pub async fn claim(tx: &mut Tx, now: i64, until: i64) -> Result<Option<Claim>, DbError> {
    let row = tx.fetch_optional(&CLAIM, values![now, until]).await?;
    row.map(|row| Ok(Claim { batch: read(&row)?, until })).transpose()
}

/// Keeps a claim until another instant, or gives it up, and reads what the batch has come to; None when it was lost.
pub async fn renew(tx: &mut Tx, claim: &Claim, until: i64) -> Result<Option<BatchState>, DbError> {
    let batch = &claim.batch;
    let row = tx.fetch_optional(&RENEW, values![&batch.tenant, &batch.batch_id, claim.until, until]).await?;
    row.map(|row| row.named("state", BatchState::parse)).transpose()
}

/// Items in any of these states behind a number; in all states without one.
pub async fn items(
    tx: &mut Tx,
    tenant: &Tenant,
    batch_id: &BatchId,
    states: &[ItemState],
    after: i64,
    limit: i64,
) -> Result<Vec<Item>, DbError> {
    let some = i64::from(!states.is_empty());
    let states: Rows = states.iter().map(|state| values![state.as_str()]).collect();
    let values = values![tenant, batch_id, after, some, limit, states];
    tx.fetch_all(&ITEMS, values).await?.iter().map(read_item).collect()
}

/// The next items to submit, as far as the rates let any go.
pub async fn due(
    tx: &mut Tx,
    batch: &Batch,
    allowance: &Allowance,
    limit: i64,
) -> Result<Vec<Item>, DbError> {
    let spent: Rows = allowance.spent().iter().map(|name| values![name]).collect();
    let values = values![&batch.tenant, &batch.batch_id, i64::from(allowance.is_spent()), limit, spent];
    tx.fetch_all(&DUE, values).await?.iter().map(read_item).collect()
}

pub async fn fixed_since(tx: &mut Tx, batch: &Batch, since: i64) -> Result<BTreeMap<String, i64>, DbError> {
    let rows = tx.fetch_all(&FIXED_SINCE, values![&batch.tenant, &batch.batch_id, since]).await?;
    rows.iter().map(|row| Ok((row.text("integration")?, row.int("items")?))).collect()
}

pub async fn unforeseen(
    tx: &mut Tx,
    tenant: &Tenant,
    batch_id: &BatchId,
    limit: i64,
) -> Result<Vec<Item>, DbError> {
    let values = values![tenant, batch_id, limit];
    tx.fetch_all(&UNFORESEEN, values).await?.iter().map(read_item).collect()
}

pub async fn update_items(tx: &mut Tx, batch: &Batch, items: &[Item]) -> Result<(), DbError> {
    if items.is_empty() {
        return Ok(());
    }
    let rows: Rows = items.iter().map(|item| item_row(batch, item)).collect();
    tx.execute_exactly(&UPDATE_ITEMS, values![rows], items.len() as u64).await
}

/// The units of each article that items would take back: (item, article, units), each article once.
pub async fn insert_estimate(
    tx: &mut Tx,
    batch: &Batch,
    estimate: &[(i64, String, i64)],
) -> Result<(), DbError> {
    if estimate.is_empty() {
        return Ok(());
    }
    let rows: Rows = estimate
        .iter()
        .map(|(item, sku, units)| {
            record! {
                tenant_id: &batch.tenant,
                batch_id: &batch.batch_id,
                item_number: *item,
                sku: sku,
                units: *units,
            }
        })
        .collect();
    tx.execute_exactly(&INSERT_ESTIMATE, values![rows], estimate.len() as u64).await
}

fn item_row(batch: &Batch, item: &Item) -> Record {
    let lines = item
        .lines
        .as_ref()
        .map(|lines| serde_json::to_string(lines).expect("numbers always have a JSON form"));
    let row = record! {
        tenant_id: &batch.tenant,
        batch_id: &batch.batch_id,
        item_number: item.item_number,
        order_id: item.order_id.as_ref(),
        state: item.state.as_str(),
        estimate: item.estimate.map(Estimate::as_str),
        lines: lines,
        change_order_id: item.change_order_id.as_ref(),
    };
    row.and(refusals::record(["cause_reason", "cause_message", "cause_details"], item.cause.as_ref())).and(
        record! {
            currency: &item.currency,
            amount_minor: item.amount_minor,
            units: item.units,
            label_action: item.label_action.as_str(),
            integration: &item.integration,
            fixed_at: item.fixed_at,
        },
    )
}

fn read(row: &Row) -> Result<Batch, DbError> {
    Ok(Batch {
        tenant: row.tenant()?,
        batch_id: row.parsed("batch_id", BatchId::parse)?,
        state: row.named("state", BatchState::parse)?,
        sku: row.text("sku")?,
        reason_code: row.text("reason_code")?,
        note: row.text("note")?,
        label_action: row.named("label_action", LabelAction::parse)?,
        rates: row.parsed("rates", |text| serde_json::from_str(text))?,
        items: row.int("items")?,
        created_by: Actor {
            user: row.text("created_by_user")?,
            organisation: row.text("created_by_org")?,
            role: row.text("created_by_role")?,
        },
        created_at: row.timestamp("created_at")?,
        finished_at: row.opt_timestamp("finished_at")?,
    })
}

fn read_item(row: &Row) -> Result<Item, DbError> {
    let estimate = |text: &str| Estimate::parse(text).ok_or("no such estimate");
    Ok(Item {
        item_number: row.int("item_number")?,
        named: row.text("named")?,
        order_id: row.opt_parsed("order_id", OrderId::parse)?,
        state: row.named("state", ItemState::parse)?,
        estimate: row.opt_parsed("estimate", estimate)?,
        lines: row.opt_parsed("lines", |text| serde_json::from_str(text))?,
        label_action: row.named("label_action", LabelAction::parse)?,
        integration: row.text("integration")?,
        fixed_at: row.int("fixed_at")?,
        change_order_id: row.opt_parsed("change_order_id", ChangeOrderId::parse)?,
        cause: refusals::read(row, "cause_reason", "cause_message", "cause_details")?,
        currency: row.text("currency")?,
        amount_minor: row.int("amount_minor")?,
        units: row.int("units")?,
    })
}

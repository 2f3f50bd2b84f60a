//! What partners were asked: read with their order's goods, found by their own id, and listed for people.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Record, Row, Rows, Statement, Tx, record, values};
use types::{FulfilmentId, OrderId, PartnerTaskId, Tenant};

use crate::domain::{Ask, IntegrationKey, Method, PartnerTask, TaskState, Unconfirmed};
use crate::store::goods::OrderKey;

static LOAD: Statement = Statement::new(
    "inventory.load_partner_tasks",
    "SELECT t.tenant_id, t.order_id, t.task_id, t.fulfilment_id, t.integration_key, t.external_number, t.saga_id,
            t.change_order_id, t.reason_code, t.partner_reason, t.note, t.units, t.unconfirmed, t.state,
            t.method_index, t.method, t.address, t.confirmation_required, t.sent, t.deadline_at, t.requested_at,
            t.answered_at, t.answered_by, t.detail, t.answer, t.shipped_after_cancel, t.due_at, t.tries
       FROM rows($1: tenant_id text, order_id text) AS r
       JOIN partner_task AS t ON t.tenant_id = r.tenant_id AND t.order_id = r.order_id",
);

pub static INSERT: Statement = Statement::new(
    "inventory.insert_partner_tasks",
    "INSERT INTO partner_task rows($1: tenant_id text, order_id text, task_id text, fulfilment_id text,
       integration_key text, external_number text, saga_id text, change_order_id text, reason_code text,
       partner_reason text, note text, units bigint, unconfirmed text, state text, method_index bigint,
       method text, address text, confirmation_required bigint, sent bigint, deadline_at text,
       requested_at text, answered_at text, answered_by text, detail text, answer text,
       shipped_after_cancel bigint, due_at bigint, claimed_until = 0, tries bigint)",
);

pub static UPDATE: Statement = Statement::new(
    "inventory.update_partner_tasks",
    "UPDATE partner_task SET rows($1: tenant_id text, order_id text, task_id text | state text,
       method_index bigint, method text, address text, confirmation_required bigint, sent bigint,
       deadline_at text, answered_at text, answered_by text, detail text, answer text,
       shipped_after_cancel bigint, due_at bigint, claimed_until = 0, tries bigint)",
);

static OWNERS: Statement = Statement::new(
    "inventory.owners_of_partner_tasks",
    "SELECT t.tenant_id, t.task_id, t.order_id, t.saga_id
       FROM rows($1: tenant_id text, task_id text) AS r
       JOIN partner_task AS t ON t.tenant_id = r.tenant_id AND t.task_id = r.task_id",
);

static LIST_OPEN: Statement = Statement::new(
    "inventory.list_open_partner_tasks",
    "SELECT tenant_id, order_id, task_id, fulfilment_id, integration_key, external_number, saga_id, change_order_id,
            reason_code, partner_reason, note, units, unconfirmed, state, method_index, method, address,
            confirmation_required, sent, deadline_at, requested_at, answered_at, answered_by, detail, answer,
            shipped_after_cancel, due_at, tries
       FROM partner_task
      WHERE tenant_id = $1 AND state IN ('requested', 'unconfirmed') AND task_id > $2
      ORDER BY task_id LIMIT $3",
);

static LIARS: Statement = Statement::new(
    "inventory.count_shipped_after_cancel",
    "SELECT integration_key, CAST(COUNT(*) AS BIGINT) AS times FROM partner_task
      WHERE tenant_id = $1 AND shipped_after_cancel = 1 GROUP BY integration_key",
);

pub type TaskKey = (Tenant, PartnerTaskId);

/// The order and the saga of each task; neither ever changes.
pub async fn owners(
    tx: &mut Tx,
    tasks: &BTreeSet<TaskKey>,
) -> Result<BTreeMap<TaskKey, (OrderId, String)>, DbError> {
    let mut owners = BTreeMap::new();
    if tasks.is_empty() {
        return Ok(owners);
    }
    let rows: Rows = tasks.iter().map(|(tenant, id)| values![tenant, id]).collect();
    for row in tx.fetch_all(&OWNERS, values![rows]).await? {
        let owner = (row.parsed("order_id", OrderId::parse)?, row.text("saga_id")?);
        owners.insert((row.tenant()?, row.parsed("task_id", PartnerTaskId::parse)?), owner);
    }
    Ok(owners)
}

/// Tasks without a word, of all orders, by id.
pub async fn list_open(
    tx: &mut Tx,
    tenant: &Tenant,
    after: &str,
    limit: i64,
) -> Result<Vec<(OrderId, PartnerTaskId, PartnerTask)>, DbError> {
    let rows = tx.fetch_all(&LIST_OPEN, values![tenant, after, limit]).await?;
    let read = |row: &Row| {
        let (id, task) = read(row)?;
        Ok((row.parsed("order_id", OrderId::parse)?, id, task))
    };
    rows.iter().map(read).collect()
}

/// How often each partner shipped what it had agreed to stop.
pub async fn shipped_after_cancel(tx: &mut Tx, tenant: &Tenant) -> Result<BTreeMap<String, i64>, DbError> {
    let rows = tx.fetch_all(&LIARS, values![tenant]).await?;
    rows.iter().map(|row| Ok((row.text("integration_key")?, row.int("times")?))).collect()
}

pub(super) async fn load(tx: &mut Tx, orders: &Rows) -> Result<Vec<Row>, DbError> {
    tx.fetch_all(&LOAD, values![orders.clone()]).await
}

pub(super) fn read(row: &Row) -> Result<(PartnerTaskId, PartnerTask), DbError> {
    let index = usize::try_from(row.int("method_index")?);
    let task = PartnerTask {
        fulfilment_id: row.opt_parsed("fulfilment_id", FulfilmentId::parse)?,
        integration: row.parsed("integration_key", IntegrationKey::parse)?,
        external_number: row.text("external_number")?,
        saga_id: row.text("saga_id")?,
        ask: Ask {
            change_order_id: row.text("change_order_id")?,
            reason_code: row.text("reason_code")?,
            note: row.text("note")?,
            unconfirmed: row.named("unconfirmed", Unconfirmed::from_name)?,
        },
        partner_reason: row.text("partner_reason")?,
        units: row.int("units")?,
        state: row.named("state", TaskState::from_name)?,
        method_index: index.map_err(|problem| DbError::malformed(LOAD.name(), problem))?,
        method: row.named("method", Method::from_name)?,
        address: row.text("address")?,
        confirmation_required: row.int("confirmation_required")? == 1,
        sent: row.int("sent")? == 1,
        deadline_at: row.timestamp("deadline_at")?,
        requested_at: row.timestamp("requested_at")?,
        answered_at: row.opt_timestamp("answered_at")?,
        answered_by: row.text("answered_by")?,
        detail: row.text("detail")?,
        answer: row.text("answer")?,
        shipped_after_cancel: row.int("shipped_after_cancel")? == 1,
        due_at: row.int("due_at")?,
        tries: row.int("tries")?,
    };
    Ok((row.parsed("task_id", PartnerTaskId::parse)?, task))
}

pub(super) fn row((tenant, order): &OrderKey, id: &PartnerTaskId, task: &PartnerTask) -> Record {
    record! {
        tenant_id: tenant,
        order_id: order,
        task_id: id,
        fulfilment_id: task.fulfilment_id.as_ref().map(FulfilmentId::as_str),
        integration_key: &task.integration,
        external_number: &task.external_number,
        saga_id: &task.saga_id,
        change_order_id: &task.ask.change_order_id,
        reason_code: &task.ask.reason_code,
        partner_reason: &task.partner_reason,
        note: &task.ask.note,
        units: task.units,
        unconfirmed: task.ask.unconfirmed.as_str(),
        state: task.state.as_str(),
        method_index: i64::try_from(task.method_index).expect("a profile has few methods"),
        method: task.method.as_str(),
        address: &task.address,
        confirmation_required: i64::from(task.confirmation_required),
        sent: i64::from(task.sent),
        deadline_at: task.deadline_at,
        requested_at: task.requested_at,
        answered_at: task.answered_at,
        answered_by: &task.answered_by,
        detail: &task.detail,
        answer: &task.answer,
        shipped_after_cancel: i64::from(task.shipped_after_cancel),
        due_at: task.due_at,
        tries: task.tries,
    }
}

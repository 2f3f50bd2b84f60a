//! Finding what carriers and partners must be asked, and keeping other processes from asking at the same time. Time is
//! the service's own clock here, because windows and deadlines are judged by it; a clock that runs wrong costs a double
//! question, never a double effect.

use storage::{DbError, Row, Statement, Tx, values};
use types::{LabelId, OrderId, PartnerTaskId, Tenant};

/// Rows of one kind claimed at once.
pub const LIMIT: usize = 64;

/// Looked at before claiming, so that an idle service writes nothing.
static DUE: Statement = Statement::new(
    "inventory.errands_due",
    "SELECT CAST(COUNT(*) AS BIGINT) AS due FROM (
        SELECT 1 AS one FROM label WHERE due_at <> 0 AND due_at <= $1 AND claimed_until <= $1
        UNION ALL SELECT 1 FROM partner_task WHERE due_at <> 0 AND due_at <= $1 AND claimed_until <= $1) AS work",
);

static CLAIM_LABELS: Statement = Statement::new(
    "inventory.claim_labels",
    "WITH due AS MATERIALIZED (
        SELECT tenant_id, order_id, label_id FROM label
         WHERE due_at <> 0 AND due_at <= $1 AND claimed_until <= $1
         ORDER BY due_at LIMIT 64 FOR UPDATE SKIP LOCKED)
     UPDATE label SET claimed_until = $2 FROM due
      WHERE label.tenant_id = due.tenant_id AND label.order_id = due.order_id AND label.label_id = due.label_id
     RETURNING label.tenant_id AS tenant_id, label.order_id AS order_id, label.label_id AS label_id",
);

static CLAIM_TASKS: Statement = Statement::new(
    "inventory.claim_partner_tasks",
    "WITH due AS MATERIALIZED (
        SELECT tenant_id, order_id, task_id FROM partner_task
         WHERE due_at <> 0 AND due_at <= $1 AND claimed_until <= $1
         ORDER BY due_at LIMIT 64 FOR UPDATE SKIP LOCKED)
     UPDATE partner_task SET claimed_until = $2 FROM due
      WHERE partner_task.tenant_id = due.tenant_id AND partner_task.order_id = due.order_id
        AND partner_task.task_id = due.task_id
     RETURNING partner_task.tenant_id AS tenant_id, partner_task.order_id AS order_id,
               partner_task.task_id AS task_id",
);

/// What is due, of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    Label(LabelId),
    Task(PartnerTaskId),
}

pub async fn anything_due(tx: &mut Tx, now_micros: i64) -> Result<bool, DbError> {
    Ok(tx.fetch_one(&DUE, values![now_micros]).await?.int("due")? > 0)
}

/// Claims what is due until then, at most [`LIMIT`] of each kind.
pub async fn claim(
    tx: &mut Tx,
    now_micros: i64,
    until_micros: i64,
) -> Result<Vec<((Tenant, OrderId), Due)>, DbError> {
    let key = |row: &Row| Ok::<_, DbError>((row.tenant()?, row.parsed("order_id", OrderId::parse)?));
    let mut claimed = Vec::new();
    for row in tx.fetch_all(&CLAIM_LABELS, values![now_micros, until_micros]).await? {
        claimed.push((key(&row)?, Due::Label(row.parsed("label_id", LabelId::parse)?)));
    }
    for row in tx.fetch_all(&CLAIM_TASKS, values![now_micros, until_micros]).await? {
        claimed.push((key(&row)?, Due::Task(row.parsed("task_id", PartnerTaskId::parse)?)));
    }
    Ok(claimed)
}

//! Finding what the gateway must be asked, and keeping other processes from asking at the same time.

use storage::{DbError, Row, Statement, Tx, values};
use types::{CaptureId, PaymentId, RefundId};

use super::{OrderKey, order_key};
use crate::domain::gateway::Subject;

/// Rows of one kind claimed at once.
pub const LIMIT: usize = 64;

/// Looked at before claiming, so that an idle service writes nothing.
static DUE: Statement = Statement::new(
    "payment.due",
    "SELECT CAST(COUNT(*) AS BIGINT) AS due FROM (
        SELECT 1 AS one FROM payment WHERE next_at <> 0 AND next_at <= $1 AND claimed_until <= $1
        UNION ALL SELECT 1 FROM capture WHERE next_at <> 0 AND next_at <= $1 AND claimed_until <= $1
        UNION ALL SELECT 1 FROM refund WHERE next_at <> 0 AND next_at <= $1 AND claimed_until <= $1) AS work",
);

static CLAIM_PAYMENTS: Statement = Statement::new(
    "payment.claim_payments",
    "WITH due AS MATERIALIZED (
        SELECT tenant_id, order_id, payment_id FROM payment
         WHERE next_at <> 0 AND next_at <= $1 AND claimed_until <= $1
         ORDER BY next_at LIMIT 64 FOR UPDATE SKIP LOCKED)
     UPDATE payment SET claimed_until = $2 FROM due
      WHERE payment.tenant_id = due.tenant_id AND payment.order_id = due.order_id
        AND payment.payment_id = due.payment_id
     RETURNING payment.tenant_id AS tenant_id, payment.order_id AS order_id, payment.payment_id AS payment_id",
);

static CLAIM_CAPTURES: Statement = Statement::new(
    "payment.claim_captures",
    "WITH due AS MATERIALIZED (
        SELECT tenant_id, order_id, capture_id FROM capture
         WHERE next_at <> 0 AND next_at <= $1 AND claimed_until <= $1
         ORDER BY next_at LIMIT 64 FOR UPDATE SKIP LOCKED)
     UPDATE capture SET claimed_until = $2 FROM due
      WHERE capture.tenant_id = due.tenant_id AND capture.order_id = due.order_id
        AND capture.capture_id = due.capture_id
     RETURNING capture.tenant_id AS tenant_id, capture.order_id AS order_id, capture.capture_id AS capture_id",
);

static CLAIM_REFUNDS: Statement = Statement::new(
    "payment.claim_refunds",
    "WITH due AS MATERIALIZED (
        SELECT tenant_id, order_id, refund_id FROM refund
         WHERE next_at <> 0 AND next_at <= $1 AND claimed_until <= $1
         ORDER BY next_at LIMIT 64 FOR UPDATE SKIP LOCKED)
     UPDATE refund SET claimed_until = $2 FROM due
      WHERE refund.tenant_id = due.tenant_id AND refund.order_id = due.order_id
        AND refund.refund_id = due.refund_id
     RETURNING refund.tenant_id AS tenant_id, refund.order_id AS order_id, refund.refund_id AS refund_id",
);

static FREE_PAYMENTS: Statement = Statement::new(
    "payment.free_payments",
    "UPDATE payment SET claimed_until = 0 WHERE next_at <> 0 AND claimed_until <> 0",
);

static FREE_CAPTURES: Statement = Statement::new(
    "payment.free_captures",
    "UPDATE capture SET claimed_until = 0 WHERE next_at <> 0 AND claimed_until <> 0",
);

static FREE_REFUNDS: Statement = Statement::new(
    "payment.free_refunds",
    "UPDATE refund SET claimed_until = 0 WHERE next_at <> 0 AND claimed_until <> 0",
);

pub async fn anything_due(tx: &mut Tx) -> Result<bool, DbError> {
    let now = tx.db_now().await?;
    Ok(tx.fetch_one(&DUE, values![now]).await?.int("due")? > 0)
}

/// Claims what is due for `claim_micros`, at most [`LIMIT`] of each kind.
pub async fn claim(tx: &mut Tx, claim_micros: i64) -> Result<Vec<(OrderKey, Subject)>, DbError> {
    let now = tx.db_now().await?;
    let until = now + claim_micros;
    let mut claimed = Vec::new();
    for row in tx.fetch_all(&CLAIM_PAYMENTS, values![now, until]).await? {
        claimed.push((order_key(&row)?, Subject::Payment(row.parsed("payment_id", PaymentId::parse)?)));
    }
    for row in tx.fetch_all(&CLAIM_CAPTURES, values![now, until]).await? {
        claimed.push((order_key(&row)?, Subject::Capture(row.parsed("capture_id", CaptureId::parse)?)));
    }
    for row in tx.fetch_all(&CLAIM_REFUNDS, values![now, until]).await? {
        claimed.push((order_key(&row)?, refund(&row)?));
    }
    Ok(claimed)
}

/// Ends all claims. Only for a process that knows to be alone with its database, at its start:
/// then every claim is one of its own former life.
pub async fn free_all(tx: &mut Tx) -> Result<u64, DbError> {
    let mut freed = 0;
    for statement in [&FREE_PAYMENTS, &FREE_CAPTURES, &FREE_REFUNDS] {
        freed += tx.execute(statement, values![]).await?;
    }
    Ok(freed)
}

fn refund(row: &Row) -> Result<Subject, DbError> {
    Ok(Subject::Refund(row.parsed("refund_id", RefundId::parse)?))
}

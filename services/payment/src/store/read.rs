//! Reads for clients, and finding an order by the id of what belongs to it.

use std::collections::BTreeMap;

use storage::{DbError, Row, Rows, Statement, Tx, values};
use types::{ChangeOrderId, Currency, OrderId, PaymentId, RefundId, Tenant};

use super::refund::refund;
use crate::domain::Refund;
use crate::domain::refund::State;

static ORDERS_OF_PAYMENTS: Statement = Statement::new(
    "payment.orders_of_payments",
    "SELECT p.tenant_id, p.order_id, p.payment_id FROM payment AS p
       JOIN rows($1: tenant_id text, payment_id text) AS r
         ON p.tenant_id = r.tenant_id AND p.payment_id = r.payment_id",
);

static REFUND: Statement = Statement::new(
    "payment.read_refund",
    "SELECT f.tenant_id, f.order_id, f.refund_id, f.payment_id, f.capture_id, f.change_order_id, f.saga_id, f.step,
            f.kind, f.method, f.retry_of, f.state, f.amount_minor, f.resolution_reference, f.resolution_note,
            f.gateway_reference, f.detail, f.tries, f.next_at, f.claimed_until,
            f.created_at, f.updated_at, a.currency
       FROM refund AS f JOIN account AS a ON a.tenant_id = f.tenant_id AND a.order_id = f.order_id
      WHERE f.tenant_id = $1 AND f.refund_id = $2",
);

static REFUNDS: Statement = Statement::new(
    "payment.list_refunds",
    "SELECT f.tenant_id, f.order_id, f.refund_id, f.payment_id, f.capture_id, f.change_order_id, f.saga_id, f.step,
            f.kind, f.method, f.retry_of, f.state, f.amount_minor, f.resolution_reference, f.resolution_note,
            f.gateway_reference, f.detail, f.tries, f.next_at, f.claimed_until,
            f.created_at, f.updated_at, a.currency
       FROM refund AS f JOIN account AS a ON a.tenant_id = f.tenant_id AND a.order_id = f.order_id
      WHERE f.tenant_id = $1 AND f.refund_id > $2 AND ($3 = '' OR $3 LIKE '%,' || f.state || ',%')
      ORDER BY f.refund_id LIMIT $4",
);

static REFUNDS_OF_ORDER: Statement = Statement::new(
    "payment.list_refunds_of_order",
    "SELECT f.tenant_id, f.order_id, f.refund_id, f.payment_id, f.capture_id, f.change_order_id, f.saga_id, f.step,
            f.kind, f.method, f.retry_of, f.state, f.amount_minor, f.resolution_reference, f.resolution_note,
            f.gateway_reference, f.detail, f.tries, f.next_at, f.claimed_until,
            f.created_at, f.updated_at, a.currency
       FROM refund AS f JOIN account AS a ON a.tenant_id = f.tenant_id AND a.order_id = f.order_id
      WHERE f.tenant_id = $1 AND f.refund_id > $2 AND ($3 = '' OR $3 LIKE '%,' || f.state || ',%')
        AND f.order_id = $5 AND ($6 = '' OR f.change_order_id = $6)
      ORDER BY f.refund_id LIMIT $4",
);

static REFUNDS_OF_CHANGE: Statement = Statement::new(
    "payment.list_refunds_of_change",
    "SELECT f.tenant_id, f.order_id, f.refund_id, f.payment_id, f.capture_id, f.change_order_id, f.saga_id, f.step,
            f.kind, f.method, f.retry_of, f.state, f.amount_minor, f.resolution_reference, f.resolution_note,
            f.gateway_reference, f.detail, f.tries, f.next_at, f.claimed_until,
            f.created_at, f.updated_at, a.currency
       FROM refund AS f JOIN account AS a ON a.tenant_id = f.tenant_id AND a.order_id = f.order_id
      WHERE f.tenant_id = $1 AND f.refund_id > $2 AND ($3 = '' OR $3 LIKE '%,' || f.state || ',%')
        AND f.change_order_id = $5
      ORDER BY f.refund_id LIMIT $4",
);

/// A refund with what its own row does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub order_id: OrderId,
    pub currency: Currency,
    pub refund: Refund,
}

/// Which refunds a client wants to see; all filters hold together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    pub order_id: Option<OrderId>,
    pub change_order_id: Option<ChangeOrderId>,
    /// Any when empty.
    pub states: Vec<State>,
}

/// The orders that payments belong to; a payment that does not exist has none.
pub async fn orders_of_payments<'a>(
    tx: &mut Tx,
    payments: impl Iterator<Item = (&'a Tenant, &'a PaymentId)>,
) -> Result<BTreeMap<(Tenant, PaymentId), OrderId>, DbError> {
    let rows: Rows = payments.map(|(tenant, payment_id)| values![tenant, payment_id]).collect();
    if rows.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = tx.fetch_all(&ORDERS_OF_PAYMENTS, values![rows]).await?;
    rows.iter()
        .map(|row| {
            let payment_id = row.parsed("payment_id", PaymentId::parse)?;
            Ok(((row.tenant()?, payment_id), row.parsed("order_id", OrderId::parse)?))
        })
        .collect()
}

pub async fn find_refund(
    tx: &mut Tx,
    tenant: &Tenant,
    refund_id: &RefundId,
) -> Result<Option<Found>, DbError> {
    tx.fetch_optional(&REFUND, values![tenant, refund_id]).await?.as_ref().map(found).transpose()
}

/// At most `limit` refunds with ids above `after`, which is empty for the first page.
pub async fn list_refunds(
    tx: &mut Tx,
    tenant: &Tenant,
    filter: &Filter,
    after: &str,
    limit: i64,
) -> Result<Vec<Found>, DbError> {
    let states: Vec<&str> = filter.states.iter().map(|state| state.as_str()).collect();
    let states = if states.is_empty() { String::new() } else { format!(",{},", states.join(",")) };
    let rows = match (&filter.order_id, &filter.change_order_id) {
        (Some(order_id), change) => {
            let change = change.as_ref().map_or("", AsRef::as_ref);
            let values = values![tenant, after, &states, limit, order_id, change];
            tx.fetch_all(&REFUNDS_OF_ORDER, values).await?
        }
        (None, Some(change)) => {
            let values = values![tenant, after, &states, limit, change];
            tx.fetch_all(&REFUNDS_OF_CHANGE, values).await?
        }
        (None, None) => tx.fetch_all(&REFUNDS, values![tenant, after, &states, limit]).await?,
    };
    rows.iter().map(found).collect()
}

fn found(row: &Row) -> Result<Found, DbError> {
    Ok(Found {
        order_id: row.parsed("order_id", OrderId::parse)?,
        currency: row.parsed("currency", Currency::parse)?,
        refund: refund(row)?,
    })
}

//! `order_label`: the labels of orders one by one, for reports. What decides nothing is kept beside what the head shows.

use storage::{DbError, Record, Statement, Table, Tx, record, values};

use super::keys::OrderKey;
use crate::domain::order::Order;

static PUT: Statement = Statement::new(
    "order.put_order_labels",
    "INSERT INTO order_label rows($1: tenant_id text, order_id text, label_id text, currency text,
       cost_minor bigint, state text, credit text)
     WHERE TRUE ON CONFLICT (tenant_id, order_id, label_id) DO UPDATE SET currency = excluded.currency, cost_minor = excluded.cost_minor, state = excluded.state, credit = excluded.credit",
);

/// Writes the labels of those orders whose labels have moved.
pub async fn flush(tx: &mut Tx, orders: &Table<OrderKey, Order>) -> Result<(), DbError> {
    let moved = orders.updated().into_iter().filter(|(key, order)| {
        orders.loaded(key).is_none_or(|before| before.outside.labels != order.outside.labels)
    });
    let rows: Vec<Record> = moved
        .flat_map(|(_, order)| {
            order.outside.labels.iter().map(move |label| {
                record! {
                    tenant_id: &order.tenant,
                    order_id: &order.order_id,
                    label_id: &label.label_id,
                    currency: &label.currency,
                    cost_minor: label.cost_minor,
                    state: &label.state,
                    credit: &label.credit,
                }
            })
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let expected = rows.len() as u64;
    tx.execute_exactly(&PUT, values![rows], expected).await
}

//! `order_label`: the labels of orders one by one, for reports. What decides nothing is kept beside what the head shows.

use storage::{DbError, Rows, Statement, Table, Tx, values};

use super::keys::OrderKey;
use crate::domain::order::Order;

static PUT: Statement = Statement::new(
    "order.put_order_labels",
    "INSERT INTO order_label (tenant_id, order_id, label_id, currency, cost_minor, state, credit)
     SELECT tenant_id, order_id, label_id, currency, cost_minor, state, credit
       FROM rows($1: tenant_id text, order_id text, label_id text, currency text, cost_minor bigint, state text,
         credit text)
      WHERE TRUE
     ON CONFLICT (tenant_id, order_id, label_id) DO UPDATE
        SET currency = excluded.currency, cost_minor = excluded.cost_minor, state = excluded.state,
            credit = excluded.credit",
);

/// Writes the labels of those orders whose labels have moved.
pub async fn flush(tx: &mut Tx, orders: &Table<OrderKey, Order>) -> Result<(), DbError> {
    let moved = orders.updated().into_iter().filter(|(key, order)| {
        orders.loaded(key).is_none_or(|before| before.outside.labels != order.outside.labels)
    });
    let rows: Vec<Vec<storage::Value>> = moved
        .flat_map(|(_, order)| {
            order.outside.labels.iter().map(move |label| {
                values![
                    &order.tenant,
                    &order.order_id,
                    &label.label_id,
                    &label.currency,
                    label.cost_minor,
                    &label.state,
                    &label.credit,
                ]
            })
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let expected = rows.len() as u64;
    let rows: Rows = rows.into_iter().collect();
    tx.execute_exactly(&PUT, values![rows], expected).await
}

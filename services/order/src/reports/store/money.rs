//! What cancellations come to in money: what goes back, what fees keep, what labels had cost and what of it is lost.
//!
//! A label counts once, with the last decided cancellation of its order, when somebody wanted it void or nothing of the
//! order is left. By article it cannot be told apart, so there it does not count.

use std::collections::BTreeMap;

use storage::{DbError, Statement, Tx, values};
use types::Tenant;

use super::texts;
use crate::reports::domain::{Dimension, Economics, Span};

/// What goes back and what fees keep, by key and currency.
macro_rules! paid {
    ($key:literal) => {
        concat!(
            "SELECT ",
            $key,
            " AS counted_by, h.currency, CAST(SUM(c.amount_minor) AS BIGINT) AS amount_minor,
                   CAST(SUM(c.fee_minor) AS BIGINT) AS fee_minor
                   FROM change_order AS c
                   JOIN order_head AS h ON h.tenant_id = c.tenant_id AND h.order_id = c.order_id
                  WHERE c.tenant_id = $1 AND c.type IN ('cancel_order', 'cancel_items', 'all_eligible')
                    AND c.decided_at >= $2 AND ($3 = '' OR c.decided_at < $3)
                  GROUP BY 1, 2 ORDER BY 1, 2"
        )
    };
}

/// What labels had cost, what carriers may give or gave back, and what is lost, by key and currency of the label.
macro_rules! labelled {
    ($key:literal) => {
        concat!(
            "SELECT ",
            $key,
            " AS counted_by, b.currency, CAST(SUM(b.cost_minor) AS BIGINT) AS cost_minor,
                   CAST(SUM(CASE WHEN b.credit = 'requested' THEN b.cost_minor ELSE 0 END) AS BIGINT) AS expected_minor,
                   CAST(SUM(CASE WHEN b.credit = 'granted' THEN b.cost_minor ELSE 0 END) AS BIGINT) AS granted_minor,
                   CAST(SUM(CASE WHEN b.credit = 'denied' OR b.state IN ('void_refused', 'purchased')
                                 THEN b.cost_minor ELSE 0 END) AS BIGINT) AS lost_minor
                   FROM order_label AS b
                   JOIN order_head AS h ON h.tenant_id = b.tenant_id AND h.order_id = b.order_id
                   JOIN change_order AS c ON c.tenant_id = b.tenant_id AND c.order_id = b.order_id
                    AND c.change_order_id = (SELECT MAX(x.change_order_id) FROM change_order AS x
                                              WHERE x.tenant_id = b.tenant_id AND x.order_id = b.order_id
                                                AND x.type IN ('cancel_order', 'cancel_items', 'all_eligible')
                                                AND x.decided_at IS NOT NULL)
                  WHERE b.tenant_id = $1 AND c.decided_at >= $2 AND ($3 = '' OR c.decided_at < $3)
                    AND (b.state <> 'purchased' OR h.state = 'cancelled')
                  GROUP BY 1, 2 ORDER BY 1, 2"
        )
    };
}

static PAID_BY_REASON: Statement = Statement::new("order.amounts_by_reason", paid!("c.reason_code"));
static PAID_BY_ROLE: Statement = Statement::new("order.amounts_by_role", paid!("c.requested_by_role"));
static PAID_BY_CHANNEL: Statement = Statement::new("order.amounts_by_channel", paid!("c.channel"));
static PAID_BY_SUPPLIER: Statement = Statement::new("order.amounts_by_supplier", paid!("h.supplier"));
static PAID_BY_STAGE: Statement = Statement::new("order.amounts_by_stage", paid!("c.stage"));
static PAID_BY_DAY: Statement = Statement::new("order.amounts_by_day", paid!("SUBSTR(c.decided_at, 1, 10)"));
/// By article those of its lines, with their share of a fee.
static PAID_BY_SKU: Statement = Statement::new(
    "order.amounts_by_sku",
    "SELECT l.sku AS counted_by, h.currency, CAST(SUM(l.amount_minor) AS BIGINT) AS amount_minor,
            CAST(SUM(l.fee_minor) AS BIGINT) AS fee_minor
       FROM change_order AS c
       JOIN order_head AS h ON h.tenant_id = c.tenant_id AND h.order_id = c.order_id
       JOIN change_order_line AS l ON l.tenant_id = c.tenant_id AND l.change_order_id = c.change_order_id
      WHERE c.tenant_id = $1 AND c.type IN ('cancel_order', 'cancel_items', 'all_eligible')
        AND c.decided_at >= $2 AND ($3 = '' OR c.decided_at < $3)
      GROUP BY 1, 2 ORDER BY 1, 2",
);
static PAID: Statement = Statement::new("order.amounts_of_all", paid!("CAST('' AS TEXT)"));

static LABELS_BY_REASON: Statement = Statement::new("order.labels_by_reason", labelled!("c.reason_code"));
static LABELS_BY_ROLE: Statement = Statement::new("order.labels_by_role", labelled!("c.requested_by_role"));
static LABELS_BY_CHANNEL: Statement = Statement::new("order.labels_by_channel", labelled!("c.channel"));
static LABELS_BY_SUPPLIER: Statement = Statement::new("order.labels_by_supplier", labelled!("h.supplier"));
static LABELS_BY_STAGE: Statement = Statement::new("order.labels_by_stage", labelled!("c.stage"));
static LABELS_BY_DAY: Statement =
    Statement::new("order.labels_by_day", labelled!("SUBSTR(c.decided_at, 1, 10)"));
static LABELS: Statement = Statement::new("order.labels_of_all", labelled!("CAST('' AS TEXT)"));

/// Money by key; by everything at once without a dimension.
pub type ByKey = BTreeMap<String, Vec<Economics>>;

pub async fn economics(
    tx: &mut Tx,
    tenant: &Tenant,
    by: Option<Dimension>,
    span: Span,
) -> Result<ByKey, DbError> {
    let (paid, labels) = match by {
        None => (&PAID, Some(&LABELS)),
        Some(Dimension::Reason) => (&PAID_BY_REASON, Some(&LABELS_BY_REASON)),
        Some(Dimension::Role) => (&PAID_BY_ROLE, Some(&LABELS_BY_ROLE)),
        Some(Dimension::Channel) => (&PAID_BY_CHANNEL, Some(&LABELS_BY_CHANNEL)),
        Some(Dimension::Supplier) => (&PAID_BY_SUPPLIER, Some(&LABELS_BY_SUPPLIER)),
        Some(Dimension::Stage) => (&PAID_BY_STAGE, Some(&LABELS_BY_STAGE)),
        Some(Dimension::Day) => (&PAID_BY_DAY, Some(&LABELS_BY_DAY)),
        Some(Dimension::Sku) => (&PAID_BY_SKU, None),
    };
    let (from, before) = texts(span);
    let mut found: BTreeMap<(String, String), Economics> = BTreeMap::new();
    for row in tx.fetch_all(paid, values![tenant, &from, &before]).await? {
        let currency = row.text("currency")?;
        let money =
            found.entry((row.text("counted_by")?, currency.clone())).or_insert(Economics::of(currency));
        money.amount_minor = row.int("amount_minor")?;
        money.fee_minor = row.int("fee_minor")?;
    }
    if let Some(labels) = labels {
        for row in tx.fetch_all(labels, values![tenant, from, before]).await? {
            let currency = row.text("currency")?;
            let money =
                found.entry((row.text("counted_by")?, currency.clone())).or_insert(Economics::of(currency));
            money.label_cost_minor = row.int("cost_minor")?;
            money.credit_expected_minor = row.int("expected_minor")?;
            money.credit_granted_minor = row.int("granted_minor")?;
            money.label_lost_minor = row.int("lost_minor")?;
        }
    }
    let mut by_key = ByKey::new();
    for ((key, _), money) in found {
        by_key.entry(key).or_default().push(money);
    }
    Ok(by_key)
}

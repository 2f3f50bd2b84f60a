//! Changes that go on with less than was accepted. What was asked for, and its price, never change otherwise.

use storage::{DbError, Record, Rows, Statement, Table, Tx, record, values};

use super::changes::{parts_record, terms_text};
use super::keys::ChangeKey;
use crate::domain::change::{ChangeLine, ChangeOrder, Parts};

static PRICES: Statement = Statement::new(
    "order.shrink_changes",
    "UPDATE change_order SET rows($1: tenant_id text, change_order_id text | new_total_minor bigint,
       terms text, gross_minor bigint, discount_minor bigint, goods_net_minor bigint, tax_minor bigint,
       tax_included bigint, shipping_minor bigint, shipping_tax_minor bigint, fee_minor bigint,
       amount_minor bigint)",
);

static LINES: Statement = Statement::new(
    "order.shrink_change_lines",
    "UPDATE change_order_line SET rows($1: tenant_id text, change_order_id text, line_id text |
       quantity bigint, gross_minor bigint, discount_minor bigint, goods_net_minor bigint,
       tax_minor bigint, tax_included bigint, shipping_minor bigint, shipping_tax_minor bigint,
       fee_minor bigint, amount_minor bigint)",
);

/// Writes the new lines and prices of the changes that have shrunk in this batch.
pub async fn flush(tx: &mut Tx, changes: &Table<ChangeKey, ChangeOrder>) -> Result<(), DbError> {
    let shrunk: Vec<(&ChangeOrder, &ChangeOrder)> = changes
        .updated()
        .into_iter()
        .filter_map(|(key, change)| Some((changes.loaded(key)?, change)))
        .filter(|(before, change)| before.lines != change.lines)
        .collect();
    if shrunk.is_empty() {
        return Ok(());
    }
    let prices: Rows = shrunk.iter().map(|(_, change)| price_row(change)).collect();
    let count = prices.len() as u64;
    tx.execute_exactly(&PRICES, values![prices], count).await?;

    let lines: Rows = shrunk
        .iter()
        .flat_map(|(before, change)| before.lines.iter().map(|line| line_row(change, line)))
        .collect();
    let count = lines.len() as u64;
    tx.execute_exactly(&LINES, values![lines], count).await
}

fn price_row(change: &ChangeOrder) -> Record {
    let row = record! {
        tenant_id: &change.tenant,
        change_order_id: &change.change_order_id,
        new_total_minor: change.new_total_minor,
        terms: terms_text(&change.terms),
    };
    row.and(parts_record(change.amounts))
}

/// A line as it is now; one that the change does not take any more stays with nothing in it.
fn line_row(change: &ChangeOrder, before: &ChangeLine) -> Record {
    let now = change.lines.iter().find(|line| line.line_id == before.line_id);
    let (quantity, parts) = now.map_or((0, Parts::default()), |line| (line.quantity, line.parts));
    let row = record! {
        tenant_id: &change.tenant,
        change_order_id: &change.change_order_id,
        line_id: &before.line_id,
        quantity: quantity,
    };
    row.and(parts_record(parts))
}

//! `change_order` and `change_order_line`. A change is locked through its order's head, so it needs no lock itself.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Record, Row, Rows, Statement, Table, Tx, record, values};
use types::{ChangeOrderId, LineId, OrderId, SagaId, Timestamp};

use super::change_texts::{exceptions_text, in_confidence, read_exceptions, read_in_confidence};
use super::keys::{self, ChangeKey, OrderKey};
use super::refusals;
use crate::domain::change::{
    ChangeLine, ChangeOrder, ChangeState, ChangeType, Channel, LabelAction, Parts, Refund, Settlement, Terms,
};
use crate::domain::order::{Actor, OrderState};

/// The columns of a change, for every statement that reads whole ones.
macro_rules! change_columns {
    () => {
        "c.tenant_id, c.change_order_id, c.order_id, c.number, c.type, c.state, c.saga_id, c.settlement,
         c.label_action, c.reason_code, c.note, c.requested_by_user, c.requested_by_org, c.requested_by_role,
         c.quote_id, c.policy_version, c.rule, c.gross_minor, c.discount_minor, c.goods_net_minor, c.tax_minor,
         c.tax_included, c.shipping_minor, c.shipping_tax_minor, c.fee_minor, c.amount_minor, c.new_total_minor,
         c.cause_reason, c.cause_message, c.cause_details, c.refund_owed_minor, c.exceptions, c.refunds, c.version,
         c.created_at, c.decided_at, c.finished_at, c.shipped_groups, c.attention_open, c.channel, c.stage, c.terms, c.expires_at, c.in_confidence"
    };
}
pub(super) use change_columns;

static LOAD: Statement = Statement::new(
    "order.load_changes",
    concat!(
        "SELECT ",
        change_columns!(),
        " FROM rows($1: tenant_id text, change_order_id text) AS r
          JOIN change_order AS c ON c.tenant_id = r.tenant_id AND c.change_order_id = r.change_order_id"
    ),
);

/// A change never moves to another order or saga, so this may be read before anything is locked.
static FIND_OWNERS: Statement = Statement::new(
    "order.find_change_owners",
    "SELECT c.tenant_id, c.change_order_id, c.order_id, c.saga_id
       FROM rows($1: tenant_id text, change_order_id text) AS r
       JOIN change_order AS c ON c.tenant_id = r.tenant_id AND c.change_order_id = r.change_order_id",
);

static FIND_OF_ORDERS: Statement = Statement::new(
    "order.find_changes_of_orders",
    "SELECT c.tenant_id, c.order_id, c.change_order_id
       FROM rows($1: tenant_id text, order_id text) AS r
       JOIN change_order AS c ON c.tenant_id = r.tenant_id AND c.order_id = r.order_id",
);

static FIND_EXPIRED: Statement = Statement::new(
    "order.find_expired_changes",
    "SELECT tenant_id, change_order_id FROM change_order
      WHERE state = 'requested' AND expires_at <= $1 ORDER BY expires_at, change_order_id LIMIT $2",
);

static INSERT: Statement = Statement::new(
    "order.insert_changes",
    "INSERT INTO change_order rows($1: tenant_id text, change_order_id text, state text, cause_reason text,
       cause_message text, cause_details text, refund_owed_minor bigint, exceptions text, refunds text,
       version bigint, decided_at text, finished_at text, shipped_groups text, attention_open bigint,
       order_id text, number text, type text, saga_id text, settlement text, label_action text,
       reason_code text, note text, requested_by_user text, requested_by_org text,
       requested_by_role text, quote_id text, policy_version text, rule text, new_total_minor bigint,
       created_at text, gross_minor bigint, discount_minor bigint, goods_net_minor bigint,
       tax_minor bigint, tax_included bigint, shipping_minor bigint, shipping_tax_minor bigint,
       fee_minor bigint, amount_minor bigint, channel text, stage text, terms text, expires_at text,
       in_confidence text)",
);

static UPDATE: Statement = Statement::new(
    "order.update_changes",
    "UPDATE change_order SET rows($1: tenant_id text, change_order_id text | state text, cause_reason text,
       cause_message text, cause_details text, refund_owed_minor bigint, exceptions text, refunds text,
       version bigint, decided_at text, finished_at text, shipped_groups text, attention_open bigint)",
);

static LOAD_LINES: Statement = Statement::new(
    "order.load_change_lines",
    "SELECT l.tenant_id, l.change_order_id, l.line_id, l.line_number, l.sku, l.quantity, l.reason_code, l.note,
       l.gross_minor, l.discount_minor, l.goods_net_minor, l.tax_minor, l.tax_included, l.shipping_minor,
       l.shipping_tax_minor, l.fee_minor, l.amount_minor
       FROM rows($1: tenant_id text, change_order_id text) AS r
       JOIN change_order_line AS l ON l.tenant_id = r.tenant_id AND l.change_order_id = r.change_order_id
     WHERE l.quantity > 0
      ORDER BY l.tenant_id, l.change_order_id, l.line_number",
);

static INSERT_LINES: Statement = Statement::new(
    "order.insert_change_lines",
    "INSERT INTO change_order_line rows($1: tenant_id text, change_order_id text, line_id text,
       line_number bigint, sku text, quantity bigint, reason_code text, note text, gross_minor bigint,
       discount_minor bigint, goods_net_minor bigint, tax_minor bigint, tax_included bigint,
       shipping_minor bigint, shipping_tax_minor bigint, fee_minor bigint, amount_minor bigint)",
);

/// Whose a change is: what has to be locked before it is touched.
pub struct Owners {
    pub order_id: OrderId,
    pub saga_id: SagaId,
}

pub async fn find_owners(
    tx: &mut Tx,
    keys: &BTreeSet<ChangeKey>,
) -> Result<BTreeMap<ChangeKey, Owners>, DbError> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = tx.fetch_all(&FIND_OWNERS, values![keys::rows(keys)]).await?;
    rows.iter()
        .map(|row| {
            let owners = Owners {
                order_id: row.parsed("order_id", OrderId::parse)?,
                saga_id: row.parsed("saga_id", SagaId::parse)?,
            };
            Ok((key_of(row)?, owners))
        })
        .collect()
}

/// The changes of each order.
pub async fn find_of_orders(
    tx: &mut Tx,
    orders: &BTreeSet<OrderKey>,
) -> Result<BTreeMap<OrderKey, Vec<ChangeOrderId>>, DbError> {
    let mut found: BTreeMap<OrderKey, Vec<ChangeOrderId>> = BTreeMap::new();
    if orders.is_empty() {
        return Ok(found);
    }
    for row in tx.fetch_all(&FIND_OF_ORDERS, values![keys::rows(orders)]).await? {
        let key = (row.tenant()?, row.parsed("order_id", OrderId::parse)?);
        found.entry(key).or_default().push(row.parsed("change_order_id", ChangeOrderId::parse)?);
    }
    Ok(found)
}

/// Changes of any tenant that had to be answered by now.
pub async fn find_expired(tx: &mut Tx, now: Timestamp, most: i64) -> Result<Vec<ChangeKey>, DbError> {
    tx.fetch_all(&FIND_EXPIRED, values![now, most]).await?.iter().map(key_of).collect()
}

pub async fn load(tx: &mut Tx, keys: &BTreeSet<ChangeKey>) -> Result<Vec<ChangeOrder>, DbError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows = tx.fetch_all(&LOAD, values![keys::rows(keys)]).await?;
    let changes = rows.iter().map(read).collect::<Result<_, _>>()?;
    hang_on(tx, keys, changes).await
}

/// Puts the lines to changes that were read, and keeps the order of the changes.
pub(super) async fn hang_on(
    tx: &mut Tx,
    keys: &BTreeSet<ChangeKey>,
    mut changes: Vec<ChangeOrder>,
) -> Result<Vec<ChangeOrder>, DbError> {
    let places: BTreeMap<ChangeKey, usize> =
        changes.iter().enumerate().map(|(at, change)| (key(change), at)).collect();
    for row in tx.fetch_all(&LOAD_LINES, values![keys::rows(keys)]).await? {
        changes[places[&key_of(&row)?]].lines.push(read_line(&row)?);
    }
    Ok(changes)
}

/// Writes the changes that are new or have moved. What was asked for, and its price,
/// never change but for [`super::shrunk`].
pub async fn flush(tx: &mut Tx, changes: &Table<ChangeKey, ChangeOrder>) -> Result<(), DbError> {
    let inserted = |_: &ChangeKey, change: &ChangeOrder| changing(change).and(unchanging(change));
    // Updates first: a change that lets go of its order makes room for the one that was accepted after it.
    changes.flush_updates(tx, &UPDATE, |_, change| changing(change)).await?;
    changes.flush_inserts(tx, &INSERT, inserted).await?;

    let lines: Rows = changes
        .inserted()
        .into_iter()
        .flat_map(|(_, change)| change.lines.iter().map(move |line| line_row(change, line)))
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    let expected = lines.len() as u64;
    tx.execute_exactly(&INSERT_LINES, values![lines], expected).await
}

pub fn key(change: &ChangeOrder) -> ChangeKey {
    (change.tenant.clone(), change.change_order_id.clone())
}

fn key_of(row: &Row) -> Result<ChangeKey, DbError> {
    Ok((row.tenant()?, row.parsed("change_order_id", ChangeOrderId::parse)?))
}

/// The key, and the columns that move.
fn changing(change: &ChangeOrder) -> Record {
    let row = record! {
        tenant_id: &change.tenant,
        change_order_id: &change.change_order_id,
        state: change.state.as_str(),
    };
    let cause = refusals::record(["cause_reason", "cause_message", "cause_details"], change.cause.as_ref());
    row.and(cause).and(record! {
        refund_owed_minor: change.refund_owed_minor,
        exceptions: exceptions_text(&change.exceptions),
        refunds: serde_json::to_string(&change.refunds).expect("texts and numbers always have a JSON form"),
        version: change.version,
        decided_at: change.decided_at,
        finished_at: change.finished_at,
        shipped_groups: serde_json::to_string(&change.shipped_groups).expect("texts always have a JSON form"),
        attention_open: change.attention_open,
    })
}

/// The columns that are written once.
fn unchanging(change: &ChangeOrder) -> Record {
    let by = &change.requested_by;
    let row = record! {
        order_id: &change.order_id,
        number: &change.number,
        type: change.change_type.as_str(),
        saga_id: &change.saga_id,
        settlement: change.settlement.as_str(),
        label_action: change.label_action.as_str(),
        reason_code: &change.reason_code,
        note: &change.note,
        requested_by_user: &by.user,
        requested_by_org: &by.organisation,
        requested_by_role: &by.role,
        quote_id: &change.quote_id,
        policy_version: &change.policy_version,
        rule: &change.rule,
        new_total_minor: change.new_total_minor,
        created_at: change.created_at,
    };
    row.and(parts_record(change.amounts)).and(record! {
        channel: change.channel.as_str(),
        stage: change.stage.as_str(),
        terms: terms_text(&change.terms),
        expires_at: change.expires_at,
        in_confidence: in_confidence(change),
    })
}

pub(super) fn terms_text(terms: &Terms) -> String {
    serde_json::to_string(terms).expect("texts and numbers always have a JSON form")
}

fn line_row(change: &ChangeOrder, line: &ChangeLine) -> Record {
    let row = record! {
        tenant_id: &change.tenant,
        change_order_id: &change.change_order_id,
        line_id: &line.line_id,
        line_number: line.line_number,
        sku: &line.sku,
        quantity: line.quantity,
        reason_code: &line.reason_code,
        note: &line.note,
    };
    row.and(parts_record(line.parts))
}

pub(super) fn parts_record(parts: Parts) -> Record {
    record! {
        gross_minor: parts.gross,
        discount_minor: parts.discount,
        goods_net_minor: parts.goods_net,
        tax_minor: parts.tax,
        tax_included: i64::from(parts.tax_included),
        shipping_minor: parts.shipping,
        shipping_tax_minor: parts.shipping_tax,
        fee_minor: parts.fee,
        amount_minor: parts.amount,
    }
}

/// A change without its lines.
pub(super) fn read(row: &Row) -> Result<ChangeOrder, DbError> {
    Ok(ChangeOrder {
        tenant: row.tenant()?,
        change_order_id: row.parsed("change_order_id", ChangeOrderId::parse)?,
        order_id: row.parsed("order_id", OrderId::parse)?,
        number: row.text("number")?,
        change_type: row.named("type", ChangeType::parse)?,
        state: row.named("state", ChangeState::parse)?,
        saga_id: row.parsed("saga_id", SagaId::parse)?,
        settlement: row.named("settlement", Settlement::parse)?,
        label_action: row.named("label_action", LabelAction::parse)?,
        channel: row.named("channel", Channel::parse)?,
        stage: row.named("stage", OrderState::parse)?,
        reason_code: row.text("reason_code")?,
        note: row.text("note")?,
        requested_by: Actor {
            user: row.text("requested_by_user")?,
            organisation: row.text("requested_by_org")?,
            role: row.text("requested_by_role")?,
        },
        quote_id: row.text("quote_id")?,
        policy_version: row.text("policy_version")?,
        rule: row.text("rule")?,
        terms: row.parsed("terms", |text| serde_json::from_str::<Terms>(text))?,
        in_confidence: row.parsed("in_confidence", read_in_confidence)?,
        expires_at: row.opt_timestamp("expires_at")?,
        amounts: read_parts(row)?,
        new_total_minor: row.int("new_total_minor")?,
        cause: refusals::read(row, "cause_reason", "cause_message", "cause_details")?,
        refund_owed_minor: row.int("refund_owed_minor")?,
        exceptions: row.parsed("exceptions", read_exceptions)?,
        refunds: row.parsed("refunds", |text| serde_json::from_str::<Vec<Refund>>(text))?,
        version: row.int("version")?,
        created_at: row.timestamp("created_at")?,
        decided_at: row.opt_parsed("decided_at", Timestamp::parse)?,
        finished_at: row.opt_parsed("finished_at", Timestamp::parse)?,
        shipped_groups: row.parsed("shipped_groups", |text| serde_json::from_str::<Vec<String>>(text))?,
        attention_open: row.int("attention_open")?,
        lines: Vec::new(),
    })
}

fn read_line(row: &Row) -> Result<ChangeLine, DbError> {
    Ok(ChangeLine {
        line_id: row.parsed("line_id", LineId::parse)?,
        line_number: row.int("line_number")?,
        sku: row.text("sku")?,
        quantity: row.int("quantity")?,
        reason_code: row.text("reason_code")?,
        note: row.text("note")?,
        parts: read_parts(row)?,
    })
}

fn read_parts(row: &Row) -> Result<Parts, DbError> {
    Ok(Parts {
        gross: row.int("gross_minor")?,
        discount: row.int("discount_minor")?,
        goods_net: row.int("goods_net_minor")?,
        tax: row.int("tax_minor")?,
        tax_included: row.int("tax_included")? == 1,
        shipping: row.int("shipping_minor")?,
        shipping_tax: row.int("shipping_tax_minor")?,
        fee: row.int("fee_minor")?,
        amount: row.int("amount_minor")?,
    })
}

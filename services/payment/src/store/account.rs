//! Table `account`, and with it everything of an order: it is the row that is locked.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Row, Rows, Statement, Table, Tx, record, values};
use types::Currency;

use super::{OrderKey, capture, credit, dispute, event, hold, movement, order_key, owing, payment, refund};
use crate::domain::{Account, Told};

static LOAD: Statement = Statement::new(
    "payment.load_accounts",
    "SELECT a.tenant_id, a.order_id, a.currency, a.ceiling_minor, a.worth_minor, a.worth_version, a.told_seq,
            a.told_owed_minor, a.told_mended, a.owed_seq, a.event_seq, a.ledger_seq, a.store_credit_minor, a.credit_seq,
            a.created_at
       FROM account AS a
       JOIN rows($1: tenant_id text, order_id text) AS r ON a.tenant_id = r.tenant_id AND a.order_id = r.order_id
      ORDER BY a.tenant_id, a.order_id FOR UPDATE OF a",
);

static READ: Statement = Statement::new(
    "payment.read_accounts",
    "SELECT a.tenant_id, a.order_id, a.currency, a.ceiling_minor, a.worth_minor, a.worth_version, a.told_seq,
            a.told_owed_minor, a.told_mended, a.owed_seq, a.event_seq, a.ledger_seq, a.store_credit_minor, a.credit_seq,
            a.created_at
       FROM account AS a
       JOIN rows($1: tenant_id text, order_id text) AS r ON a.tenant_id = r.tenant_id AND a.order_id = r.order_id",
);

static INSERT: Statement = Statement::new(
    "payment.insert_accounts",
    "INSERT INTO account rows($1: tenant_id text, order_id text, currency text, ceiling_minor bigint,
       worth_minor bigint, worth_version bigint, told_seq bigint, told_owed_minor bigint,
       told_mended bigint, owed_seq bigint, event_seq bigint, ledger_seq bigint,
       store_credit_minor bigint, credit_seq bigint, created_at text)",
);

static UPDATE: Statement = Statement::new(
    "payment.update_accounts",
    "UPDATE account SET rows($1: tenant_id text, order_id text | ceiling_minor bigint, worth_minor bigint,
       worth_version bigint, told_seq bigint, told_owed_minor bigint, told_mended bigint,
       owed_seq bigint, event_seq bigint, ledger_seq bigint, store_credit_minor bigint,
       credit_seq bigint)",
);

/// Locks the accounts of these orders and reads all that belongs to them. An order without an
/// account has no row.
pub async fn load(tx: &mut Tx, orders: &BTreeSet<OrderKey>) -> Result<Table<OrderKey, Account>, DbError> {
    let mut accounts = Table::new();
    if orders.is_empty() {
        return Ok(accounts);
    }
    let rows: Rows = orders.iter().map(|(tenant, order_id)| values![tenant, order_id]).collect();
    let found = tx.fetch_all(&LOAD, values![rows]).await?;
    for (key, account) in with_children(tx, &found).await? {
        accounts.load(key, account);
    }
    Ok(accounts)
}

/// Accounts as a reader sees them: not locked, so that nothing may be decided on them.
pub async fn read(tx: &mut Tx, orders: &BTreeSet<OrderKey>) -> Result<BTreeMap<OrderKey, Account>, DbError> {
    if orders.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Rows = orders.iter().map(|(tenant, order_id)| values![tenant, order_id]).collect();
    let found = tx.fetch_all(&READ, values![rows]).await?;
    with_children(tx, &found).await
}

async fn with_children(tx: &mut Tx, found: &[Row]) -> Result<BTreeMap<OrderKey, Account>, DbError> {
    if found.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut accounts = found.iter().map(account).collect::<Result<BTreeMap<_, _>, _>>()?;
    let rows: Rows = accounts.keys().map(|(tenant, order_id)| values![tenant, order_id]).collect();
    payment::load(tx, &rows, &mut accounts).await?;
    capture::load(tx, &rows, &mut accounts).await?;
    refund::load(tx, &rows, &mut accounts).await?;
    hold::load(tx, &rows, &mut accounts).await?;
    dispute::load(tx, &rows, &mut accounts).await?;
    for account in accounts.values_mut() {
        account.unsaved.troubled = account.troubled();
    }
    Ok(accounts)
}

/// Writes what the batch has changed, parents before children.
pub async fn flush(
    tx: &mut Tx,
    accounts: &Table<OrderKey, Account>,
    events: &event::Stamp<'_>,
) -> Result<(), DbError> {
    accounts
        .flush_inserts(tx, &INSERT, |(tenant, order_id), account| {
            record! {
                tenant_id: tenant,
                order_id: order_id,
                currency: account.currency.code(),
                ceiling_minor: account.ceiling_minor,
                worth_minor: account.worth_minor,
                worth_version: account.told.worth_version,
                told_seq: account.told.seq,
                told_owed_minor: account.told.owed_minor,
                told_mended: account.told_mended,
                owed_seq: account.owed_seq,
                event_seq: account.event_seq,
                ledger_seq: account.ledger_seq,
                store_credit_minor: account.store_credit_minor,
                credit_seq: account.credit_seq,
                created_at: account.created_at,
            }
        })
        .await?;
    accounts
        .flush_updates(tx, &UPDATE, |(tenant, order_id), account| {
            record! {
                tenant_id: tenant,
                order_id: order_id,
                ceiling_minor: account.ceiling_minor,
                worth_minor: account.worth_minor,
                worth_version: account.told.worth_version,
                told_seq: account.told.seq,
                told_owed_minor: account.told.owed_minor,
                told_mended: account.told_mended,
                owed_seq: account.owed_seq,
                event_seq: account.event_seq,
                ledger_seq: account.ledger_seq,
                store_credit_minor: account.store_credit_minor,
                credit_seq: account.credit_seq,
            }
        })
        .await?;
    payment::flush(tx, accounts).await?;
    capture::flush(tx, accounts).await?;
    refund::flush(tx, accounts).await?;
    hold::flush(tx, accounts).await?;
    dispute::flush(tx, accounts).await?;
    movement::append(tx, accounts).await?;
    credit::append(tx, accounts).await?;
    owing::append(tx, accounts, events.now).await?;
    event::append(tx, accounts, events).await
}

fn account(row: &Row) -> Result<(OrderKey, Account), DbError> {
    let key = order_key(row)?;
    let currency = row.parsed("currency", Currency::parse)?;
    let mut account =
        Account::open(key.1.clone(), currency, row.int("ceiling_minor")?, row.timestamp("created_at")?);
    account.worth_minor = row.int("worth_minor")?;
    account.told = Told {
        seq: row.int("told_seq")?,
        worth_version: row.int("worth_version")?,
        owed_minor: row.int("told_owed_minor")?,
    };
    account.told_mended = row.int("told_mended")?;
    account.owed_seq = row.int("owed_seq")?;
    account.event_seq = row.int("event_seq")?;
    account.ledger_seq = row.int("ledger_seq")?;
    account.store_credit_minor = row.int("store_credit_minor")?;
    account.credit_seq = row.int("credit_seq")?;
    Ok((key, account))
}

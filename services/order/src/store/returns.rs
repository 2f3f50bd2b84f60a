//! `order_return` and `order_return_line`. A return is locked through its order's head, so it needs no lock itself.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Record, Row, Rows, Statement, Table, Tx, record, values};
use types::{LineId, OrderId, ReturnId, Tenant, Timestamp};

use super::keys::{self, OrderKey};
use super::lists::{concerned, concerning};
use crate::domain::listing::{Concern, Page};
use crate::domain::order::Actor;
use crate::domain::returns::{Return, ReturnLine, ReturnState};

pub type ReturnKey = (Tenant, ReturnId);

/// The columns of a return, for every statement that reads whole ones.
macro_rules! columns {
    () => {
        "t.tenant_id, t.return_id, t.order_id, t.number, t.state, t.reason_code, t.note, t.opened_by_user,
         t.opened_by_org, t.opened_by_role, t.policy_version, t.expires_at, t.version, t.created_at, t.closed_at"
    };
}

static LOAD: Statement = Statement::new(
    "order.load_returns",
    concat!(
        "SELECT ",
        columns!(),
        " FROM rows($1: tenant_id text, return_id text) AS r
          JOIN order_return AS t ON t.tenant_id = r.tenant_id AND t.return_id = r.return_id"
    ),
);

static LOAD_OPEN_OF_ORDERS: Statement = Statement::new(
    "order.load_open_returns_of_orders",
    concat!(
        "SELECT ",
        columns!(),
        " FROM rows($1: tenant_id text, order_id text) AS r
          JOIN order_return AS t ON t.tenant_id = r.tenant_id AND t.order_id = r.order_id
         WHERE t.state = 'open'"
    ),
);

/// A return never moves to another order, so this may be read before anything is locked.
static FIND_ORDERS: Statement = Statement::new(
    "order.find_orders_of_returns",
    "SELECT t.tenant_id, t.order_id
       FROM rows($1: tenant_id text, return_id text) AS r
       JOIN order_return AS t ON t.tenant_id = r.tenant_id AND t.return_id = r.return_id",
);

/// Units that have come and wait for a decision keep a return open.
static FIND_EXPIRED: Statement = Statement::new(
    "order.find_expired_returns",
    "SELECT t.tenant_id, t.return_id FROM order_return AS t
      WHERE t.state = 'open' AND t.expires_at <= $1
        AND NOT EXISTS (SELECT 1 FROM order_return_line AS l
                         WHERE l.tenant_id = t.tenant_id AND l.return_id = t.return_id
                           AND l.received > l.accepted + l.rejected)
      ORDER BY t.expires_at, t.return_id LIMIT $2",
);

static LIST: Statement = Statement::new(
    "order.list_returns",
    concat!(
        "SELECT ",
        columns!(),
        " FROM order_return AS t JOIN order_head AS h ON h.tenant_id = t.tenant_id AND h.order_id = t.order_id
         WHERE t.tenant_id = $1 AND t.return_id > $2 AND ($3 = '' OR t.order_id = $3)
           AND ($4 = 0 OR t.state IN (SELECT state FROM rows($13: state text)))
           AND ",
        concerning!("$6", "$7", "$8", "$9", "$10", "$11", "$12"),
        " ORDER BY t.return_id LIMIT $5"
    ),
);

static LOAD_LINES: Statement = Statement::new(
    "order.load_return_lines",
    "SELECT l.tenant_id, l.return_id, l.line_id, l.line_number, l.sku, l.expected, l.received, l.accepted, l.rejected
       FROM rows($1: tenant_id text, return_id text) AS r
       JOIN order_return_line AS l ON l.tenant_id = r.tenant_id AND l.return_id = r.return_id
      ORDER BY l.tenant_id, l.return_id, l.line_number",
);

static INSERT: Statement = Statement::new(
    "order.insert_returns",
    "INSERT INTO order_return rows($1: tenant_id text, return_id text, state text, version bigint,
       closed_at text, order_id text, number text, reason_code text, note text, opened_by_user text,
       opened_by_org text, opened_by_role text, policy_version text, expires_at text, created_at text)",
);

static UPDATE: Statement = Statement::new(
    "order.update_returns",
    "UPDATE order_return SET rows($1: tenant_id text, return_id text | state text, version bigint,
       closed_at text)",
);

static INSERT_LINES: Statement = Statement::new(
    "order.insert_return_lines",
    "INSERT INTO order_return_line rows($1: tenant_id text, return_id text, line_id text, received bigint,
       accepted bigint, rejected bigint, line_number bigint, sku text, expected bigint)",
);

static UPDATE_LINES: Statement = Statement::new(
    "order.update_return_lines",
    "UPDATE order_return_line SET rows($1: tenant_id text, return_id text, line_id text | received bigint,
       accepted bigint, rejected bigint)",
);

/// Whose these returns are: what has to be locked before they are touched.
pub async fn find_orders(tx: &mut Tx, keys: &BTreeSet<ReturnKey>) -> Result<BTreeSet<OrderKey>, DbError> {
    if keys.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows = tx.fetch_all(&FIND_ORDERS, values![keys::rows(keys)]).await?;
    rows.iter().map(|row| Ok((row.tenant()?, row.parsed("order_id", OrderId::parse)?))).collect()
}

pub async fn load(tx: &mut Tx, keys: &BTreeSet<ReturnKey>) -> Result<Vec<Return>, DbError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows = tx.fetch_all(&LOAD, values![keys::rows(keys)]).await?;
    hang_on(tx, &rows).await
}

/// Those of these orders that are open.
pub async fn load_open(tx: &mut Tx, orders: &BTreeSet<OrderKey>) -> Result<Vec<Return>, DbError> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let rows = tx.fetch_all(&LOAD_OPEN_OF_ORDERS, values![keys::rows(orders)]).await?;
    hang_on(tx, &rows).await
}

/// Returns of any tenant whose time is up.
pub async fn find_expired(tx: &mut Tx, now: Timestamp, most: i64) -> Result<Vec<ReturnKey>, DbError> {
    tx.fetch_all(&FIND_EXPIRED, values![now, most]).await?.iter().map(key_of).collect()
}

/// At most one more than the page has room for.
pub async fn list(
    tx: &mut Tx,
    tenant: &Tenant,
    order_id: Option<&OrderId>,
    states: &[ReturnState],
    concern: Option<&Concern>,
    page: &Page,
) -> Result<Vec<Return>, DbError> {
    let named: Rows = states.iter().map(|state| values![state.as_str()]).collect();
    let mut values = values![
        tenant,
        page.after.as_deref().unwrap_or_default(),
        order_id.map_or("", OrderId::as_str),
        i64::from(!states.is_empty()),
        page.size + 1,
    ];
    values.extend(concerned(concern));
    values.extend(values![named]);
    let rows = tx.fetch_all(&LIST, values).await?;
    hang_on(tx, &rows).await
}

/// Reads returns with their lines, in the order of the rows.
async fn hang_on(tx: &mut Tx, rows: &[Row]) -> Result<Vec<Return>, DbError> {
    let mut found = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() {
        return Ok(found);
    }
    let places: BTreeMap<ReturnKey, usize> =
        found.iter().enumerate().map(|(at, returned)| (key(returned), at)).collect();
    for row in tx.fetch_all(&LOAD_LINES, values![keys::rows(places.keys())]).await? {
        found[places[&key_of(&row)?]].lines.push(read_line(&row)?);
    }
    Ok(found)
}

/// Writes the returns that are new or have moved, and of their lines those that have.
pub async fn flush(tx: &mut Tx, table: &Table<ReturnKey, Return>) -> Result<(), DbError> {
    table.flush_updates(tx, &UPDATE, |_, returned| changing(returned)).await?;
    let inserted = |_: &ReturnKey, returned: &Return| changing(returned).and(unchanging(returned));
    table.flush_inserts(tx, &INSERT, inserted).await?;

    let fresh = table.inserted().into_iter().flat_map(|(_, returned)| {
        returned.lines.iter().map(move |line| {
            let row = counters(returned, line);
            row.and(record! {
                line_number: line.line_number,
                sku: &line.sku,
                expected: line.expected,
            })
        })
    });
    write(tx, &INSERT_LINES, fresh.collect()).await?;
    let moved = table.updated().into_iter().flat_map(|(key, returned)| {
        let before = table.loaded(key);
        let was = move |at: usize| before.and_then(|before| before.lines.get(at));
        let moved = returned.lines.iter().enumerate().filter(move |(at, line)| was(*at) != Some(*line));
        moved.map(move |(_, line)| counters(returned, line))
    });
    write(tx, &UPDATE_LINES, moved.collect()).await
}

async fn write(tx: &mut Tx, statement: &'static Statement, rows: Vec<Record>) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    let expected = rows.len() as u64;
    tx.execute_exactly(statement, values![rows], expected).await
}

pub fn key(returned: &Return) -> ReturnKey {
    (returned.tenant.clone(), returned.return_id.clone())
}

fn key_of(row: &Row) -> Result<ReturnKey, DbError> {
    Ok((row.tenant()?, row.parsed("return_id", ReturnId::parse)?))
}

fn changing(returned: &Return) -> Record {
    record! {
        tenant_id: &returned.tenant,
        return_id: &returned.return_id,
        state: returned.state.as_str(),
        version: returned.version,
        closed_at: returned.closed_at,
    }
}

fn unchanging(returned: &Return) -> Record {
    let by = &returned.opened_by;
    record! {
        order_id: &returned.order_id,
        number: &returned.number,
        reason_code: &returned.reason_code,
        note: &returned.note,
        opened_by_user: &by.user,
        opened_by_org: &by.organisation,
        opened_by_role: &by.role,
        policy_version: &returned.policy_version,
        expires_at: returned.expires_at,
        created_at: returned.created_at,
    }
}

fn counters(returned: &Return, line: &ReturnLine) -> Record {
    record! {
        tenant_id: &returned.tenant,
        return_id: &returned.return_id,
        line_id: &line.line_id,
        received: line.received,
        accepted: line.accepted,
        rejected: line.rejected,
    }
}

fn read(row: &Row) -> Result<Return, DbError> {
    Ok(Return {
        tenant: row.tenant()?,
        return_id: row.parsed("return_id", ReturnId::parse)?,
        order_id: row.parsed("order_id", OrderId::parse)?,
        number: row.text("number")?,
        state: row.named("state", ReturnState::parse)?,
        reason_code: row.text("reason_code")?,
        note: row.text("note")?,
        opened_by: Actor {
            user: row.text("opened_by_user")?,
            organisation: row.text("opened_by_org")?,
            role: row.text("opened_by_role")?,
        },
        policy_version: row.text("policy_version")?,
        expires_at: row.timestamp("expires_at")?,
        version: row.int("version")?,
        created_at: row.timestamp("created_at")?,
        closed_at: row.opt_timestamp("closed_at")?,
        lines: Vec::new(),
    })
}

fn read_line(row: &Row) -> Result<ReturnLine, DbError> {
    Ok(ReturnLine {
        line_id: row.parsed("line_id", LineId::parse)?,
        line_number: row.int("line_number")?,
        sku: row.text("sku")?,
        expected: row.int("expected")?,
        received: row.int("received")?,
        accepted: row.int("accepted")?,
        rejected: row.int("rejected")?,
    })
}

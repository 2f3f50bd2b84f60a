//! `timeline`: append-only. Numbers are given out under the lock of the order's head.

use storage::{DbError, Row, Rows, Statement, Tx, record, values};
use types::{ChangeOrderId, OrderId, SagaId, Tenant, Timestamp};

use super::keys::OrderKey;
use crate::domain::history::{Entry, Recorded, StepDirection, StepMark, Visibility};
use crate::domain::order::{Actor, Order};

static APPEND: Statement = Statement::new(
    "order.append_timeline",
    "INSERT INTO timeline rows($1: tenant_id text, order_id text, seq bigint, at text, actor_user text,
       actor_org text, actor_role text, event text, summary text, visibility text, change_order_id text,
       saga_id text, step text, direction text, reason_code text, note text)",
);

static AFTER: Statement = Statement::new(
    "order.timeline_after",
    "SELECT seq, at, actor_user, actor_org, actor_role, event, summary, visibility, change_order_id, saga_id, step,
       direction, reason_code, note
       FROM timeline WHERE tenant_id = $1 AND order_id = $2 AND seq > $3 ORDER BY seq LIMIT $4",
);

static LAST: Statement = Statement::new(
    "order.last_instants",
    "SELECT t.at
       FROM rows($1: tenant_id text, order_id text, seq bigint) AS r
       JOIN timeline AS t ON t.tenant_id = r.tenant_id AND t.order_id = r.order_id AND t.seq = r.seq",
);

pub async fn append(tx: &mut Tx, entries: &[(OrderKey, Recorded)]) -> Result<(), DbError> {
    if entries.is_empty() {
        return Ok(());
    }
    let rows: Rows = entries
        .iter()
        .map(|((tenant, order_id), Recorded { sequence, entry })| {
            record! {
                tenant_id: tenant,
                order_id: order_id,
                seq: *sequence,
                at: entry.at,
                actor_user: &entry.actor.user,
                actor_org: &entry.actor.organisation,
                actor_role: &entry.actor.role,
                event: &entry.event,
                summary: &entry.summary,
                visibility: entry.visibility.as_str(),
                change_order_id: entry.change_order_id.as_ref(),
                saga_id: entry.saga_id.as_ref(),
                step: entry.step.as_ref().map(|mark| mark.step.as_str()),
                direction: entry.step.as_ref().map(|mark| mark.direction.as_str()),
                reason_code: &entry.reason_code,
                note: &entry.note,
            }
        })
        .collect();
    tx.execute_exactly(&APPEND, values![rows], entries.len() as u64).await
}

/// The latest instant that the timelines of these orders tell of. A statement of its own, after the orders were locked:
/// one that locks as well would read the timelines as they were before it waited.
pub async fn last_instant<'a>(
    tx: &mut Tx,
    orders: impl Iterator<Item = &'a Order>,
) -> Result<Option<Timestamp>, DbError> {
    let last = |order: &Order| values![&order.tenant, &order.order_id, order.timeline_seq];
    let rows: Rows = orders.filter(|order| order.timeline_seq > 0).map(last).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let rows = tx.fetch_all(&LAST, values![rows]).await?;
    let instants = rows.iter().map(|row| row.timestamp("at")).collect::<Result<Vec<_>, _>>()?;
    Ok(instants.into_iter().max())
}

/// At most `limit` entries behind a sequence number, oldest first.
pub async fn after(
    tx: &mut Tx,
    tenant: &Tenant,
    order_id: &OrderId,
    sequence: i64,
    limit: i64,
) -> Result<Vec<Recorded>, DbError> {
    let rows = tx.fetch_all(&AFTER, values![tenant, order_id, sequence, limit]).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Recorded, DbError> {
    let step = match (row.opt_text("step")?, row.opt_text("direction")?) {
        (Some(step), Some(_)) => {
            Some(StepMark { step, direction: row.named("direction", StepDirection::parse)? })
        }
        _ => None,
    };
    let entry = Entry {
        at: row.timestamp("at")?,
        actor: Actor {
            user: row.text("actor_user")?,
            organisation: row.text("actor_org")?,
            role: row.text("actor_role")?,
        },
        event: row.text("event")?,
        summary: row.text("summary")?,
        visibility: row.named("visibility", Visibility::parse)?,
        change_order_id: row.opt_parsed("change_order_id", ChangeOrderId::parse)?,
        saga_id: row.opt_parsed("saga_id", SagaId::parse)?,
        step,
        reason_code: row.text("reason_code")?,
        note: row.text("note")?,
    };
    Ok(Recorded { sequence: row.int("seq")?, entry })
}

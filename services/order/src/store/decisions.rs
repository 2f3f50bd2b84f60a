//! `decision`: append-only. What was decided, and the facts it was decided from.

use storage::{DbError, Record, Row, Rows, Statement, Tx, record, values};
use types::{ChangeOrderId, Currency, OrderId, Tenant};

use super::refusals;
use crate::domain::decided::{Decided, Facts, Outcome, Place};
use crate::domain::order::Actor;

macro_rules! append {
    ($end:literal) => {
        concat!(
            "INSERT INTO decision rows($1: tenant_id text, decision_id text, order_id text, order_number text,
               currency text, change_order_id text, decided_at text, asked_by_user text, asked_by_org text,
               asked_by_role text, policy_version text, rule text, amount_minor bigint, fee_minor bigint,
               refused_reason text, refused_message text, refused_details text, facts text)",
            $end
        )
    };
}

static APPEND: Statement = Statement::new("order.append_decisions", append!(""));

/// A refusal that was recorded before is not recorded again.
static APPEND_REFUSED: Statement = Statement::new(
    "order.append_refused_decisions",
    append!(" WHERE TRUE ON CONFLICT (tenant_id, decision_id) DO NOTHING"),
);

/// Newest first, from a decision on or behind it.
static UP_TO: Statement = Statement::new(
    "order.decisions_up_to",
    "SELECT tenant_id, decision_id, order_id, order_number, currency, change_order_id, decided_at, asked_by_user,
       asked_by_org, asked_by_role, policy_version, rule, amount_minor, fee_minor, refused_reason, refused_message,
       refused_details, facts
       FROM decision
      WHERE tenant_id = $1
        AND ($2 = '' OR decided_at < $2 OR (decided_at = $2 AND (decision_id < $3 OR ($4 = 1 AND decision_id = $3))))
      ORDER BY decided_at DESC, decision_id DESC LIMIT $5",
);

pub async fn append(tx: &mut Tx, decisions: &[Decided]) -> Result<(), DbError> {
    let (refused, accepted): (Vec<&Decided>, Vec<&Decided>) =
        decisions.iter().partition(|decided| matches!(decided.outcome, Outcome::Refused(_)));
    if !accepted.is_empty() {
        let rows: Rows = accepted.iter().map(|decided| row(decided)).collect();
        tx.execute_exactly(&APPEND, values![rows], accepted.len() as u64).await?;
    }
    if !refused.is_empty() {
        let rows: Rows = refused.iter().map(|decided| row(decided)).collect();
        // As many as are new.
        let _new = tx.execute(&APPEND_REFUSED, values![rows]).await?;
    }
    Ok(())
}

/// At most `limit` decisions, newest first: from a place on (`inclusive`) or behind it; from the newest without one.
pub async fn up_to(
    tx: &mut Tx,
    tenant: &Tenant,
    place: Option<&Place>,
    inclusive: bool,
    limit: i64,
) -> Result<Vec<Decided>, DbError> {
    let (at, id) = place.map_or(("", ""), |place| (place.at.as_str(), place.decision_id.as_str()));
    let values = values![tenant, at, id, i64::from(inclusive), limit];
    tx.fetch_all(&UP_TO, values).await?.iter().map(read).collect()
}

fn row(decided: &Decided) -> Record {
    let by = &decided.asked_by;
    let (change_order_id, price, refusal) = match &decided.outcome {
        Outcome::Allowed { change_order_id, amount_minor, fee_minor } => {
            (Some(change_order_id), (*amount_minor, *fee_minor), None)
        }
        Outcome::Refused(refusal) => (None, (0, 0), Some(refusal)),
    };
    let row = record! {
        tenant_id: &decided.tenant,
        decision_id: &decided.decision_id,
        order_id: &decided.order_id,
        order_number: &decided.order_number,
        currency: decided.currency.code(),
        change_order_id: change_order_id,
        decided_at: decided.at,
        asked_by_user: &by.user,
        asked_by_org: &by.organisation,
        asked_by_role: &by.role,
        policy_version: &decided.policy_version,
        rule: &decided.rule,
        amount_minor: price.0,
        fee_minor: price.1,
    };
    row.and(refusals::record(["refused_reason", "refused_message", "refused_details"], refusal))
        .and(record! { facts: decided.facts.to_text() })
}

fn read(row: &Row) -> Result<Decided, DbError> {
    let refusal = refusals::read(row, "refused_reason", "refused_message", "refused_details")?;
    let outcome = match (refusal, row.opt_parsed("change_order_id", ChangeOrderId::parse)?) {
        (Some(refusal), _) => Outcome::Refused(refusal),
        (None, Some(change_order_id)) => Outcome::Allowed {
            change_order_id,
            amount_minor: row.int("amount_minor")?,
            fee_minor: row.int("fee_minor")?,
        },
        (None, None) => {
            return Err(DbError::malformed("order.decisions_up_to", "neither a change nor a refusal"));
        }
    };
    Ok(Decided {
        tenant: row.tenant()?,
        decision_id: row.text("decision_id")?,
        order_id: row.parsed("order_id", OrderId::parse)?,
        order_number: row.text("order_number")?,
        currency: row.parsed("currency", Currency::parse)?,
        at: row.timestamp("decided_at")?,
        asked_by: Actor {
            user: row.text("asked_by_user")?,
            organisation: row.text("asked_by_org")?,
            role: row.text("asked_by_role")?,
        },
        policy_version: row.text("policy_version")?,
        rule: row.text("rule")?,
        outcome,
        facts: row.parsed("facts", Facts::parse)?,
    })
}

//! `rule`, `rule_run` and `rule_cursor`: rules, what they did, and how far the events were looked through.

use std::collections::BTreeSet;

use storage::{DbError, Row, Rows, Statement, Table, Tx, record, values};
use types::{ChangeOrderId, EventId, OrderId, RuleId, Tenant};

use crate::rules::domain::{Action, Outcome, Rule, Run, Trigger};
use crate::store::refusals;

pub type RuleKey = (Tenant, RuleId);

static OF_TENANTS: Statement = Statement::new(
    "order.rules_of_tenants",
    "SELECT u.tenant_id, u.rule_id, u.name, u.happens, u.condition, u.actions, u.enabled, u.version, u.active_since
       FROM rows($1: tenant_id text) AS r JOIN rule AS u ON u.tenant_id = r.tenant_id
      ORDER BY u.tenant_id, u.rule_id",
);

static INSERT: Statement = Statement::new(
    "order.insert_rules",
    "INSERT INTO rule rows($1: tenant_id text, rule_id text, name text, happens text, condition text,
       actions text, enabled bigint, version bigint, active_since text)",
);

static UPDATE: Statement = Statement::new(
    "order.update_rules",
    "UPDATE rule SET rows($1: tenant_id text, rule_id text | name text, happens text, condition text,
       actions text, enabled bigint, version bigint, active_since text)",
);

static ACTIVE_TENANTS: Statement = Statement::new(
    "order.tenants_with_rules",
    "SELECT DISTINCT tenant_id FROM rule WHERE enabled = 1 ORDER BY tenant_id",
);

/// A rule acts on what happens after it was stored, so the first one of a tenant begins where the events end.
static BEGIN: Statement = Statement::new(
    "order.begin_rule_cursor",
    "INSERT INTO rule_cursor rows($1: tenant_id text, position bigint, claimed_until = CAST(0 AS BIGINT))
     WHERE true
     ON CONFLICT (tenant_id) DO NOTHING",
);

static CLAIM: Statement = Statement::new(
    "order.claim_rule_cursor",
    "UPDATE rule_cursor SET claimed_until = $3 WHERE tenant_id = $1 AND claimed_until <= $2 RETURNING position",
);

static MOVE: Statement = Statement::new(
    "order.move_rule_cursor",
    "UPDATE rule_cursor SET position = $3, claimed_until = $4 WHERE tenant_id = $1 AND claimed_until = $2",
);

static DONE_FOR: Statement = Statement::new(
    "order.rules_done_for",
    "SELECT rule_id FROM rule_run WHERE tenant_id = $1 AND event_id = $2",
);

/// The deepest rule that a change came from.
static DEPTH_OF: Statement = Statement::new(
    "order.depth_of_change",
    "SELECT CAST(MAX(depth) AS BIGINT) AS depth FROM rule_run WHERE tenant_id = $1 AND change_order_id = $2",
);

static APPEND_RUNS: Statement = Statement::new(
    "order.append_rule_runs",
    "INSERT INTO rule_run rows($1: tenant_id text, rule_id text, event_id text, rule_version bigint,
       order_id text, outcome text, cause_reason text, cause_message text, cause_details text,
       resources text, change_order_id text, depth bigint, at text)
     WHERE true
     ON CONFLICT (tenant_id, rule_id, event_id) DO NOTHING",
);

static LIST_RUNS: Statement = Statement::new(
    "order.list_rule_runs",
    "SELECT tenant_id, rule_id, event_id, rule_version, order_id, outcome, cause_reason, cause_message, cause_details,
       resources, depth, at
       FROM rule_run
      WHERE tenant_id = $1 AND ($2 = '' OR rule_id = $2) AND ($3 = '' OR order_id = $3)
        AND (event_id > $4 OR (event_id = $4 AND rule_id > $5))
      ORDER BY event_id, rule_id LIMIT $6",
);

/// All rules of these tenants.
pub async fn of_tenants(tx: &mut Tx, tenants: &BTreeSet<Tenant>) -> Result<Vec<Rule>, DbError> {
    if tenants.is_empty() {
        return Ok(Vec::new());
    }
    let tenants: Rows = tenants.iter().map(|tenant| values![tenant]).collect();
    tx.fetch_all(&OF_TENANTS, values![tenants]).await?.iter().map(read).collect()
}

pub async fn flush(tx: &mut Tx, rules: &Table<RuleKey, Rule>) -> Result<(), DbError> {
    rules
        .flush(tx, &INSERT, &UPDATE, |_, rule| {
            record! {
                tenant_id: &rule.tenant,
                rule_id: &rule.rule_id,
                name: &rule.name,
                happens: rule.trigger.as_str(),
                condition: &rule.condition,
                actions: serde_json::to_string(&rule.actions).expect("texts always have a JSON form"),
                enabled: i64::from(rule.enabled),
                version: rule.version,
                active_since: rule.active_since,
            }
        })
        .await
}

/// Tenants with a rule that may act.
pub async fn active_tenants(tx: &mut Tx) -> Result<Vec<Tenant>, DbError> {
    tx.fetch_all(&ACTIVE_TENANTS, values![]).await?.iter().map(Row::tenant).collect()
}

/// Begins at a position, unless the tenant's events are being looked through already.
pub async fn begin(tx: &mut Tx, tenant: &Tenant, position: i64) -> Result<(), DbError> {
    let row: Rows = std::iter::once(record! { tenant_id: tenant, position: position }).collect();
    // None is touched where there is a cursor.
    tx.execute(&BEGIN, values![row]).await?;
    Ok(())
}

/// Takes the cursor until an instant of the database's clock; none while somebody else has it.
pub async fn claim(tx: &mut Tx, tenant: &Tenant, now: i64, until: i64) -> Result<Option<i64>, DbError> {
    let row = tx.fetch_optional(&CLAIM, values![tenant, now, until]).await?;
    row.map(|row| row.int("position")).transpose()
}

/// Moves the cursor that was claimed until `claimed`; fails when the claim was lost meanwhile.
pub async fn advance(
    tx: &mut Tx,
    tenant: &Tenant,
    claimed: i64,
    position: i64,
    until: i64,
) -> Result<(), DbError> {
    tx.execute_exactly(&MOVE, values![tenant, claimed, position, until], 1).await
}

pub async fn done_for(tx: &mut Tx, tenant: &Tenant, event_id: &EventId) -> Result<BTreeSet<RuleId>, DbError> {
    let rows = tx.fetch_all(&DONE_FOR, values![tenant, event_id]).await?;
    rows.iter().map(|row| row.parsed("rule_id", RuleId::parse)).collect()
}

/// How many rules in a row led to a change; 0 when a person asked for it.
pub async fn depth_of_change(
    tx: &mut Tx,
    tenant: &Tenant,
    change_order_id: &ChangeOrderId,
) -> Result<i64, DbError> {
    let row = tx.fetch_one(&DEPTH_OF, values![tenant, change_order_id]).await?;
    Ok(row.opt_int("depth")?.unwrap_or(0))
}

/// Writes what rules did. A run that is there already stands: the actions were the same ones.
pub async fn append_runs(tx: &mut Tx, runs: &[Run]) -> Result<(), DbError> {
    if runs.is_empty() {
        return Ok(());
    }
    let rows: Rows = runs
        .iter()
        .map(|run| {
            let change = run.resources.iter().find(|id| ChangeOrderId::parse(id).is_ok());
            let row = record! {
                tenant_id: &run.tenant,
                rule_id: &run.rule_id,
                event_id: &run.event_id,
                rule_version: run.rule_version,
                order_id: &run.order_id,
                outcome: run.outcome.as_str(),
            };
            row.and(refusals::record(["cause_reason", "cause_message", "cause_details"], run.cause.as_ref()))
                .and(record! {
                    resources: run.resources.join(" "),
                    change_order_id: change,
                    depth: run.depth,
                    at: run.at,
                })
        })
        .collect();
    tx.execute(&APPEND_RUNS, values![rows]).await?;
    Ok(())
}

/// Runs behind an event and rule, oldest event first.
pub async fn list_runs(
    tx: &mut Tx,
    tenant: &Tenant,
    of: (&str, &str),
    after: (&str, &str),
    limit: i64,
) -> Result<Vec<Run>, DbError> {
    let (rule_id, order_id) = of;
    let values = values![tenant, rule_id, order_id, after.0, after.1, limit];
    tx.fetch_all(&LIST_RUNS, values).await?.iter().map(read_run).collect()
}

fn read(row: &Row) -> Result<Rule, DbError> {
    Ok(Rule {
        tenant: row.tenant()?,
        rule_id: row.parsed("rule_id", RuleId::parse)?,
        name: row.text("name")?,
        trigger: row.named("happens", Trigger::parse)?,
        condition: row.text("condition")?,
        actions: row.parsed("actions", |text| serde_json::from_str::<Vec<Action>>(text))?,
        enabled: row.int("enabled")? == 1,
        version: row.int("version")?,
        active_since: row.timestamp("active_since")?,
    })
}

fn read_run(row: &Row) -> Result<Run, DbError> {
    let resources = row.text("resources")?;
    Ok(Run {
        tenant: row.tenant()?,
        rule_id: row.parsed("rule_id", RuleId::parse)?,
        rule_version: row.int("rule_version")?,
        event_id: row.parsed("event_id", EventId::parse)?,
        order_id: row.parsed("order_id", OrderId::parse)?,
        outcome: row.named("outcome", Outcome::parse)?,
        cause: refusals::read(row, "cause_reason", "cause_message", "cause_details")?,
        resources: resources.split_whitespace().map(str::to_owned).collect(),
        depth: row.int("depth")?,
        at: row.timestamp("at")?,
    })
}

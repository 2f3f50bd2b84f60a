//! `policy`, `policy_choice`, `cancel_reason`, `tenant_edition` and the revision that moves with all four.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use storage::{DbError, Record, Row, Rows, Statement, Tx, record, role_map, values};
use types::{RoleMap, Tenant};

use crate::domain::order::Actor;
use crate::domain::policy::{Capability, Document, Edition, Policy, Selector, Shelf, Stored};
use crate::domain::reason::{CancelReason, Catalogue, Family};

static REVISIONS: Statement = Statement::new(
    "order.load_policy_revisions",
    "SELECT p.tenant_id, p.revision FROM rows($1: tenant_id text) AS r
       JOIN policy_revision AS p ON p.tenant_id = r.tenant_id",
);

static POLICIES: Statement = Statement::new(
    "order.load_policies",
    "SELECT p.policy_id, p.version, p.document, p.created_by_user, p.created_by_org, p.created_by_role, p.created_at
       FROM policy AS p WHERE p.tenant_id = $1 ORDER BY p.policy_id, p.version",
);

static CHOICES: Statement = Statement::new(
    "order.load_policy_choices",
    "SELECT c.chosen_by, c.chosen_for, c.policy_id, c.version FROM policy_choice AS c
      WHERE c.tenant_id = $1 ORDER BY c.chosen_by, c.chosen_for",
);

static REASONS: Statement = Statement::new(
    "order.load_cancel_reasons",
    "SELECT r.code, r.family, r.note_required, r.active, r.labels, r.mapping FROM cancel_reason AS r
      WHERE r.tenant_id = $1 ORDER BY r.code",
);

static EDITION: Statement = Statement::new(
    "order.load_tenant_edition",
    "SELECT e.edition, e.withheld FROM tenant_edition AS e WHERE e.tenant_id = $1",
);

static UPSERT_EDITIONS: Statement = Statement::new(
    "order.upsert_tenant_editions",
    "INSERT INTO tenant_edition rows($1: tenant_id text, edition text, withheld text) WHERE true
     ON CONFLICT (tenant_id) DO UPDATE SET edition = excluded.edition, withheld = excluded.withheld",
);

static INSERT_POLICIES: Statement = Statement::new(
    "order.insert_policies",
    "INSERT INTO policy rows($1: tenant_id text, policy_id text, version bigint, document text,
       created_by_user text, created_by_org text, created_by_role text, created_at text)",
);

static UPSERT_CHOICES: Statement = Statement::new(
    "order.upsert_policy_choices",
    "INSERT INTO policy_choice rows($1: tenant_id text, chosen_by text, chosen_for text, policy_id text,
       version bigint)
      WHERE true
     ON CONFLICT (tenant_id, chosen_by, chosen_for)
     DO UPDATE SET policy_id = excluded.policy_id, version = excluded.version",
);

static UPSERT_REASONS: Statement = Statement::new(
    "order.upsert_cancel_reasons",
    "INSERT INTO cancel_reason rows($1: tenant_id text, code text, family text, note_required bigint,
       active bigint, labels text, mapping text)
      WHERE true
     ON CONFLICT (tenant_id, code)
     DO UPDATE SET family = excluded.family, note_required = excluded.note_required, active = excluded.active,
       labels = excluded.labels, mapping = excluded.mapping",
);

static UPSERT_REVISIONS: Statement = Statement::new(
    "order.upsert_policy_revisions",
    "INSERT INTO policy_revision rows($1: tenant_id text, revision bigint) WHERE true
     ON CONFLICT (tenant_id) DO UPDATE SET revision = excluded.revision",
);

/// What a batch writes about policies, each key once.
#[derive(Debug, Default)]
pub struct Written {
    pub policies: Vec<(Tenant, Stored)>,
    pub choices: BTreeMap<(Tenant, Selector), (String, i64)>,
    pub reasons: BTreeMap<(Tenant, String), CancelReason>,
    pub editions: BTreeMap<Tenant, Edition>,
    pub revisions: BTreeMap<Tenant, i64>,
}

/// The revision of each tenant; a tenant without one never wrote anything.
pub async fn revisions(tx: &mut Tx, tenants: &BTreeSet<Tenant>) -> Result<BTreeMap<Tenant, i64>, DbError> {
    if tenants.is_empty() {
        return Ok(BTreeMap::new());
    }
    let names: Rows = tenants.iter().map(|tenant| values![tenant]).collect();
    let rows = tx.fetch_all(&REVISIONS, values![names]).await?;
    rows.iter().map(|row| Ok((row.tenant()?, row.int("revision")?))).collect()
}

/// Everything a tenant has written, as of the revision that was read in the same transaction.
pub async fn shelf(
    tx: &mut Tx,
    tenant: &Tenant,
    revision: i64,
    base: Arc<RoleMap>,
) -> Result<Shelf, DbError> {
    let policies = tx.fetch_all(&POLICIES, values![tenant]).await?;
    let choices = tx.fetch_all(&CHOICES, values![tenant]).await?;
    let reasons = tx.fetch_all(&REASONS, values![tenant]).await?;
    let edition = tx.fetch_optional(&EDITION, values![tenant]).await?;
    let roles = role_map::newest(tx, &BTreeSet::from([tenant.clone()])).await?.pop();
    let (roles, version) = roles.map_or((base, 0), |map| (Arc::new(map.roles), map.version));
    let own: Vec<CancelReason> = reasons.iter().map(reason).collect::<Result<_, _>>()?;
    let policies = policies.iter().map(|row| policy(row, &roles)).collect::<Result<_, _>>()?;
    Ok(Shelf {
        revision,
        policies,
        choices: choices.iter().map(choice).collect::<Result<_, _>>()?,
        own_reasons: own.len(),
        catalogue: Catalogue::with(own),
        edition: edition.as_ref().map(self::edition).transpose()?.unwrap_or_default(),
        roles_version: version,
        ..Shelf::begun_with(roles)
    })
}

pub async fn flush(tx: &mut Tx, written: &Written) -> Result<(), DbError> {
    let policies: Rows = written.policies.iter().map(policy_row).collect();
    let choices = written.choices.iter().map(|((tenant, selector), (policy_id, version))| {
        let (by, value) = selector.as_texts();
        record! {
            tenant_id: tenant,
            chosen_by: by,
            chosen_for: value,
            policy_id: policy_id,
            version: *version,
        }
    });
    let reasons = written.reasons.iter().map(|((tenant, _), reason)| reason_row(tenant, reason));
    let editions = written.editions.iter().map(|(tenant, edition)| {
        let names: Vec<&str> = edition.withheld.iter().map(|withheld| withheld.as_str()).collect();
        record! { tenant_id: tenant, edition: &edition.name, withheld: names.join(" ") }
    });
    let revisions = written.revisions.iter().map(|(tenant, revision)| {
        record! {
            tenant_id: tenant,
            revision: *revision,
        }
    });
    for (statement, rows) in [
        (&INSERT_POLICIES, policies),
        (&UPSERT_CHOICES, choices.collect()),
        (&UPSERT_REASONS, reasons.collect()),
        (&UPSERT_EDITIONS, editions.collect()),
        (&UPSERT_REVISIONS, revisions.collect()),
    ] {
        let expected = rows.len() as u64;
        if expected > 0 {
            tx.execute_exactly(statement, values![rows], expected).await?;
        }
    }
    Ok(())
}

fn edition(row: &Row) -> Result<Edition, DbError> {
    let names = row.text("withheld")?;
    let withheld = names.split_whitespace().map(|name| {
        Capability::parse(name)
            .ok_or_else(|| DbError::malformed(EDITION.name(), format!("no capability {name:?}")))
    });
    Ok(Edition { name: row.text("edition")?, withheld: withheld.collect::<Result<_, _>>()? })
}

fn policy_row((tenant, stored): &(Tenant, Stored)) -> Record {
    let (policy, by) = (&stored.policy, &stored.created_by);
    record! {
        tenant_id: tenant,
        policy_id: &policy.policy_id,
        version: policy.version,
        document: policy.document.to_text(),
        created_by_user: &by.user,
        created_by_org: &by.organisation,
        created_by_role: &by.role,
        created_at: stored.created_at,
    }
}

fn reason_row(tenant: &Tenant, reason: &CancelReason) -> Record {
    let json = |texts| serde_json::to_string(texts).expect("texts always have a JSON form");
    record! {
        tenant_id: tenant,
        code: &reason.code,
        family: reason.family.as_str(),
        note_required: i64::from(reason.note_required),
        active: i64::from(reason.active),
        labels: json(&reason.labels),
        mapping: json(&reason.mapping),
    }
}

fn policy(row: &Row, roles: &Arc<RoleMap>) -> Result<((String, i64), Stored), DbError> {
    let (policy_id, version) = (row.text("policy_id")?, row.int("version")?);
    let document = row.parsed("document", Document::parse)?;
    let created_by = Actor {
        user: row.text("created_by_user")?,
        organisation: row.text("created_by_org")?,
        role: row.text("created_by_role")?,
    };
    let policy = Policy { policy_id: policy_id.clone(), version, document, roles: Arc::clone(roles) };
    Ok(((policy_id, version), Stored { policy, created_by, created_at: row.timestamp("created_at")? }))
}

fn choice(row: &Row) -> Result<(Selector, (String, i64)), DbError> {
    let value = row.text("chosen_for")?;
    let selector = row.named("chosen_by", |by| Selector::parse(by, value))?;
    Ok((selector, (row.text("policy_id")?, row.int("version")?)))
}

fn reason(row: &Row) -> Result<CancelReason, DbError> {
    let texts = |text: &str| serde_json::from_str::<BTreeMap<String, String>>(text);
    Ok(CancelReason {
        code: row.text("code")?,
        family: row.named("family", Family::parse)?,
        labels: row.parsed("labels", texts)?,
        note_required: row.int("note_required")? == 1,
        active: row.int("active")? == 1,
        mapping: row.parsed("mapping", texts)?,
    })
}

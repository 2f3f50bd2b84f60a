//! Tables `recipient`, `preference` and `party`: who is told by mail, and how they want it.

use storage::{DbError, Row, Rows, Statement, Tx, record, values};
use types::{OrderId, Tenant};

use crate::domain::{Audience, Locale, Preference, Recipient, Scope};

/// The three ways to stand behind a party of an order, each by a key.
static OF_ORDERS: Statement = Statement::new(
    "notification.recipients_of_orders",
    "WITH k AS MATERIALIZED (SELECT tenant_id, order_id FROM rows($1: tenant_id text, order_id text) AS r)
     SELECT k.order_id AS for_order, e.tenant_id, e.scope, e.scope_id, e.audience, e.address, e.name, e.locale,
            e.state, e.changed_at
       FROM k JOIN recipient AS e ON e.tenant_id = k.tenant_id AND e.scope = 'order' AND e.scope_id = k.order_id
      WHERE e.state = 'active'
     UNION ALL
     SELECT k.order_id AS for_order, e.tenant_id, e.scope, e.scope_id, e.audience, e.address, e.name, e.locale,
            e.state, e.changed_at
       FROM k JOIN party AS p ON p.tenant_id = k.tenant_id AND p.order_id = k.order_id
              JOIN recipient AS e ON e.tenant_id = p.tenant_id AND e.scope = 'organisation'
                                 AND e.scope_id = p.organisation AND e.audience = p.audience
      WHERE e.state = 'active'
     UNION ALL
     SELECT k.order_id AS for_order, e.tenant_id, e.scope, e.scope_id, e.audience, e.address, e.name, e.locale,
            e.state, e.changed_at
       FROM k JOIN recipient AS e ON e.tenant_id = k.tenant_id AND e.scope = 'everything' AND e.scope_id = ''
      WHERE e.state = 'active'",
);

static PUT_RECIPIENT: Statement = Statement::new(
    "notification.put_recipient",
    "INSERT INTO recipient (tenant_id, scope, scope_id, audience, address, name, locale, state, changed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (tenant_id, scope, scope_id, audience, address) DO UPDATE
        SET name = excluded.name, locale = excluded.locale, state = excluded.state, changed_at = excluded.changed_at",
);

/// What somebody has said of an address stays as it is.
static PUT_CONTACTS: Statement = Statement::new(
    "notification.put_contacts",
    "INSERT INTO recipient rows($1: tenant_id text, scope text, scope_id text, audience text, address text,
       name = '', locale = '', state = 'active', changed_at text)
     WHERE true
     ON CONFLICT (tenant_id, scope, scope_id, audience, address) DO NOTHING",
);

static LIST_RECIPIENTS: Statement = Statement::new(
    "notification.list_recipients",
    "SELECT scope, scope_id, audience, address, name, locale, state, changed_at FROM recipient
      WHERE tenant_id = $1 AND (scope, scope_id, audience, address) > ($2, $3, $4, $5)
      ORDER BY scope, scope_id, audience, address LIMIT $6",
);

static PREFERENCES: Statement = Statement::new(
    "notification.preferences_of",
    "SELECT p.tenant_id, p.audience, p.address, p.template, p.locale, p.email, p.changed_at FROM preference AS p
       JOIN rows($1: tenant_id text, audience text, address text) AS r
         ON p.tenant_id = r.tenant_id AND p.audience = r.audience AND p.address = r.address",
);

static PUT_PREFERENCE: Statement = Statement::new(
    "notification.put_preference",
    "INSERT INTO preference (tenant_id, audience, address, template, locale, email, changed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (tenant_id, audience, address, template) DO UPDATE
        SET locale = excluded.locale, email = excluded.email, changed_at = excluded.changed_at",
);

static LIST_PREFERENCES: Statement = Statement::new(
    "notification.list_preferences",
    "SELECT audience, address, template, locale, email, changed_at FROM preference
      WHERE tenant_id = $1 AND (audience, address, template) > ($2, $3, $4)
      ORDER BY audience, address, template LIMIT $5",
);

static PUT_PARTIES: Statement = Statement::new(
    "notification.put_parties",
    "INSERT INTO party rows($1: tenant_id text, order_id text, audience text, organisation text)
     WHERE true
     ON CONFLICT (tenant_id, order_id, audience) DO NOTHING",
);

/// Which organisation stands behind a party of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    pub tenant: Tenant,
    pub order_id: OrderId,
    pub audience: Audience,
    pub organisation: String,
}

/// Whose messages are asked for: an order, or "" for what is about none.
pub type Subject = (Tenant, String);

/// Everybody who is mailed for one of the subjects, with the subject.
pub async fn of_subjects(tx: &mut Tx, subjects: &[Subject]) -> Result<Vec<(Subject, Recipient)>, DbError> {
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Rows = subjects.iter().map(|(tenant, order)| values![tenant, order.as_str()]).collect();
    let rows = tx.fetch_all(&OF_ORDERS, values![rows]).await?;
    rows.iter().map(|row| Ok(((row.tenant()?, row.text("for_order")?), recipient(row)?))).collect()
}

pub async fn put_recipient(tx: &mut Tx, tenant: &Tenant, recipient: &Recipient) -> Result<(), DbError> {
    let values = values![
        tenant,
        recipient.scope.as_str(),
        recipient.scope.id(),
        recipient.audience.as_str(),
        recipient.address.as_str(),
        recipient.name.as_str(),
        recipient.locale.map_or("", Locale::as_str),
        if recipient.is_active { "active" } else { "removed" },
        recipient.changed_at,
    ];
    tx.execute_exactly(&PUT_RECIPIENT, values, 1).await
}

/// The contacts of orders. Each takes effect once, or somebody has entered it already.
pub async fn put_contacts(tx: &mut Tx, contacts: &[(Tenant, Recipient)]) -> Result<(), DbError> {
    if contacts.is_empty() {
        return Ok(());
    }
    let row = |(tenant, recipient): &(Tenant, Recipient)| {
        record! {
            tenant_id: tenant,
            scope: recipient.scope.as_str(),
            scope_id: recipient.scope.id(),
            audience: recipient.audience.as_str(),
            address: recipient.address.as_str(),
            changed_at: recipient.changed_at,
        }
    };
    let rows: Rows = contacts.iter().map(row).collect();
    tx.execute(&PUT_CONTACTS, values![rows]).await?;
    Ok(())
}

/// Recipients after a key of scope, scope id, audience and address.
pub async fn list_recipients(
    tx: &mut Tx,
    tenant: &Tenant,
    after: [&str; 4],
    limit: i64,
) -> Result<Vec<Recipient>, DbError> {
    let [scope, id, audience, address] = after;
    let values = values![tenant, scope, id, audience, address, limit];
    tx.fetch_all(&LIST_RECIPIENTS, values).await?.iter().map(recipient).collect()
}

/// The preferences of these addresses, and of everybody of their audiences.
pub async fn preferences_of(
    tx: &mut Tx,
    of: &[(Tenant, Audience, String)],
) -> Result<Vec<(Tenant, Preference)>, DbError> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Rows = of
        .iter()
        .map(|(tenant, audience, address)| values![tenant, audience.as_str(), address.as_str()])
        .collect();
    let rows = tx.fetch_all(&PREFERENCES, values![rows]).await?;
    rows.iter().map(|row| Ok((row.tenant()?, preference(row)?))).collect()
}

pub async fn put_preference(tx: &mut Tx, tenant: &Tenant, preference: &Preference) -> Result<(), DbError> {
    let values = values![
        tenant,
        preference.audience.as_str(),
        preference.address.as_str(),
        preference.template.as_str(),
        preference.locale.map_or("", Locale::as_str),
        i64::from(preference.email),
        preference.changed_at,
    ];
    tx.execute_exactly(&PUT_PREFERENCE, values, 1).await
}

/// Preferences after a key of audience, address and template.
pub async fn list_preferences(
    tx: &mut Tx,
    tenant: &Tenant,
    after: [&str; 3],
    limit: i64,
) -> Result<Vec<Preference>, DbError> {
    let [audience, address, template] = after;
    let values = values![tenant, audience, address, template, limit];
    tx.fetch_all(&LIST_PREFERENCES, values).await?.iter().map(preference).collect()
}

/// Notes parties; one that is known stays as it is.
pub async fn put_parties(tx: &mut Tx, parties: &[Party]) -> Result<(), DbError> {
    if parties.is_empty() {
        return Ok(());
    }
    let rows: Rows = parties
        .iter()
        .map(|party| {
            record! {
                tenant_id: &party.tenant,
                order_id: &party.order_id,
                audience: party.audience.as_str(),
                organisation: party.organisation.as_str(),
            }
        })
        .collect();
    tx.execute(&PUT_PARTIES, values![rows]).await.map(drop)
}

fn recipient(row: &Row) -> Result<Recipient, DbError> {
    let (scope, id) = (row.text("scope")?, row.text("scope_id")?);
    Ok(Recipient {
        scope: row.named("scope", |_| Scope::parse(&scope, &id))?,
        audience: row.named("audience", Audience::parse)?,
        address: row.text("address")?,
        name: row.text("name")?,
        locale: Locale::parse(&row.text("locale")?),
        is_active: row.text("state")? == "active",
        changed_at: row.timestamp("changed_at")?,
    })
}

fn preference(row: &Row) -> Result<Preference, DbError> {
    Ok(Preference {
        audience: row.named("audience", Audience::parse)?,
        address: row.text("address")?,
        template: row.text("template")?,
        locale: Locale::parse(&row.text("locale")?),
        email: row.int("email")? == 1,
        changed_at: row.timestamp("changed_at")?,
    })
}

//! Labels: read with their order's goods, and found by their own id.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Record, Row, Rows, Statement, Tx, record, values};
use types::{FulfilmentId, LabelId, Money, OrderId, Tenant};

use crate::domain::{Label, LabelState, Voider};
use crate::store::goods::OrderKey;

static LOAD: Statement = Statement::new(
    "inventory.load_labels",
    "SELECT l.tenant_id, l.order_id, l.label_id, l.fulfilment_id, l.carrier, l.token, l.tracking_number, l.currency,
            l.cost_minor, l.state, l.credit, l.refusal, l.void_by, l.void_step, l.purchased_at, l.void_requested_at,
            l.void_ended_at, l.due_at, l.tries
       FROM rows($1: tenant_id text, order_id text) AS r
       JOIN label AS l ON l.tenant_id = r.tenant_id AND l.order_id = r.order_id",
);

pub static INSERT: Statement = Statement::new(
    "inventory.insert_labels",
    "INSERT INTO label rows($1: tenant_id text, order_id text, label_id text, fulfilment_id text,
       carrier text, token text, tracking_number text, currency text, cost_minor bigint, state text,
       credit text, refusal text, void_by text, void_step text, purchased_at text,
       void_requested_at text, void_ended_at text, due_at bigint, claimed_until = 0, tries bigint)",
);

pub static UPDATE: Statement = Statement::new(
    "inventory.update_labels",
    "UPDATE label SET rows($1: tenant_id text, order_id text, label_id text | state text, credit text,
       refusal text, void_by text, void_step text, void_requested_at text, void_ended_at text,
       due_at bigint, claimed_until = 0, tries bigint)",
);

static OWNERS: Statement = Statement::new(
    "inventory.owners_of_labels",
    "SELECT l.tenant_id, l.label_id, l.order_id, l.void_by, l.void_step
       FROM rows($1: tenant_id text, label_id text) AS r
       JOIN label AS l ON l.tenant_id = r.tenant_id AND l.label_id = r.label_id",
);

pub type LabelKey = (Tenant, LabelId);

/// Whose a label is, and the saga whose step waits for its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub order_id: OrderId,
    pub saga_id: Option<String>,
}

pub async fn owners(tx: &mut Tx, labels: &BTreeSet<LabelKey>) -> Result<BTreeMap<LabelKey, Owner>, DbError> {
    let mut owners = BTreeMap::new();
    if labels.is_empty() {
        return Ok(owners);
    }
    let rows: Rows = labels.iter().map(|(tenant, id)| values![tenant, id]).collect();
    for row in tx.fetch_all(&OWNERS, values![rows]).await? {
        let by_saga = row.text("void_step")? == "void_labels";
        let saga_id = if by_saga { Some(row.text("void_by")?) } else { None };
        let owner = Owner { order_id: row.parsed("order_id", OrderId::parse)?, saga_id };
        owners.insert((row.tenant()?, row.parsed("label_id", LabelId::parse)?), owner);
    }
    Ok(owners)
}

pub(super) async fn load(tx: &mut Tx, orders: &Rows) -> Result<Vec<Row>, DbError> {
    tx.fetch_all(&LOAD, values![orders.clone()]).await
}

pub(super) fn read(row: &Row) -> Result<(LabelId, Label), DbError> {
    let malformed = |detail: String| DbError::malformed(LOAD.name(), detail);
    let (state, credit, refusal) = (row.text("state")?, row.text("credit")?, row.text("refusal")?);
    let read = LabelState::read(&state, &credit, &refusal);
    let state = read.ok_or_else(|| malformed(format!("a label is {state} with credit {credit:?}")))?;
    let cost = Money::parse(&row.text("currency")?, row.int("cost_minor")?);
    let by = row.text("void_by")?;
    let label = Label {
        fulfilment_id: row.parsed("fulfilment_id", FulfilmentId::parse)?,
        carrier: row.text("carrier")?,
        token: row.text("token")?,
        tracking_number: row.text("tracking_number")?,
        cost: cost.map_err(|problem| malformed(problem.to_string()))?,
        state,
        voider: if by.is_empty() { None } else { Some(Voider { by, step: row.text("void_step")? }) },
        purchased_at: row.timestamp("purchased_at")?,
        void_requested_at: row.opt_timestamp("void_requested_at")?,
        void_ended_at: row.opt_timestamp("void_ended_at")?,
        due_at: row.int("due_at")?,
        tries: row.int("tries")?,
    };
    Ok((row.parsed("label_id", LabelId::parse)?, label))
}

pub(super) fn row((tenant, order): &OrderKey, id: &LabelId, label: &Label) -> Record {
    let voider = label.voider.as_ref();
    record! {
        tenant_id: tenant,
        order_id: order,
        label_id: id,
        fulfilment_id: &label.fulfilment_id,
        carrier: &label.carrier,
        token: &label.token,
        tracking_number: &label.tracking_number,
        currency: label.cost.currency().code(),
        cost_minor: label.cost.minor(),
        state: label.state.as_str(),
        credit: label.state.credit().map_or("", |credit| credit.as_str()),
        refusal: label.state.refusal().map_or("", |refusal| refusal.as_str()),
        void_by: voider.map_or("", |voider| voider.by.as_str()),
        void_step: voider.map_or("", |voider| voider.step.as_str()),
        purchased_at: label.purchased_at,
        void_requested_at: label.void_requested_at,
        void_ended_at: label.void_ended_at,
        due_at: label.due_at,
        tries: label.tries,
    }
}

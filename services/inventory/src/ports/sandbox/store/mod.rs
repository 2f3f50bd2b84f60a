//! The sandbox carrier's book: one row a label, for ever.

use storage::{DbError, Statement, Tx, values};
use types::{LabelId, Tenant};

use crate::domain::{CarrierAnswer, Credit, VoidRefusal};

static ASK: Statement = Statement::new(
    "sandbox.ask_void",
    "INSERT INTO sandbox_void (tenant_id, label_id, token, outcome, credit, voided_at, credited_at, asked)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 1)
     ON CONFLICT (tenant_id, label_id) DO UPDATE SET asked = sandbox_void.asked + 1
     RETURNING token, outcome, credit, voided_at, credited_at, asked",
);

/// What was decided about a label, and from when on it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub token: String,
    pub refusal: Option<VoidRefusal>,
    pub credit: Credit,
    pub voided_at: i64,
    pub credited_at: i64,
    /// How often it was asked about.
    pub asked: i64,
}

impl Entry {
    pub fn answer(&self, now: i64) -> CarrierAnswer {
        match self.refusal {
            Some(refusal) => CarrierAnswer::Refused(refusal),
            None if now < self.voided_at => CarrierAnswer::Later,
            None if now < self.credited_at => CarrierAnswer::Voided { credit: Credit::Requested },
            None => CarrierAnswer::Voided { credit: self.credit },
        }
    }
}

/// The first question decides; every later one is told the same.
pub async fn ask(tx: &mut Tx, tenant: &Tenant, id: &LabelId, entry: &Entry) -> Result<Entry, DbError> {
    let outcome = entry.refusal.map_or("voided", VoidRefusal::as_str);
    let credit = if entry.refusal.is_some() { "" } else { entry.credit.as_str() };
    let given = values![tenant, id, &entry.token, outcome, credit, entry.voided_at, entry.credited_at];
    let row = tx.fetch_one(&ASK, given).await?;
    let credit = row.text("credit")?;
    Ok(Entry {
        token: row.text("token")?,
        refusal: VoidRefusal::from_name(&row.text("outcome")?),
        credit: Credit::from_name(&credit).unwrap_or(Credit::Denied),
        voided_at: row.int("voided_at")?,
        credited_at: row.int("credited_at")?,
        asked: row.int("asked")?,
    })
}

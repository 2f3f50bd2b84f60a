//! `alarm`: how many words were sent about each subject that a person has to look at, so that they arrive in order.

use std::collections::BTreeMap;

use storage::{DbError, Rows, Statement, Tx, record, values};
use types::Tenant;

/// Whose, what kind, and which.
pub type Subject = (Tenant, String, String);

static NUMBER: Statement = Statement::new(
    "notification.number_alarms",
    "INSERT INTO alarm rows($1: tenant_id text, subject_type text, subject_id text,
       last_seq = CAST(1 AS BIGINT))
     WHERE true ORDER BY tenant_id, subject_type, subject_id
     ON CONFLICT (tenant_id, subject_type, subject_id) DO UPDATE SET last_seq = alarm.last_seq + 1
     RETURNING tenant_id, subject_type, subject_id, last_seq",
);

/// The number of the next word about each of these subjects, which are all different.
pub async fn number(tx: &mut Tx, subjects: &[Subject]) -> Result<BTreeMap<Subject, i64>, DbError> {
    if subjects.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Rows = subjects
        .iter()
        .map(|(tenant, kind, id)| {
            record! {
                tenant_id: tenant,
                subject_type: kind,
                subject_id: id,
            }
        })
        .collect();
    let rows = tx.fetch_all(&NUMBER, values![rows]).await?;
    if rows.len() != subjects.len() {
        let (expected, actual) = (subjects.len() as u64, rows.len() as u64);
        return Err(DbError::RowCount { statement: NUMBER.name(), expected, actual });
    }
    rows.iter()
        .map(|row| {
            Ok(((row.tenant()?, row.text("subject_type")?, row.text("subject_id")?), row.int("last_seq")?))
        })
        .collect()
}

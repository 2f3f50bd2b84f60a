//! What has become of the rows of one table: those that are new, and those that are not as they were read.

use storage::{DbError, Record, Statement, Tx, values};

#[derive(Default)]
pub struct Delta {
    inserts: Vec<Record>,
    updates: Vec<Record>,
}

impl Delta {
    /// Notes one row, in the columns that both statements take.
    pub fn note(&mut self, before: Option<Record>, now: Record) {
        match before {
            None => self.inserts.push(now),
            Some(before) if before == now => {}
            Some(_) => self.updates.push(now),
        }
    }

    /// Each row has a key of its own, so the number of rows is the number that must be touched.
    pub async fn write(
        self,
        tx: &mut Tx,
        insert: &'static Statement,
        update: &'static Statement,
    ) -> Result<(), DbError> {
        for (statement, rows) in [(insert, self.inserts), (update, self.updates)] {
            if !rows.is_empty() {
                let expected = rows.len() as u64;
                tx.execute_exactly(statement, values![rows], expected).await?;
            }
        }
        Ok(())
    }
}

//! The saga runner's way into the group commit.

use saga::{Advance, Cause, CauseKind, CommitError, Event, Owner, SagaImage};
use storage::{Database, DbError, WriteError, Writer};

use crate::ops::books::Books;
use crate::ops::commit::batch::OrderBatch;
use crate::ops::commit::command::{Answer, Command};
use crate::ports::Ports;

pub struct SagaOwner {
    database: Database,
    writer: Writer<OrderBatch>,
}

impl SagaOwner {
    pub fn new(database: Database, writer: Writer<OrderBatch>) -> Self {
        Self { database, writer }
    }
}

impl Owner for SagaOwner {
    type Ports = Ports;
    type Books = Books;

    fn database(&self) -> &Database {
        &self.database
    }

    async fn commit(&self, advance: Advance) -> Result<SagaImage, CommitError> {
        match self.submit(advance.clone()).await {
            Err(WriteError::Failed(error)) if is_a_defect(&error) => self.set_aside(advance, &error).await,
            Err(error) => Err(CommitError::Unknown(error.to_string())),
            Ok(committed) => committed,
        }
    }
}

impl SagaOwner {
    async fn submit(&self, advance: Advance) -> Result<Result<SagaImage, CommitError>, WriteError> {
        let reply = self.writer.submit(Command::Advance(Box::new(advance))).await?;
        Ok(match reply.answer {
            Answer::Advanced(advanced) => advanced.map(|image| *image).map_err(CommitError::from),
            _ => Err(CommitError::Unknown("a round was answered by another command's answer".to_owned())),
        })
    }

    /// The round can never be written. The saga is set aside until an operator acts, instead of being tried for ever unnoticed.
    async fn set_aside(&self, round: Advance, error: &DbError) -> Result<SagaImage, CommitError> {
        tracing::error!(saga_id = %round.key.id, %error, "a round cannot be written");
        let message = format!("the round cannot be written: {error}");
        let cause = Cause { kind: CauseKind::LocalStepFailed, step: None, message };
        let aside = Advance { event: Event::SetAside(cause), ..round };
        self.submit(aside).await.unwrap_or_else(|error| Err(CommitError::Unknown(error.to_string())))
    }
}

/// Errors that another try does not mend: the rows and the program contradict each other. All others may pass.
fn is_a_defect(error: &DbError) -> bool {
    match error {
        DbError::Check { .. }
        | DbError::ForeignKey { .. }
        | DbError::Nul { .. }
        | DbError::RowCount { .. }
        | DbError::Malformed { .. } => true,
        DbError::Unique { .. }
        | DbError::Retryable { .. }
        | DbError::OutcomeUnknown { .. }
        | DbError::StorageFull { .. }
        | DbError::Unavailable { .. }
        | DbError::SchemaTooNew { .. }
        | DbError::UnsafeSettings { .. }
        | DbError::Other { .. } => false,
    }
}

//! The saga runner's way into the group commit.

use saga::{Advance, CommitError, Owner, SagaImage};
use storage::{Database, Writer};

use super::batch::{Answer, Command, OrderBatch};
use super::books::Books;
use crate::ports::Ports;

pub struct SagaOwner {
    database: Database,
    writer: Writer<OrderBatch>,
}

impl SagaOwner {
    pub(super) fn new(database: Database, writer: Writer<OrderBatch>) -> Self {
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
        match self.writer.submit(Command::Advance(Box::new(advance))).await.map(|reply| reply.answer) {
            Ok(Answer::Advanced(advanced)) => Ok(*advanced?),
            Ok(_) => Err(CommitError::Unknown("a round was answered by another command's answer".to_owned())),
            Err(error) => Err(CommitError::Unknown(error.to_string())),
        }
    }
}

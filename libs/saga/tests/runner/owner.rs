//! An owner as a service is one: its own rows and its sagas, in one group commit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use saga::{
    Advance, Advanced, AttentionChange, Books, CommitError, Doorbell, Event, LeaseLost, NewSaga, Owner,
    Registry, SagaBooks, SagaImage, SagaKey, Wake,
};
use storage::{Batch, Database, DbError, Migration, Overlay, Rows, Statement, Table, Tx, Writer, values};
use types::Refusal;

use crate::participants::Participants;

pub const FACTS: Migration = Migration {
    number: 10,
    name: "facts",
    sql: "CREATE TABLE fact (saga_id TEXT NOT NULL, fact TEXT NOT NULL, PRIMARY KEY (saga_id, fact))",
    sqlite: "",
    postgres: "",
};

static INSERT_FACTS: Statement = Statement::new(
    "test.insert_facts",
    "INSERT INTO fact (saga_id, fact) SELECT saga_id, fact FROM rows($1: saga_id text, fact text)",
);

/// What local steps write: one fact for each.
pub struct TestBooks {
    sagas: SagaBooks,
    pub facts: Table<(String, String), ()>,
}

impl Books for TestBooks {
    fn sagas(&mut self) -> &mut SagaBooks {
        &mut self.sagas
    }
}

impl Overlay for TestBooks {
    fn parts(&mut self) -> Vec<&mut dyn Overlay> {
        vec![&mut self.sagas, &mut self.facts]
    }
}

pub enum Command {
    Start(NewSaga),
    Advance(Advance),
    Unwind(SagaKey, Refusal),
    Retry(SagaKey),
    Resolve(SagaKey, String),
    Wake(SagaKey),
}

pub enum Reply {
    Started(SagaImage),
    Advanced(Result<Advanced, LeaseLost>),
    Done(Result<(), Refusal>),
    Woken(Wake),
}

pub struct Group {
    pub registry: Arc<Registry<Participants, TestBooks>>,
    pub bell: Doorbell,
    pub attention: Mutex<Vec<(SagaKey, AttentionChange)>>,
}

impl Command {
    fn saga(&self) -> SagaKey {
        match self {
            Self::Start(new) => SagaKey::new(new.tenant.clone(), new.id.clone()),
            Self::Advance(advance) => advance.key.clone(),
            Self::Unwind(key, _) | Self::Retry(key) | Self::Resolve(key, _) | Self::Wake(key) => key.clone(),
        }
    }
}

impl Batch for Group {
    type Command = Command;
    type Reply = Reply;

    fn key(command: &Command) -> String {
        command.saga().id.to_string()
    }

    async fn decide(&self, tx: &mut Tx, commands: &[Command]) -> Result<Vec<Reply>, DbError> {
        let mut books = TestBooks { sagas: self.registry.books(), facts: Table::new() };
        let keys: Vec<SagaKey> = commands.iter().map(Command::saga).collect();
        books.sagas.load(tx, &keys).await?;

        let replies = commands.iter().map(|command| self.decide_one(&mut books, command)).collect();

        books.sagas.flush(tx).await?;
        let facts: Rows = books.facts.keys().map(|(saga, fact)| values![saga, fact]).collect();
        if !facts.is_empty() {
            let count = facts.len() as u64;
            tx.execute_exactly(&INSERT_FACTS, values![facts], count).await?;
        }
        Ok(replies)
    }

    fn committed(&self, _commands: &[Command], replies: &[Reply]) {
        for reply in replies {
            match reply {
                Reply::Started(image) if image.row.lease_until > 0 => self.bell.hand_over(image.clone()),
                Reply::Advanced(Ok(advanced)) if advanced.attention != AttentionChange::None => {
                    let change = (advanced.image.row.key.clone(), advanced.attention.clone());
                    self.attention.lock().unwrap().push(change);
                }
                Reply::Started(_) | Reply::Done(_) | Reply::Woken(_) => self.bell.wake(),
                Reply::Advanced(_) => {}
            }
        }
    }
}

impl Group {
    fn decide_one(&self, books: &mut TestBooks, command: &Command) -> Reply {
        match command {
            Command::Start(new) => Reply::Started(books.sagas.start(new.clone())),
            Command::Advance(advance) => Reply::Advanced(self.registry.apply(books, advance)),
            Command::Unwind(key, cause) => Reply::Done(books.sagas.request_unwind(key, cause.clone())),
            Command::Retry(key) => Reply::Done(books.sagas.retry(key)),
            Command::Resolve(key, step) => {
                let reply = b"by hand".to_vec();
                Reply::Done(self.registry.resolve(books, key, step, reply).map(|_| ()))
            }
            Command::Wake(key) => Reply::Woken(books.sagas.wake(key)),
        }
    }
}

pub struct TestOwner {
    pub database: Database,
    pub writer: Writer<Group>,
    /// Whether it cannot even write that a saga needs attention, as when its own rows are unreadable.
    pub helpless: AtomicBool,
}

impl TestOwner {
    pub async fn submit(&self, command: Command) -> Reply {
        self.writer.submit(command).await.unwrap()
    }

    pub async fn done(&self, command: Command) -> Result<(), Refusal> {
        match self.submit(command).await {
            Reply::Done(done) => done,
            Reply::Started(_) | Reply::Advanced(_) | Reply::Woken(_) => panic!("not a verb"),
        }
    }
}

impl Owner for TestOwner {
    type Ports = Participants;
    type Books = TestBooks;

    fn database(&self) -> &Database {
        &self.database
    }

    async fn commit(&self, advance: Advance) -> Result<SagaImage, CommitError> {
        if self.helpless.load(Ordering::SeqCst) && matches!(advance.event, Event::SetAside(_)) {
            return Err(CommitError::Unknown("the owner's rows cannot be read".to_owned()));
        }
        match self.writer.submit(Command::Advance(advance)).await {
            Ok(Reply::Advanced(advanced)) => Ok(advanced?.image),
            Ok(Reply::Started(_) | Reply::Done(_) | Reply::Woken(_)) => {
                panic!("an advance is answered as one")
            }
            Err(problem) => Err(CommitError::Unknown(problem.to_string())),
        }
    }
}

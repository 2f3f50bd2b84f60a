use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use storage::writer::QUEUE;
use storage::{Batch, Database, DbError, Rows, Tx, WriteError, Writer, values};
use tokio::sync::Semaphore;

use crate::world::{ADD_STOCK, MOVE, MOVED, T, on_hand, shops, stock_up};

/// Moves units of one good, or misbehaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub id: String,
    pub sku: &'static str,
    pub delta: i64,
    pub conduct: Conduct,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    Good,
    Panics,
    /// Fails with a lost race as long as the desk's counter says so.
    Races,
    Unavailable,
}

/// Each decide waits for a permit of the gate, so that a test can let commands gather.
pub struct Desk {
    gate: Semaphore,
    batches: Mutex<Vec<Vec<String>>>,
    races: AtomicU32,
    committed: AtomicUsize,
}

impl Desk {
    pub fn new(open: bool) -> Arc<Self> {
        let permits = if open { Semaphore::MAX_PERMITS } else { 0 };
        Arc::new(Self {
            gate: Semaphore::new(permits),
            batches: Mutex::default(),
            races: AtomicU32::new(0),
            committed: AtomicUsize::new(0),
        })
    }

    fn batches(&self) -> Vec<Vec<String>> {
        self.batches.lock().expect("no test panics with it").clone()
    }
}

impl Batch for Desk {
    type Command = Command;
    type Reply = String;

    fn key(command: &Command) -> String {
        command.sku.to_owned()
    }

    async fn decide(&self, tx: &mut Tx, commands: &[Command]) -> Result<Vec<String>, DbError> {
        self.gate.acquire().await.expect("the gate is never closed").forget();
        let ids: Vec<String> = commands.iter().map(|command| command.id.clone()).collect();
        self.batches.lock().expect("no test panics with it").push(ids.clone());
        let mut sums = BTreeMap::<&str, i64>::new();
        for command in commands {
            *sums.entry(command.sku).or_default() += command.delta;
        }
        let moves: Rows = commands.iter().map(|c| values![&c.id, c.sku, c.delta]).collect();
        tx.execute_exactly(&MOVE, values![T, moves], commands.len() as u64).await?;
        let rows: Rows = sums.iter().map(|(sku, delta)| values![*sku, *delta]).collect();
        tx.execute_exactly(&ADD_STOCK, values![T, rows], sums.len() as u64).await?;
        for command in commands {
            match command.conduct {
                Conduct::Good => {}
                Conduct::Panics => panic!("the command has a bug"),
                Conduct::Races => {
                    let left =
                        self.races.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
                    if left.is_ok() {
                        return Err(DbError::Retryable { statement: "test", detail: "made up".to_owned() });
                    }
                }
                Conduct::Unavailable => {
                    return Err(DbError::Unavailable { statement: "test", detail: "made up".to_owned() });
                }
            }
        }
        Ok(ids)
    }

    fn committed(&self, commands: &[Command], replies: &[String]) {
        assert_eq!(commands.len(), replies.len());
        self.committed.fetch_add(commands.len(), Ordering::Relaxed);
    }
}

pub fn good(id: &str, sku: &'static str, delta: i64) -> Command {
    Command { id: id.to_owned(), sku, delta, conduct: Conduct::Good }
}

type Answers = Vec<tokio::task::JoinHandle<Result<String, WriteError>>>;

/// The first command goes in alone and waits at the gate; the others gather behind it, in this order.
async fn gather(writer: &Writer<Desk>, commands: Vec<Command>) -> Answers {
    let mut answers = Vec::new();
    for command in commands {
        let writer = writer.clone();
        answers.push(tokio::spawn(async move { writer.submit(command).await }));
        // On a single-threaded runtime the task has queued its command when we get the word back.
        tokio::task::yield_now().await;
    }
    answers
}

async fn answered(answers: Answers) -> Vec<Result<String, WriteError>> {
    let mut results = Vec::new();
    for answer in answers {
        results.push(answer.await.expect("no caller panics"));
    }
    results
}

async fn desk(database: &Database, open: bool) -> (Arc<Desk>, Writer<Desk>) {
    stock_up(database, &[("cup", 100), ("pot", 100), ("tea", 100)]).await;
    let desk = Desk::new(open);
    let writer = Writer::start(database.clone(), Arc::clone(&desk));
    (desk, writer)
}

async fn movements(database: &Database) -> i64 {
    let mut tx = database.read().await.expect("the database answers");
    tx.fetch_one(&MOVED, values![T]).await.expect("one row").int("count").expect("a number")
}

#[tokio::test]
async fn what_arrives_together_is_one_batch_in_order_and_one_key_waits_for_itself() {
    for database in shops("gather").await {
        let (desk, writer) = desk(&database, false).await;
        let ids = ["0 tea", "1 tea", "2 cup", "3 tea", "4 pot", "5 cup"];
        let skus = ["tea", "tea", "cup", "tea", "pot", "cup"];
        let commands = ids.iter().zip(skus).map(|(id, sku)| good(id, sku, 1)).collect();

        let answers = gather(&writer, commands).await;
        desk.gate.add_permits(100);
        let replies = answered(answers).await;

        let expected: Vec<_> = ids.iter().map(|id| Ok((*id).to_owned())).collect();
        assert_eq!(replies, expected);
        let batches = desk.batches();
        assert_eq!(batches, [vec!["0 tea"], vec!["1 tea", "2 cup", "4 pot"], vec!["3 tea", "5 cup"]]);
        assert_eq!(desk.committed.load(Ordering::Relaxed), 6);
        assert_eq!(on_hand(&database, "tea").await, 103);
    }
}

#[tokio::test]
async fn a_failing_command_takes_nobody_down() {
    for database in shops("failing").await {
        let (desk, writer) = desk(&database, false).await;
        let commands = vec![
            good("first", "tea", 0),
            good("fine", "tea", -1),
            good("too many", "cup", -1000),
            Command { conduct: Conduct::Panics, ..good("bug", "pot", -1) },
        ];

        let answers = gather(&writer, commands).await;
        desk.gate.add_permits(100);
        let replies = answered(answers).await;

        assert_eq!(replies[0], Ok("first".to_owned()));
        assert_eq!(replies[1], Ok("fine".to_owned()));
        assert!(matches!(replies[2], Err(WriteError::Failed(DbError::Check { .. }))), "{:?}", replies[2]);
        assert!(matches!(replies[3], Err(WriteError::Failed(DbError::Other { .. }))), "{:?}", replies[3]);
        assert_eq!(on_hand(&database, "tea").await, 99);
        assert_eq!((on_hand(&database, "cup").await, on_hand(&database, "pot").await), (100, 100));
        assert_eq!(movements(&database).await, 2);
        assert_eq!(
            writer.submit(good("after", "pot", 1)).await,
            Ok("after".to_owned()),
            "the writer lives on"
        );
    }
}

#[tokio::test]
async fn a_lost_race_runs_the_batch_again_three_times_at_most() {
    for database in shops("batch_race").await {
        let (desk, writer) = desk(&database, true).await;
        let races = |id| Command { conduct: Conduct::Races, ..good(id, "tea", 1) };

        desk.races.store(3, Ordering::Relaxed);
        let third_retry = writer.submit(races("a")).await;
        desk.races.store(4, Ordering::Relaxed);
        let fourth_retry = writer.submit(races("b")).await;

        assert_eq!(third_retry, Ok("a".to_owned()));
        assert!(matches!(fourth_retry, Err(WriteError::Failed(DbError::Retryable { .. }))));
        assert_eq!(desk.batches().len(), 8);
        assert_eq!((on_hand(&database, "tea").await, movements(&database).await), (101, 1));
    }
}

#[tokio::test]
async fn an_unwell_database_fails_all_at_once_and_is_not_asked_once_per_command() {
    for database in shops("unwell").await {
        let (desk, writer) = desk(&database, false).await;
        let commands = vec![
            good("first", "tea", 0),
            good("a", "tea", 1),
            Command { conduct: Conduct::Unavailable, ..good("b", "cup", 1) },
        ];

        let answers = gather(&writer, commands).await;
        desk.gate.add_permits(100);
        let replies = answered(answers).await;

        assert!(replies[0].is_ok());
        for reply in &replies[1..] {
            assert!(matches!(reply, Err(WriteError::Failed(DbError::Unavailable { .. }))), "{reply:?}");
        }
        assert_eq!(desk.batches().len(), 2);
        assert!(writer.submit(good("c", "cup", 1)).await.is_ok());
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_a_whole_command() {
    for database in shops("gone").await {
        let (desk, writer) = desk(&database, false).await;

        let answers =
            gather(&writer, vec![good("first", "tea", 0), good("a", "tea", 1), good("b", "cup", 1)]).await;
        for answer in &answers {
            answer.abort();
        }
        desk.gate.add_permits(100);
        writer.drain().await;

        assert_eq!(movements(&database).await, 3);
        assert_eq!((on_hand(&database, "tea").await, on_hand(&database, "cup").await), (101, 101));
    }
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_frees_up_again() {
    for database in shops("overload").await {
        let (desk, writer) = desk(&database, false).await;
        let commands = (0..QUEUE).map(|n| good(&format!("c{n}"), ["cup", "tea"][n % 2], 1)).collect();

        let answers = gather(&writer, commands).await;
        let refused = writer.submit(good("one too many", "pot", 1)).await;
        desk.gate.add_permits(QUEUE);
        let replies = answered(answers).await;

        assert_eq!(refused, Err(WriteError::Overloaded));
        assert!(replies.iter().all(Result::is_ok));
        assert!(writer.submit(good("again", "pot", 1)).await.is_ok());
        assert_eq!(movements(&database).await, i64::try_from(QUEUE).unwrap() + 1);
    }
}

#[tokio::test]
async fn a_drained_writer_has_answered_all_and_takes_no_more() {
    for database in shops("drain").await {
        let (desk, writer) = desk(&database, false).await;
        let answers =
            gather(&writer, vec![good("a", "tea", 1), good("b", "tea", 1), good("c", "cup", 1)]).await;

        desk.gate.add_permits(100);
        writer.drain().await;
        writer.drain().await;
        let late = writer.submit(good("late", "tea", 1)).await;

        assert!(answered(answers).await.iter().all(Result::is_ok));
        assert_eq!(late, Err(WriteError::Stopped));
        assert_eq!(movements(&database).await, 3);
    }
}

//! One database, one owner, scripted participants and any number of workers.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use saga::{
    Definition, Doorbell, Limits, Log, MIGRATION, NewSaga, Registry, Retry, Runner, RunnerConfig, SagaImage,
    SagaKey, SagaRow, State, Version, completes, query, undo,
};
use storage::{Database, Writer};
use tokio_util::sync::CancellationToken;
use types::{Clock, Ids, SagaId, Tenant};

use crate::owner::{Command, FACTS, Group, Reply, TestBooks, TestOwner};
use crate::participants::Participants;

const PATIENCE: Duration = Duration::from_secs(30);

pub struct World {
    pub owner: Arc<TestOwner>,
    pub group: Arc<Group>,
    pub ports: Arc<Participants>,
    pub config: RunnerConfig,
    ids: Ids,
}

pub struct Running {
    runner: Runner<TestOwner>,
    shutdown: CancellationToken,
}

/// The six steps: three that can be taken back, the decision, two forward.
pub fn definition() -> Definition<Participants, TestBooks> {
    let ask = |ports: Arc<Participants>, call| ports.answer(call);
    Definition::new("move", Version(1))
        .reversible("hold", ask, undo(ask), Retry::quick())
        .reversible("reserve", ask, undo(ask), Retry::quick())
        .reversible("stop", ask, undo(ask), Retry::until_deadline())
        .pivot("decide", |books, row, _| Ok(fact(books, row, "decided")))
        .forward("release", ask, completes("hold"))
        .forward("settle", ask, completes("reserve"))
        .finish(|books, row, log| {
            assert!(log.applied("release") && log.applied("settle"), "finish comes last");
            Ok(fact(books, row, "finished"))
        })
        .unwound(|books, row, _| Ok(fact(books, row, "unwound")))
}

pub fn fact(books: &mut TestBooks, row: &SagaRow, text: &str) -> Vec<u8> {
    books.facts.insert((row.key.id.to_string(), text.to_owned()), ());
    text.as_bytes().to_vec()
}

pub fn brisk() -> Limits {
    Limits { first_delay: Duration::from_millis(5), ..Limits::default() }
}

/// A world on SQLite, and one on PostgreSQL when a server is given.
pub async fn worlds(name: &str, limits: Limits) -> Vec<World> {
    worlds_of(name, limits, definition).await
}

pub async fn worlds_of(
    name: &str,
    limits: Limits,
    definition: fn() -> Definition<Participants, TestBooks>,
) -> Vec<World> {
    let mut worlds = vec![];
    for database in storage::testing::databases(name).await {
        database.migrate("test", &[MIGRATION, FACTS]).await.unwrap();
        worlds.push(World::new(database, Registry::new(vec![definition()], limits)));
    }
    worlds
}

impl World {
    fn new(database: Database, registry: Registry<Participants, TestBooks>) -> Self {
        let config = RunnerConfig {
            poll: Duration::from_millis(20),
            inline_pause_max: Duration::from_millis(50),
            ..RunnerConfig::new("worker-1")
        };
        let bell = Doorbell::new(&config);
        let group = Arc::new(Group { registry: Arc::new(registry), bell, attention: Mutex::default() });
        let writer = Writer::start(database.clone(), Arc::clone(&group));
        let owner = Arc::new(TestOwner { database, writer, helpless: AtomicBool::new(false) });
        Self { owner, group, ports: Arc::default(), config, ids: Ids::random(Clock::System) }
    }

    pub fn start_worker(&self, name: &str) -> Running {
        let shutdown = CancellationToken::new();
        let runner = Runner::start(
            Arc::clone(&self.owner),
            Arc::clone(&self.ports),
            Arc::clone(&self.group.registry),
            RunnerConfig { worker: name.to_owned(), ..self.config.clone() },
            self.group.bell.clone(),
            shutdown.clone(),
        );
        Running { runner, shutdown }
    }

    /// Accepts a saga; with a lease it is handed over, without one it is claimed.
    pub async fn accept(&self, with_lease: bool) -> SagaKey {
        self.accept_version(with_lease, Version(1)).await
    }

    pub async fn accept_version(&self, with_lease: bool, version: Version) -> SagaKey {
        let id: SagaId = self.ids.mint();
        let new = NewSaga {
            tenant: Tenant::DEFAULT,
            id: id.clone(),
            definition: "move",
            version,
            subject_type: "parcel",
            subject_id: id.to_string(),
            params: vec![7],
            traceparent: None,
            lease: with_lease.then(|| self.config.grant()),
        };
        match self.owner.submit(Command::Start(new)).await {
            Reply::Started(image) => image.row.key,
            Reply::Advanced(_) | Reply::Done(_) | Reply::Woken(_) => panic!("a start is answered as one"),
        }
    }

    pub async fn image(&self, key: &SagaKey) -> SagaImage {
        let mut tx = self.owner.database.read().await.unwrap();
        query::get(&mut tx, key).await.unwrap().expect("the saga was accepted")
    }

    /// Polls until the saga is as wanted, or fails with how it is instead.
    pub async fn until(&self, key: &SagaKey, wanted: impl Fn(&SagaImage) -> bool) -> SagaImage {
        let end = Instant::now() + PATIENCE;
        loop {
            let image = self.image(key).await;
            if wanted(&image) {
                return image;
            }
            assert!(Instant::now() < end, "it never came about: {image:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn until_state(&self, key: &SagaKey, state: State) -> SagaImage {
        self.until(key, |image| image.row.state == state).await
    }

    pub fn advance_clock(&self, by: Duration) {
        storage::testing::advance_clock(&self.owner.database, by);
    }
}

impl Running {
    /// Stops as a deployment does: leases are given up.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.runner.stopped().await;
    }

    /// Dies as a killed process does: nothing is given up.
    pub fn crash(self) {
        self.shutdown.cancel();
    }
}

/// The log as one line a step, for comparisons.
pub fn story(log: &Log) -> Vec<String> {
    let line = |entry: &saga::Entry| {
        format!("{} {} {}", entry.step, entry.direction.as_str(), entry.outcome.as_str())
    };
    log.entries().iter().map(line).collect()
}

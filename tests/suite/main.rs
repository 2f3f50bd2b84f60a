//! The end-to-end tests. Each scenario runs on each engine; scenarios of one engine share one started suite, those that
//! kill processes start their own. The suites are stopped when the binary ends.

mod counts;
mod features;
mod guide;
mod inversions;
mod lives;
mod matrix;
mod scenarios;
mod tidy;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use futures::future::LocalBoxFuture;
use inversions::Data;
use libtest_mimic::{Arguments, Failed, Trial};
use tests::suite::Extra;
use tests::{Engine, Suite};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

/// What a scenario is handed.
pub struct Stage {
    engine: Engine,
    shared: Arc<OnceCell<Suite>>,
    /// What becomes of the data of shops that open here.
    pub data: Data,
}

impl Stage {
    /// The suite that scenarios of this engine share; started by the first that asks.
    pub async fn suite(&self) -> Result<&Suite> {
        self.shared.get_or_try_init(|| Suite::start(self.engine, &[])).await
    }

    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The same suite, for shops with other data.
    #[must_use]
    pub fn with(&self, data: Data) -> Self {
        Self { engine: self.engine, shared: Arc::clone(&self.shared), data }
    }

    /// A suite of the scenario's own, to be killed and restarted.
    pub async fn own_suite(&self, extra: Extra<'_>) -> Result<Suite> {
        Suite::start(self.engine, extra).await
    }
}

pub type Scenario = for<'a> fn(&'a Stage) -> LocalBoxFuture<'a, Result<()>>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Two cores: more at once only makes each slower.
    arguments.test_threads.get_or_insert(4);
    let runtime = Arc::new(Runtime::new().expect("a test run needs its runtime"));
    let stages: Vec<Arc<Stage>> = Engine::available()
        .into_iter()
        .map(|engine| Arc::new(Stage { engine, shared: Arc::default(), data: Data::AsItIs }))
        .collect();

    let mut trials = tidy::trials();
    trials.extend(guide::trials());
    trials.extend(counts::trials());
    let scenarios = scenarios::all();
    trials.push(features::trial(&scenarios));
    trials.extend(on_each_engine(&runtime, &stages, &scenarios));
    // Data is read the same way on every engine: turning it around on the first one is enough.
    trials.extend(
        stages.first().map(|stage| inversions::trials(&runtime, stage, &scenarios)).unwrap_or_default(),
    );
    let first = libtest_mimic::run(&arguments, trials);
    // They look back at what all others did, so they wait for them.
    let mut last = on_each_engine(&runtime, &stages, scenarios::LAST);
    last.retain(|trial| {
        !arguments.ignored && arguments.filter.as_deref().is_none_or(|filter| trial.name().contains(filter))
    });
    let failed =
        first.has_failed() || (!last.is_empty() && libtest_mimic::run(&arguments, last).has_failed());
    drop(stages);
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn on_each_engine(
    runtime: &Arc<Runtime>,
    stages: &[Arc<Stage>],
    scenarios: &[(&'static str, Scenario)],
) -> Vec<Trial> {
    let mut trials = Vec::new();
    for stage in stages {
        for &(name, scenario) in scenarios {
            let (runtime, stage) = (Arc::clone(runtime), Arc::clone(stage));
            let name = format!("{}::{name}", stage.engine.name());
            trials.push(Trial::test(name, move || {
                runtime.block_on(scenario(&stage)).map_err(|error| Failed::from(format!("{error:#}")))
            }));
        }
    }
    trials
}

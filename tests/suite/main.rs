//! The end-to-end tests. Each scenario runs on each engine; scenarios of one engine share one started suite, those that
//! kill processes start their own. The suites are stopped when the binary ends.

mod scenarios;
mod tidy;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use futures::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Failed, Trial};
use tests::{Engine, Suite};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

/// What a scenario is handed.
pub struct Stage {
    engine: Engine,
    shared: OnceCell<Suite>,
}

impl Stage {
    /// The suite that scenarios of this engine share; started by the first that asks.
    pub async fn suite(&self) -> Result<&Suite> {
        self.shared.get_or_try_init(|| Suite::start(self.engine)).await
    }

    /// A suite of the scenario's own, to be killed and restarted.
    pub async fn own_suite(&self) -> Result<Suite> {
        Suite::start(self.engine).await
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
        .map(|engine| Arc::new(Stage { engine, shared: OnceCell::new() }))
        .collect();

    let mut trials = tidy::trials();
    for stage in &stages {
        for (name, scenario) in scenarios::ALL {
            let (runtime, stage) = (Arc::clone(&runtime), Arc::clone(stage));
            let name = format!("{}::{name}", stage.engine.name());
            trials.push(Trial::test(name, move || {
                runtime.block_on(scenario(&stage)).map_err(|error| Failed::from(format!("{error:#}")))
            }));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(stages);
    conclusion.exit_code()
}

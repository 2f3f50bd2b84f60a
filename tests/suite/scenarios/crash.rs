//! kill -9 of anything, at any instant, changes nothing but the time.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use proto::order::v1::{ListSagasRequest, SagaState};
use serde_json::Value;
use tests::process::binary;
use tests::{Clients, Service, Suite};

use crate::Stage;

const KILLS: usize = 20;
const KILLS_IN_FLIGHT_MIN: usize = 10;
/// Pauses before each kill, in milliseconds: spread, and the same in every run, so that a failure can be looked at again.
const PAUSES: [u64; 7] = [40, 310, 130, 20, 530, 230, 90];

/// The figures of the public file, computed by `tests/data/figures.py`, which shares no code with the suite.
const FIGURES: [(&str, i64); 8] = [
    ("rows_skipped", 15_631),
    ("orders", 1_400),
    ("lines", 26_160),
    ("placed_minor", 57_271_389),
    ("change_orders", 164),
    ("orders_changed", 153),
    ("orders_wholly_cancelled", 5),
    ("refunded_minor", 814_942),
];

pub async fn twenty_kills_during_a_replay_change_nothing_but_the_time(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let directory = tempfile::tempdir()?;
    let mut replay = start_replay(&suite, directory.path())?;

    let (mut kills, mut in_flight) = (0, 0);
    while kills < KILLS && replay.try_wait()?.is_none() {
        tokio::time::sleep(Duration::from_millis(PAUSES[kills % PAUSES.len()])).await;
        let service = Service::ALL[kills % Service::ALL.len()];
        in_flight += usize::from(saga_in_flight(&suite.clients()).await);
        suite.kill(service)?;
        suite.restart(service).await?;
        kills += 1;
    }

    let output = tokio::task::spawn_blocking(move || replay.wait_with_output()).await??;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    ensure!(kills == KILLS, "the replay ended after {kills} kills");
    ensure!(in_flight >= KILLS_IN_FLIGHT_MIN, "only {in_flight} kills hit a saga in flight");
    let result: Value = serde_json::from_str(&text).context("the replay prints JSON")?;
    for (name, figure) in FIGURES {
        ensure!(result["summary"][name] == figure, "{name} is {}, not {figure}", result["summary"][name]);
    }
    ensure!(result["verify"]["holds"] == true, "{}", result["verify"]);
    Ok(())
}

fn start_replay(suite: &Suite, directory: &Path) -> Result<Child> {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/online-retail-2010-12.csv.gz");
    let unpacked = Command::new("gunzip").arg("--stdout").arg(packed).output().context("running gunzip")?;
    ensure!(unpacked.status.success(), "gunzip failed");
    let file = directory.join("retail.csv");
    std::fs::write(&file, unpacked.stdout)?;
    Command::new(binary("countermand")?)
        .args(["--json", "replay", "--connect", "--patience", "180", "--concurrency", "16"])
        .args(suite.address_arguments())
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting the replay")
}

/// Whether a saga is between its accept and its end right now; no when order does not answer.
async fn saga_in_flight(clients: &Clients) -> bool {
    let request = ListSagasRequest {
        page_size: 1,
        states: [SagaState::Running, SagaState::Parked, SagaState::Unwinding].map(i32::from).to_vec(),
        ..ListSagasRequest::default()
    };
    let answer = clients.operations().list_sagas(request).await;
    answer.is_ok_and(|page| !page.into_inner().sagas.is_empty())
}

pub async fn every_service_drains_at_sigterm(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    for service in Service::ALL {
        suite.terminate(service).with_context(|| format!("terminating {}", service.name()))?;
        suite.restart(service).await?;
    }
    Ok(())
}

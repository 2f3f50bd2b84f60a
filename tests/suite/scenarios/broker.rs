//! The same events on a real broker: each once, in their order, though the order service and the broker are killed.

use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use async_nats::jetstream;
use proto::order::v1::SubscribeRequest;
use tests::ports::free_port;
use tests::{Service, Shop, eventually};
use tokio_stream::StreamExt as _;

use crate::Stage;

const STREAM: &str = "COUNTERMAND";
const KILLS: usize = 6;

/// nats-server in a process of its own, which ends with this value.
struct Broker {
    program: String,
    directory: tempfile::TempDir,
    port: u16,
    process: Child,
}

impl Broker {
    fn start() -> Result<Self> {
        let program = std::env::var("COUNTERMAND_TEST_NATS")
            .context("COUNTERMAND_TEST_NATS names the program; tests/run installs it and sets it")?;
        let directory = tempfile::tempdir()?;
        let port = free_port()?;
        let store = directory.path().join("store");
        let settings =
            format!("listen: 127.0.0.1:{port}\njetstream {{\n  store_dir: \"{}\"\n}}\n", store.display());
        std::fs::write(directory.path().join("nats.conf"), settings)?;
        let process = launch(&program, &directory)?;
        Ok(Self { program, directory, port, process })
    }

    /// kill -9, and started again on the same store.
    fn crash(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        self.process = launch(&self.program, &self.directory)?;
        Ok(())
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The ids of all events in the stream, in its order; nothing while it does not answer.
    async fn published(&self) -> Result<Option<Vec<String>>> {
        let Ok(client) = async_nats::connect(self.url()).await else { return Ok(None) };
        let Ok(mut stream) = jetstream::new(client).get_stream(STREAM).await else { return Ok(None) };
        let last = stream.info().await?.state.last_sequence;
        let mut ids = Vec::new();
        for sequence in 1..=last {
            let message = stream.get_raw_message(sequence).await?;
            ids.push(message.headers.get("ce-id").context("a message has its event's id")?.to_string());
        }
        Ok(Some(ids))
    }
}

fn launch(program: &str, directory: &tempfile::TempDir) -> Result<Child> {
    let settings = directory.path().join("nats.conf");
    let mut command = Command::new(program);
    command.arg("--config").arg(settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().context("starting nats-server")
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait().map(drop)) {
            eprintln!("ending the broker: {error}");
        }
    }
}

pub async fn every_event_is_published_once_though_order_and_broker_are_killed(stage: &Stage) -> Result<()> {
    let mut broker = Broker::start()?;
    let suite = stage.own_suite(&[("COUNTERMAND_NATS__URL", broker.url())]).await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");

    for kill in 0..KILLS {
        let order = shop.placed(&sku, 1).await?;
        shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
        if kill % 3 == 2 {
            broker.crash()?;
        }
        // At once: what was just told is on its way to the broker, or there and not noted.
        suite.kill(Service::Order)?;
        suite.restart(Service::Order).await?;
    }

    let request = SubscribeRequest { until_now: true, ..SubscribeRequest::default() };
    let stream = shop.clients.events().subscribe(request).await?.into_inner();
    let told: Vec<String> = stream
        .map(|answer| Ok::<_, tonic::Status>(answer?.event.unwrap_or_default().id))
        .collect::<Result<_, _>>()
        .await?;
    ensure!(told.len() >= 6 * KILLS, "{} events were told", told.len());
    let published = eventually("the broker has every event", async || {
        Ok(broker.published().await?.filter(|published| published.len() >= told.len()))
    })
    .await?;
    ensure!(published == told, "the broker has {published:?}, told was {told:?}");
    Ok(())
}

//! What one order costs a lone client on PostgreSQL, in counts: rows, statements, commits, WAL, messages. Counts do not
//! depend on the machine, so bounds hold them; `tests/bench/counts` starts what this needs and prints the result.

mod bounds;
mod meter;
mod report;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use libtest_mimic::{Failed, Trial};
use proto::order::v1::{ChangeOrderState, OrderState};
use tests::shop::{Shop, line};
use tests::{Engine, Suite};
use tokio::runtime::Runtime;

use self::meter::{Meter, Reading};
use self::report::{Costs, Report};

/// Names the file that the report is written to; without it nothing is counted.
const FILE: &str = "COUNTERMAND_COUNTS";
/// `json`, or a table without it.
const FORMAT: &str = "COUNTERMAND_COUNTS_FORMAT";

const WARM: usize = 50;
const COUNTED: usize = 50;
/// The server tells of rows at the end of a transaction, and of those that came last when a connection has been idle for ten seconds.
const SETTLE: Duration = Duration::from_secs(12);
/// Every commit takes so much longer while the commits in a row are counted.
const COMMIT_DELAY: Duration = Duration::from_millis(20);
const DELAYED: usize = 15;
const LINES: usize = 3;
const UNITS: i64 = 2;
const PRICE: &str = "9.99";
const TOTAL_MINOR: i64 = 3 * 2 * 999;

/// One trial, if somebody asked for it: the server must be its own.
pub fn trials() -> Vec<Trial> {
    let Some(file) = std::env::var_os(FILE) else { return Vec::new() };
    let count = move || -> Result<()> {
        let report = Runtime::new()?.block_on(count())?;
        let as_json = std::env::var(FORMAT).is_ok_and(|format| format == "json");
        std::fs::write(&file, if as_json { report.json() } else { report.table() })?;
        bounds::hold(&report)
    };
    vec![Trial::test("counts::an_order_costs_no_more_than_before", move || {
        count().map_err(|error| Failed::from(format!("{error:#}")))
    })]
}

async fn count() -> Result<Report> {
    let log = tempfile::NamedTempFile::new().context("making the log of statements")?;
    let of_statements = log.path().display().to_string();
    // The gateway is the outside: what it writes is not ours.
    let gateway = tempfile::tempdir().context("making a directory for the gateway")?;
    let gateway = format!("sqlite:{}", gateway.path().join("gateway.db").display());
    let extra = [
        ("COUNTERMAND_STATEMENT_LOG", of_statements),
        ("COUNTERMAND_STATEMENT_LOG_EACH", "1".to_owned()),
        ("COUNTERMAND_GATEWAY__SANDBOX__URL", gateway),
        // The server writes no page images, which no service would accept otherwise.
        ("COUNTERMAND_DATABASE__ACCEPT_DATA_LOSS", "true".to_owned()),
        ("COUNTERMAND_TELEMETRY__LOG_FILTER", "warn,kit::server::gate=debug".to_owned()),
    ];
    let suite = Suite::start(Engine::Postgres, &extra).await?;
    let client = Client::open(&suite).await?;
    let meter = Meter { suite: &suite, statements: log.path() };

    let warm = client.place_all(WARM).await?;
    client.cancel_all(&warm, &[]).await?;
    client.cancel_all(&client.place_all(WARM).await?, &[(1, 1)]).await?;

    let idle = counted(&meter, None, async { Ok(()) }).await?;
    let idle = Some(&idle);
    let mut placed = Vec::new();
    let place = counted(&meter, idle, async {
        placed = client.place_all(COUNTED).await?;
        Ok(())
    });
    let place = place.await?;
    let partial = counted(&meter, idle, client.cancel_all(&placed, &[(1, 1)])).await?;
    let whole = client.place_all(COUNTED).await?;
    let cancel = counted(&meter, idle, client.cancel_all(&whole, &[])).await?;

    let mut cancel = Costs::of(&cancel, COUNTED);
    cancel.sequential_commits = Some(client.commits_in_a_row(&meter).await?);
    Ok(Report { cancel, partial: Costs::of(&partial, COUNTED), place: Costs::of(&place, COUNTED) })
}

/// What some work has cost, less what the services do by themselves in the same time.
async fn counted(
    meter: &Meter<'_>,
    idle: Option<&Reading>,
    work: impl Future<Output = Result<()>>,
) -> Result<Reading> {
    tokio::time::sleep(SETTLE).await;
    let before = meter.read()?;
    work.await?;
    tokio::time::sleep(SETTLE).await;
    let cost = meter.read()?.since(&before);
    Ok(match idle {
        Some(idle) => cost.without(idle),
        None => cost,
    })
}

/// One client that does one thing after the other.
struct Client {
    shop: Shop,
}

impl Client {
    async fn open(suite: &Suite) -> Result<Self> {
        let shop = Shop::open(suite.clients()).await?;
        for article in 0..LINES {
            shop.receive(&shop.sku(&article.to_string()), 1_000_000).await?;
        }
        Ok(Self { shop })
    }

    async fn place_all(&self, count: usize) -> Result<Vec<String>> {
        let mut orders = Vec::with_capacity(count);
        for _ in 0..count {
            let article = |number: usize| self.shop.sku(&number.to_string());
            let mut request = self.shop.order_request(&article(0), UNITS, PRICE, TOTAL_MINOR);
            request.lines.extend((1..LINES).map(|number| line(&article(number), UNITS, PRICE)));
            let order = self.shop.create(request).await?;
            ensure!(order.state() == OrderState::Confirmed, "{} is {:?}", order.number, order.state());
            orders.push(order.order_id);
        }
        Ok(orders)
    }

    async fn cancel_all(&self, orders: &[String], lines: &[(i64, i64)]) -> Result<()> {
        for order_id in orders {
            let change = self.shop.submit(self.shop.cancel_request(order_id, lines)).await?;
            ensure!(
                change.state() == ChangeOrderState::Completed,
                "{} is {:?}",
                change.number,
                change.state()
            );
        }
        Ok(())
    }

    /// How many commits a cancellation waits for, one after the other: how much longer it takes when each takes longer.
    async fn commits_in_a_row(&self, meter: &Meter<'_>) -> Result<f64> {
        let before = self.median().await?;
        meter.slow_commits(COMMIT_DELAY.as_millis())?;
        let after = self.median().await?;
        Ok(after.saturating_sub(before).as_secs_f64() / COMMIT_DELAY.as_secs_f64())
    }

    async fn median(&self) -> Result<Duration> {
        let mut taken = Vec::with_capacity(DELAYED);
        for order_id in self.place_all(DELAYED).await? {
            let began = Instant::now();
            self.cancel_all(&[order_id], &[]).await?;
            taken.push(began.elapsed());
        }
        taken.sort_unstable();
        Ok(taken[DELAYED / 2])
    }
}

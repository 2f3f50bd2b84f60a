//! `countermand bench`: complete cancellations per second, counted only when everything agreed.
//!
//! A round places orders (three lines, one captured card; not timed), then cancels them (timed) until each change order is
//! COMPLETED and its confirmation stands in the notification service. Rounds repeat until the timed seconds are used up.

mod cost;
mod round;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use indicatif::ProgressBar;
use serde::Serialize;

pub use self::cost::{Meter, Watched};
use self::round::{Round, Shop};
use crate::clients::Clients;
use crate::render;
use crate::verify;

/// Orders a client cancels per round: enough that the start and end of a round weigh little.
const ORDERS_PER_CLIENT: usize = 12;
const ORDERS_PER_ROUND_MIN: usize = 48;
const ROUNDS_MAX: usize = 1_000;

/// One line of the result.
#[derive(Debug, Serialize)]
pub struct Point {
    pub clients: usize,
    pub cancellations: usize,
    pub seconds: f64,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Per cancellation, by name: CPU milliseconds of processes, counters of the probe.
    pub costs: Vec<(String, f64)>,
}

/// Measures each point in turn; `verify` must hold after each.
pub async fn run(
    clients: &Clients,
    points: &[u16],
    seconds: u64,
    meter: &Meter<'_>,
    json: bool,
) -> Result<()> {
    let shop = Shop::open(clients).await?;
    let mut measured = Vec::new();
    for &concurrency in points {
        let bar = if json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        bar.set_message(format!("{concurrency} clients"));
        bar.enable_steady_tick(Duration::from_millis(200));
        let point = point(&shop, usize::from(concurrency), Duration::from_secs(seconds), meter).await?;
        bar.finish_and_clear();
        let report = verify::run(clients).await?;
        ensure!(report.holds(), "after {concurrency} clients:\n{}", report.text());
        measured.push(point);
    }
    if json {
        return render::print_json(&measured);
    }
    say!("{}", text(&measured));
    Ok(())
}

async fn point(shop: &Shop<'_>, concurrency: usize, budget: Duration, meter: &Meter<'_>) -> Result<Point> {
    let orders = (concurrency * ORDERS_PER_CLIENT).max(ORDERS_PER_ROUND_MIN);
    let mut timed = Duration::ZERO;
    let mut latencies: Vec<Duration> = Vec::new();
    let mut costs: Vec<(String, f64)> = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let round = Round::prepare(shop, orders, concurrency).await?;
        let before = meter.read().await?;
        let (took, mut each) = round.cancel_all().await?;
        let after = meter.read().await?;
        round.check_refunds().await?;
        costs.resize_with(after.len(), Default::default);
        for (total, ((name, before), (_, after))) in costs.iter_mut().zip(before.into_iter().zip(after)) {
            *total = (name, total.1 + after - before);
        }
        timed += took;
        latencies.append(&mut each);
        if timed >= budget {
            break;
        }
    }
    latencies.sort_unstable();
    let count = latencies.len();
    let at = |part: usize| {
        latencies.get((count * part / 100).min(count - 1)).copied().context("nothing was measured")
    };
    Ok(Point {
        clients: concurrency,
        cancellations: count,
        seconds: timed.as_secs_f64(),
        per_second: real(count) / timed.as_secs_f64(),
        p50_ms: at(50)?.as_secs_f64() * 1_000.0,
        p99_ms: at(99)?.as_secs_f64() * 1_000.0,
        costs: costs.into_iter().map(|(name, total)| (name, total / real(count))).collect(),
    })
}

fn text(points: &[Point]) -> String {
    let names = points.first().into_iter().flat_map(|point| &point.costs).map(|(name, _)| name.as_str());
    let mut header = vec!["clients", "cancellations", "seconds", "per second", "p50 ms", "p99 ms"];
    header.extend(names);
    let right: Vec<usize> = (0..header.len()).collect();
    let rows = points.iter().map(|point| {
        let mut row = vec![
            point.clients.to_string(),
            point.cancellations.to_string(),
            format!("{:.1}", point.seconds),
            format!("{:.1}", point.per_second),
            format!("{:.1}", point.p50_ms),
            format!("{:.1}", point.p99_ms),
        ];
        row.extend(point.costs.iter().map(|(_, cost)| format!("{cost:.2}")));
        row
    });
    render::table(&header, &right, rows)
}

/// Counts here are far below 2^32, which an f64 holds exactly.
fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

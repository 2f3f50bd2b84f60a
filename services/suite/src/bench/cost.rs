//! What a timed stretch costs beside time: CPU of processes, as the kernel accounts it, and what a probe command counts.

use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// Clock ticks a second in /proc, fixed by the kernel's interface on every architecture we build for.
const TICKS_PER_SECOND: f64 = 100.0;
/// PostgreSQL's backends publish their counters within a second of falling idle.
const COUNTERS_SETTLE: Duration = Duration::from_millis(1_200);

/// A process whose CPU time is told: `order=1234`. Children count too, so that a database's server process can be given.
#[derive(Debug, Clone)]
pub struct Watched {
    name: String,
    pid: u32,
}

impl FromStr for Watched {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('=').and_then(|(name, pid)| Some((name, pid.parse().ok()?)));
        match parsed {
            Some((name, pid)) => Ok(Self { name: name.to_owned(), pid }),
            None => Err(format!("\"{text}\" is not NAME=PID")),
        }
    }
}

/// What is read before and after each timed stretch.
#[derive(Debug, Clone)]
pub struct Meter<'a> {
    pub watched: &'a [Watched],
    /// A shell command that prints `name=number` lines, such as commits and fsyncs.
    pub probe: Option<&'a str>,
}

impl Meter<'_> {
    /// CPU milliseconds and counters so far, by name, in the same order each time.
    pub async fn read(&self) -> Result<Vec<(String, f64)>> {
        let mut costs = Vec::new();
        for process in self.watched {
            costs.push((format!("{} cpu ms", process.name), tree_seconds(process.pid)? * 1_000.0));
        }
        if let Some(probe) = self.probe {
            tokio::time::sleep(COUNTERS_SETTLE).await;
            costs.extend(counters(probe)?);
        }
        Ok(costs)
    }
}

fn counters(probe: &str) -> Result<Vec<(String, f64)>> {
    let output = Command::new("sh").args(["-c", probe]).output().context("running the probe")?;
    ensure!(output.status.success(), "the probe failed: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let parse = |line: &str| {
        let (name, number) = line.split_once('=').with_context(|| format!("the probe printed {line:?}"))?;
        Ok((name.to_owned(), number.trim().parse().with_context(|| format!("the probe printed {line:?}"))?))
    };
    text.lines().filter(|line| !line.is_empty()).map(parse).collect()
}

fn tree_seconds(pid: u32) -> Result<f64> {
    let mut sum = own_seconds(pid)?;
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
        // A child may end between the listing and the reading; then the parent has inherited its time.
        sum += own_seconds(child).unwrap_or_default();
    }
    Ok(sum)
}

fn own_seconds(pid: u32) -> Result<f64> {
    let stat =
        std::fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("no process {pid}"))?;
    // The name in brackets may hold blanks; the fields after it do not. utime, stime, cutime, cstime are 14 to 17.
    let (_, fields) = stat.rsplit_once(") ").context("reading /proc")?;
    let ticks: u32 =
        fields.split_whitespace().skip(11).take(4).filter_map(|field| field.parse::<u32>().ok()).sum();
    Ok(f64::from(ticks) / TICKS_PER_SECOND)
}

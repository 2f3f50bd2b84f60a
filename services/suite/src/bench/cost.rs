//! CPU time of processes by pid, as the kernel accounts it.

use std::str::FromStr;

use anyhow::{Context, Result};

/// Clock ticks a second in /proc, fixed by the kernel's interface on every architecture we build for.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process whose CPU time is told: `order=1234`. Children count too, so that a database's server process can be given.
#[derive(Debug, Clone)]
pub struct Watched {
    pub name: String,
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

/// CPU seconds used so far, each with those of its living and ended children.
pub fn cpu_seconds(watched: &[Watched]) -> Result<Vec<f64>> {
    watched.iter().map(|process| tree_seconds(process.pid)).collect()
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

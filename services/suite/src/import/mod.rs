//! `countermand import FILE`: live orders of another system, as they stand there.
//!
//! ```text
//! file ──▶ source (one record at a time) ──▶ record (checked) ──▶ run (public RPCs, each repeatable) ──▶ tally
//! ```
//!
//! An order is brought in by the steps it would have taken here: placed with the payments made elsewhere, refunds written
//! down, units shipped, units cancelled. Each step has a request id made of the record, so a run that was cut anywhere is
//! repeated, and an order is known by its external reference.

pub mod record;
mod run;
mod source;
mod standing;
mod tally;

use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use futures::stream::{self, StreamExt as _};
use indicatif::{ProgressBar, ProgressStyle};

use self::record::Checked;
use self::run::{Importer, Outcome};
use self::source::{Read, Source};
use self::tally::Tally;
use crate::clients::Clients;
use crate::patience::Patience;
use crate::{render, say, stock};

/// References of one file are remembered, so that none stands twice; larger files are split.
const ORDERS_MAX: usize = 1_000_000;

#[derive(Debug, Args)]
pub struct ImportWish {
    /// JSON lines, or CSV with a row for each line of an order.
    file: PathBuf,
    /// What the file is; its ending says it when this does not.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Only check: every record here, and against what the services know. Nothing is written.
    #[arg(long)]
    dry_run: bool,
    /// The system that the file's references belong to.
    #[arg(long, default_value = "import")]
    system: String,
    /// Where the goods are. What has shipped or was cancelled passes through it and leaves it as it was.
    #[arg(long, default_value = "main")]
    warehouse: String,
    /// Receive the open units, too; otherwise they have to be in stock.
    #[arg(long)]
    with_stock: bool,
    /// Give back what cancelled units leave with the customer's payments; otherwise it is owed and shown.
    #[arg(long)]
    settle: bool,
    /// Orders in flight at once.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: u16,
    /// Seconds to keep asking while a service does not answer.
    #[arg(long, default_value_t = 60)]
    patience: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Jsonl,
    Csv,
}

pub async fn run(clients: &Clients, wish: &ImportWish, json: bool) -> Result<ExitCode> {
    let format = wish.format.unwrap_or_else(|| {
        let is_csv = wish.file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if is_csv { Format::Csv } else { Format::Jsonl }
    });
    let source = Source::open(&wish.file, format)?;
    let bar = progress(source.length(), json);
    let importer = Importer {
        clients,
        warehouse: &wish.warehouse,
        with_stock: wish.with_stock,
        settle: wish.settle,
        patience: Patience { total: Duration::from_secs(wish.patience) },
    };
    if !wish.dry_run {
        stock::open(clients, &wish.warehouse).await?;
    }
    let mut tally = Tally::default();
    let mut known = HashSet::new();
    let read = source.map(|read| {
        bar.set_position(read.position);
        checked(read, &wish.system, &mut known)
    });
    let mut done = stream::iter(read)
        .map(|read| one(&importer, read, wish.dry_run))
        .buffer_unordered(usize::from(wish.concurrency));
    while let Some((read, outcome)) = done.next().await {
        if let Some(told) = tally.take(&read, outcome?) {
            bar.suspend(|| say::problem(&told));
        }
    }
    bar.finish_and_clear();
    if json {
        render::print_json(&tally.json())?;
    } else {
        say!("{}", tally.text(wish.dry_run));
    }
    Ok(if tally.refused() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A record of the file: an order, or what is wrong with it.
struct Candidate {
    line: u64,
    reference: String,
    order: Result<Box<Checked>, String>,
}

fn checked(read: Read, system: &str, known: &mut HashSet<String>) -> Result<Candidate> {
    let Read { line, record, .. } = read;
    let reference = record.as_ref().map(|record| record.reference.clone()).unwrap_or_default();
    let order = record.and_then(|record| record.check(system).map(Box::new));
    ensure!(
        known.len() < ORDERS_MAX,
        "a file holds at most {ORDERS_MAX} orders; split this one at line {line}"
    );
    let order = match order {
        Ok(order) if !known.insert(order.fingerprint()) => {
            Err(format!("reference {reference} stands further up, too; put all of the order there"))
        }
        order => order,
    };
    Ok(Candidate { line, reference, order })
}

async fn one(
    importer: &Importer<'_>,
    candidate: Result<Candidate>,
    dry_run: bool,
) -> (Candidate, Result<Outcome>) {
    let candidate = match candidate {
        Ok(candidate) => candidate,
        Err(error) => {
            let nothing = Candidate { line: 0, reference: String::new(), order: Err(String::new()) };
            return (nothing, Err(error));
        }
    };
    let outcome = match &candidate.order {
        Err(why) => Ok(Outcome::Refused(why.clone())),
        Ok(order) if dry_run => importer.look(order).await,
        Ok(order) => importer.bring_in(order).await,
    };
    (candidate, outcome)
}

fn progress(length: u64, json: bool) -> ProgressBar {
    let is_seen = std::io::stderr().is_terminal() && !json;
    let bar = if is_seen { ProgressBar::new(length) } else { ProgressBar::hidden() };
    bar.set_style(
        ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}  {elapsed} (about {eta} left)")
            .expect("the template is a constant"),
    );
    bar
}

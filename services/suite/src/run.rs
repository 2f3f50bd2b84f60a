//! From a parsed command line to the verb that was asked for.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::CommandFactory;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{Cli, OrderVerb, Verb, VerifyWish};
use crate::clients::Clients;
use crate::orders::{can, cancel, list, money, place, remedies, show, steering, timeline};
use crate::patience::Patience;
use crate::replay;
use crate::verify::{self, Progress, Verdict, Which};
use crate::{
    attention, batches, bench, demo, events, export, failure, import, notifications, organising, parcels,
    partners, policies, render, returns, sandbox, say, stats, stock, up, webhooks,
};

const EXIT_BROKEN: u8 = 1;
const EXIT_EMPTY: u8 = 2;

/// From a parsed command line to an exit code; what went wrong is told on the way.
pub fn process(cli: Cli) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("starting the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(perform(cli));
    runtime.shutdown_background();
    ended.unwrap_or_else(|error| {
        say::problem(&failure::report(&error));
        failure::exit_code(&error)
    })
}

async fn perform(cli: Cli) -> Result<ExitCode> {
    let json = cli.json;
    let clients = Clients::connect(&cli.addresses, &cli.identity.caller()?)?;
    match cli.verb {
        Verb::Up { storage, throw_away } => up::run(&storage, throw_away, cli.addresses).await?,
        Verb::Demo => up::with_throw_away_suite(async |clients| demo::tell(clients).await).await?,
        Verb::Replay { file, concurrency, connect, patience, storage } => {
            let wish = ReplayWish {
                file: &file,
                concurrency: usize::from(concurrency),
                patience: seconds(patience),
            };
            return if connect {
                replay(&clients, &wish, json).await
            } else {
                up::with_suite(&storage, async |clients| replay(clients, &wish, json).await).await
            };
        }
        Verb::Bench { concurrency, seconds, connect, pids, probe, storage } => {
            let meter = bench::Meter { watched: &pids, probe: probe.as_deref() };
            let measure =
                async |clients: &Clients| bench::run(clients, &concurrency, seconds, &meter, json).await;
            if connect {
                measure(&clients).await?;
            } else {
                up::with_suite(&storage, measure).await?;
            }
        }
        Verb::Import(wish) => return import::run(&clients, &wish, json).await,
        Verb::Export(wish) => export::run(&clients, wish).await?,
        Verb::Verify(wish) => return verify(&clients, wish, json).await,
        Verb::Order { verb } => order(&clients, verb, json).await?,
        Verb::Timeline { order, follow } => timeline::run(&clients, &order, follow, json).await?,
        Verb::Money { order } => money::run(&clients, &order, json).await?,
        Verb::Events { follow, from, order, types } => {
            let wish = events::Wish { follow, from, order, types };
            events::run(&clients, wish, json).await?;
        }
        Verb::Sandbox { verb } => sandbox::run(&clients, verb).await?,
        Verb::Webhooks { verb } => webhooks::run(&clients, verb, json).await?,
        Verb::Notifications { verb } => notifications::run(&clients, verb, json).await?,
        Verb::Integrations { verb } => partners::integrations(&clients, verb, json).await?,
        Verb::Partner { verb } => partners::partner(&clients, verb, json).await?,
        Verb::Stock { verb } => stock::run(&clients, verb, json).await?,
        Verb::Parcel { verb } => parcels::run(&clients, verb, json).await?,
        Verb::Label { verb } => partners::label(&clients, verb, json).await?,
        Verb::Policy { verb } => policies::policy(&clients, verb, json).await?,
        Verb::Reasons { verb } => policies::reasons(&clients, verb, json).await?,
        Verb::Edition { verb } => policies::edition(&clients, verb, json).await?,
        Verb::Return { verb } => returns::run(&clients, verb, json).await?,
        Verb::ShortShip(wish) => returns::short_ship(&clients, wish, json).await?,
        Verb::Batch { verb } => return batches::run(&clients, verb, json).await,
        Verb::Stats(wish) => stats::run(&clients, wish, json).await?,
        Verb::Folder { verb } => organising::folder(&clients, verb, json).await?,
        Verb::Rule { verb } => organising::rule(&clients, verb, json).await?,
        Verb::Note(wish) => organising::note(&clients, wish, json).await?,
        Verb::Attention { verb } => attention::run(&clients, verb, json).await?,
        Verb::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "countermand", &mut std::io::stdout());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn seconds(total: u64) -> Patience {
    Patience { total: Duration::from_secs(total) }
}

async fn order(clients: &Clients, verb: OrderVerb, json: bool) -> Result<()> {
    match verb {
        OrderVerb::Show { order } => show::run(clients, &order, json).await,
        OrderVerb::List { limit, filters } => list::orders(clients, limit, filters, json).await,
        OrderVerb::Cancel { wish } => cancel::run(clients, wish, json).await,
        OrderVerb::Can { order } => can::run(clients, &order, json).await,
        OrderVerb::Place { wish } => place::run(clients, *wish, json).await,
        OrderVerb::Steering(verb) => steering::run(clients, verb, json).await,
        OrderVerb::Remedy(verb) => remedies::run(clients, verb, json).await,
    }
}

async fn verify(clients: &Clients, wish: VerifyWish, json: bool) -> Result<ExitCode> {
    let which = match (wish.order, wish.since) {
        (Some(order_id), _) => Which::One(order_id),
        (None, Some(text)) => Which::ChangedSince(instant(&text)?),
        (None, None) => Which::All,
    };
    let report = verify::run_for(clients, &which, &Progress::at_terminal(json)).await?;
    if wish.raise {
        verify::raise(clients, &report, &which).await?;
    }
    if json {
        render::print_json(&report.json())?;
    } else {
        say!("{}", report.text());
    }
    Ok(exit_code(report.verdict()))
}

/// An instant as timelines have it; the part of a second may be left out.
fn instant(text: &str) -> Result<String> {
    let whole = if text.contains('.') { text.to_owned() } else { text.replace('Z', ".000000Z") };
    let instant = types::Timestamp::parse(&whole);
    let instant = instant.with_context(|| format!("{text} is no instant such as 2026-11-30T00:00:00Z"))?;
    Ok(instant.to_string())
}

fn exit_code(verdict: Verdict) -> ExitCode {
    match verdict {
        Verdict::Holds => ExitCode::SUCCESS,
        Verdict::Broken => ExitCode::from(EXIT_BROKEN),
        Verdict::Empty => ExitCode::from(EXIT_EMPTY),
    }
}

struct ReplayWish<'a> {
    file: &'a Path,
    concurrency: usize,
    patience: Patience,
}

async fn replay(clients: &Clients, wish: &ReplayWish<'_>, json: bool) -> Result<ExitCode> {
    let plan = replay::plan::plan(replay::file::read(wish.file)?)?;
    let patience = wish.patience;
    let steps = plan.orders.len() + plan.change_count();
    let bar =
        if json || !std::io::stderr().is_terminal() { ProgressBar::hidden() } else { ProgressBar::new(0) };
    bar.set_length(u64::try_from(steps)?);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}  {elapsed} (about {eta} left)")?);
    let run = replay::run::Replay { clients, plan: &plan, concurrency: wish.concurrency, patience };
    run.run(&bar).await?;
    bar.finish_and_clear();

    let summary = replay::summary::read_back(clients, &plan, patience).await?;
    let report = verify::run(clients).await?;
    if json {
        render::print_json(
            &serde_json::json!({ "summary": summary, "verify": serde_json::to_value(report.json())? }),
        )?;
    } else {
        say!("{}\n\n{}", summary.text(), report.text());
    }
    Ok(exit_code(report.verdict()))
}

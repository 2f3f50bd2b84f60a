//! `countermand batch`: many orders cancelled together, each for itself.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use proto::order::v1::{
    Batch, BatchItem, BatchItemState, BatchRate, BatchState, CreateBatchRequest, GetBatchRequest,
    LabelAction, ListBatchItemsRequest, ListBatchesRequest, PauseBatchRequest, ResumeBatchRequest,
    WatchBatchRequest,
};

use crate::clients::Clients;
use crate::{batch_report, render};

const PAGE_SIZE: i32 = 200;

#[derive(Debug, Subcommand)]
pub enum BatchVerb {
    /// Cancel the orders of a file, or every open line of an article, and watch it.
    #[command(after_help = "Examples:
  countermand batch cancel --file recalled.txt --reason DAMAGED_IN_WAREHOUSE
  countermand batch cancel --sku LAMP-7 --dry-run        then: countermand batch resume bat_01…
  countermand batch cancel --file recalled.txt --void-labels --rate 600 --rate mill=60
Exits with 3 when some orders were refused, and with 0 when none was.")]
    Cancel(Wish),
    /// How far a batch is, and what was refused.
    Show { batch: String },
    /// Follow a batch until it rests.
    Watch { batch: String },
    /// All batches, the oldest first.
    List,
    /// Stop after the orders in hand.
    Pause { batch: String },
    /// Go on, or start what was only estimated.
    Resume { batch: String },
}

#[derive(Debug, Args)]
pub struct Wish {
    /// One order id or number a line.
    #[arg(long, conflicts_with = "sku", required_unless_present = "sku")]
    file: Option<PathBuf>,
    /// Every order with open units of this article.
    #[arg(long)]
    sku: Option<String>,
    #[arg(long, default_value = "CUSTOMER_REQUEST")]
    reason: String,
    #[arg(long, default_value = "")]
    note: String,
    /// Void the labels of those orders that have any.
    #[arg(long)]
    void_labels: bool,
    /// At most so many orders in any minute; before it `=` an integration, to bound those it has goods of.
    #[arg(long = "rate", value_name = "[INTEGRATION=]PER_MINUTE", value_parser = rate)]
    rates: Vec<BatchRate>,
    /// Only find out what it would take back.
    #[arg(long)]
    dry_run: bool,
    /// Repeat an earlier request safely; minted when not given.
    #[arg(long)]
    request_id: Option<String>,
}

/// What a batch that has refused orders exits with.
const EXIT_REFUSED: u8 = 3;

pub async fn run(clients: &Clients, verb: BatchVerb, json: bool) -> Result<ExitCode> {
    match verb {
        BatchVerb::Cancel(wish) => create(clients, wish, json).await,
        BatchVerb::Show { batch } => show(clients, &batch, json).await,
        BatchVerb::Watch { batch } => {
            let request = GetBatchRequest { batch_id: batch };
            let found = clients.batches().get_batch(request).await?.into_inner().batch;
            let last = watch(clients, found.context("the answer holds no batch")?, json).await?;
            ended(clients, last, json).await
        }
        BatchVerb::List => list(clients, json).await.map(|()| ExitCode::SUCCESS),
        BatchVerb::Pause { batch } => {
            let request = PauseBatchRequest { request_id: render::request_id(), batch_id: batch };
            let paused = clients.batches().pause_batch(request).await?.into_inner().batch;
            ended(clients, paused.context("the answer holds no batch")?, json).await
        }
        BatchVerb::Resume { batch } => {
            let request = ResumeBatchRequest { request_id: render::request_id(), batch_id: batch };
            let resumed = clients.batches().resume_batch(request).await?.into_inner().batch;
            let resumed = resumed.context("the answer holds no batch")?;
            let last = watch(clients, resumed, json).await?;
            ended(clients, last, json).await
        }
    }
}

async fn create(clients: &Clients, wish: Wish, json: bool) -> Result<ExitCode> {
    let orders = match &wish.file {
        None => Vec::new(),
        Some(path) => {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
            // Spreadsheets begin their text files with a byte order mark.
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
        }
    };
    let request = CreateBatchRequest {
        request_id: wish.request_id.unwrap_or_else(render::request_id),
        orders,
        sku: wish.sku.unwrap_or_default(),
        reason_code: wish.reason,
        note: wish.note,
        dry_run: wish.dry_run,
        label_action: if wish.void_labels { LabelAction::Void } else { LabelAction::Keep }.into(),
        rates: wish.rates,
    };
    let created = clients.batches().create_batch(request).await?.into_inner().batch;
    let last = watch(clients, created.context("the answer holds no batch")?, json).await?;
    ended(clients, last, json).await
}

async fn show(clients: &Clients, batch_id: &str, json: bool) -> Result<ExitCode> {
    let request = GetBatchRequest { batch_id: batch_id.to_owned() };
    let batch = clients.batches().get_batch(request).await?.into_inner().batch;
    ended(clients, batch.context("the answer holds no batch")?, json).await
}

async fn list(clients: &Clients, json: bool) -> Result<()> {
    let request = ListBatchesRequest { page_size: PAGE_SIZE, page_token: String::new() };
    let page = clients.batches().list_batches(request).await?.into_inner();
    if json {
        return render::print_json(&render::proto_json("countermand.order.v1.ListBatchesResponse", &page)?);
    }
    let rows = page.batches.iter().map(|batch| {
        vec![
            batch.batch_id.clone(),
            word(batch.state()).to_owned(),
            render::count(batch.items),
            render::count(batch.cancelled),
            render::count(batch.already_cancelled),
            render::count(batch.refused),
            batch.created_at.clone(),
        ]
    });
    let header = ["batch", "state", "orders", "cancelled", "were cancelled", "refused", "made"];
    say!("{}", render::table(&header, &[2, 3, 4, 5], rows));
    Ok(())
}

/// Shows how many orders are through, until the batch rests. It goes on without anybody watching.
async fn watch(clients: &Clients, batch: Batch, json: bool) -> Result<Batch> {
    let bar = if json { ProgressBar::hidden() } else { ProgressBar::new(batch.items.unsigned_abs()) };
    let style = "{bar:40} {pos}/{len} {msg}  {elapsed}";
    bar.set_style(ProgressStyle::with_template(style).expect("the template is a constant"));
    let request = WatchBatchRequest { batch_id: batch.batch_id.clone() };
    let mut stream = clients.batches().watch_batch(request).await?.into_inner();
    let mut latest = batch;
    while let Some(message) = stream.message().await? {
        let Some(batch) = message.batch else { continue };
        bar.set_position((batch.items - batch.waiting).max(0).unsigned_abs());
        bar.set_message(word(batch.state()).to_lowercase());
        latest = batch;
    }
    bar.finish_and_clear();
    Ok(latest)
}

/// Shows how a batch stands. A script tells by the exit code whether every order was cancelled.
async fn ended(clients: &Clients, batch: Batch, json: bool) -> Result<ExitCode> {
    if json {
        render::print_json(&render::proto_json("countermand.order.v1.Batch", &batch)?)?;
    } else {
        tell(clients, &batch).await?;
    }
    Ok(if batch.refused > 0 { ExitCode::from(EXIT_REFUSED) } else { ExitCode::SUCCESS })
}

async fn tell(clients: &Clients, batch: &Batch) -> Result<()> {
    let forecast = matches!(batch.state(), BatchState::Estimating | BatchState::Estimated);
    let would = if forecast { "would be " } else { "" };
    say!("{}  {}", render::heading(&batch.batch_id), render::state(word(batch.state())));
    say!(
        "{} orders: {} {would}cancelled, {} were cancelled already, {} {would}refused, {} wait",
        render::count(batch.items),
        render::count(batch.cancelled),
        render::count(batch.already_cancelled),
        render::count(batch.refused),
        render::count(batch.waiting),
    );
    for table in batch_report::tables(batch) {
        say!("\n{table}");
    }
    if !forecast && batch.refused > 0 {
        say!("\n{}", refusals(&refused(clients, &batch.batch_id).await?));
    }
    match batch.state() {
        BatchState::Estimated => {
            say!("\nNothing was changed. `countermand batch resume {}` does it.", batch.batch_id);
        }
        BatchState::Paused => say!("\n`countermand batch resume {}` goes on.", batch.batch_id),
        BatchState::Unspecified | BatchState::Estimating | BatchState::Running | BatchState::Completed => {}
    }
    Ok(())
}

async fn refused(clients: &Clients, batch_id: &str) -> Result<Vec<BatchItem>> {
    let request = ListBatchItemsRequest {
        batch_id: batch_id.to_owned(),
        states: vec![BatchItemState::Refused.into()],
        page_size: PAGE_SIZE,
        page_token: String::new(),
    };
    Ok(clients.batches().list_batch_items(request).await?.into_inner().items)
}

/// `600`, or `mill=60`.
fn rate(text: &str) -> Result<BatchRate> {
    let (integration, per_minute) = text.rsplit_once('=').unwrap_or(("", text));
    let per_minute = per_minute.parse().context("a rate is a number of orders a minute")?;
    Ok(BatchRate { integration: integration.to_owned(), per_minute })
}

fn refusals(items: &[BatchItem]) -> String {
    let rows = items.iter().map(|item| {
        let cause = item.cause.clone().unwrap_or_default();
        vec![item.named.clone(), cause.reason, cause.message]
    });
    render::table(&["order", "refused", "why"], &[], rows)
}

fn word(state: BatchState) -> &'static str {
    state.as_str_name().trim_start_matches("BATCH_STATE_")
}

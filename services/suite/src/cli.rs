//! The command line: what can be said, with examples. Every verb but `up` speaks to the services by gRPC only.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::bench::Watched;
use crate::clients::Addresses;
use crate::embedded::Storage;

/// Changes and cancels orders after they were placed: goods, money, partners and people agree in the end.
#[derive(Debug, Parser)]
#[command(name = "countermand", version, max_term_width = 110, after_help = EXAMPLES)]
pub struct Cli {
    /// Print JSON instead of tables.
    #[arg(long, global = true)]
    pub json: bool,

    #[command(flatten)]
    pub addresses: Addresses,

    #[command(subcommand)]
    pub verb: Verb,
}

const EXAMPLES: &str = "Examples:
  countermand demo                                   a story in ten seconds, nothing to set up
  countermand up                                     the four services in this process, on SQLite files
  countermand order cancel ord_01… --reason CUSTOMER_REQUEST
  countermand timeline ord_01…
  countermand replay online-retail.csv --concurrency 16
  countermand verify                                 prove that quantities, stock and money balance";

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run all four services in this process until it is stopped.
    Up {
        #[command(flatten)]
        storage: Storage,
    },
    /// Tell a short story on a throw-away suite: place, cancel, fail, undo, verify.
    Demo,
    /// Replay a file of the public Online Retail format and verify the books.
    #[command(
        after_help = "Without --connect the replay starts its own suite on --data-dir (or --database-url).
A second run of the same file on the same data adds nothing."
    )]
    Replay {
        /// CSV with InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID.
        file: PathBuf,
        /// Orders in flight at once.
        #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
        concurrency: u16,
        /// Use the running suite at the given addresses instead of starting one.
        #[arg(long)]
        connect: bool,
        /// Seconds to keep asking while a service does not answer.
        #[arg(long, default_value_t = 60)]
        patience: u64,
        #[command(flatten)]
        storage: Storage,
    },
    /// Recompute quantity, stock and money over all services; exit 1 on the first broken equation, 2 on empty books, 69 if a service does not answer.
    Verify,
    /// Measure complete cancellations per second.
    Bench {
        /// Clients at once; several points may be given.
        #[arg(long, value_delimiter = ',', default_value = "1,8,32,64")]
        concurrency: Vec<u16>,
        /// Seconds a point.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// Use the running suite at the given addresses instead of starting one.
        #[arg(long)]
        connect: bool,
        /// Processes whose CPU time is told, as name=pid; several with commas.
        #[arg(long, value_delimiter = ',')]
        pids: Vec<Watched>,
        /// A shell command that prints counters as name=number, read before and after each timed stretch.
        #[arg(long)]
        probe: Option<String>,
        #[command(flatten)]
        storage: Storage,
    },
    /// Show, list or cancel orders.
    Order {
        #[command(subcommand)]
        verb: OrderVerb,
    },
    /// Everything that happened to an order, with who and why.
    Timeline {
        /// Order id (ord_…) or number.
        order: String,
        /// Go on showing new entries until stopped.
        #[arg(long)]
        follow: bool,
    },
    /// What an order's tenders were charged, owe, have reserved, on its way, given back, lost.
    Money {
        /// Order id (ord_…) or number.
        order: String,
    },
    /// What needs a person, with the cause and the allowed actions.
    Attention,
    /// Print a completion script for your shell.
    #[command(
        after_help = "Example:\n  countermand completions bash > ~/.local/share/bash-completion/completions/countermand"
    )]
    Completions { shell: clap_complete::Shell },
}

#[derive(Debug, Subcommand)]
pub enum OrderVerb {
    /// Lines, quantities, money and change orders of one order.
    Show {
        /// Order id (ord_…) or number.
        order: String,
    },
    /// Orders, the oldest first.
    List {
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=200))]
        limit: i32,
    },
    /// Cancel an order wholly, or lines of it.
    #[command(after_help = "Examples:
  countermand order cancel UCI-536365
  countermand order cancel ord_01… --line 2=3 --line 4=1 --reason DAMAGED_IN_WAREHOUSE
  countermand order cancel ord_01… --preview")]
    Cancel {
        /// Order id (ord_…) or number.
        order: String,
        /// A line number and a quantity, as 2=3; the whole order when none is given.
        #[arg(long = "line", value_parser = parse_line)]
        lines: Vec<(i64, i64)>,
        #[arg(long, default_value = "CUSTOMER_REQUEST")]
        reason: String,
        #[arg(long, default_value = "")]
        note: String,
        /// Only show what it would give back.
        #[arg(long)]
        preview: bool,
        /// What to do with the money.
        #[arg(long, value_enum, default_value_t = SettlementChoice::Auto)]
        settlement: SettlementChoice,
        /// Repeat an earlier request safely; minted when not given.
        #[arg(long)]
        request_id: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SettlementChoice {
    /// Void and refund what exceeds the new total.
    Auto,
    /// Move no money; what is owed is shown.
    None,
}

fn parse_line(text: &str) -> Result<(i64, i64), String> {
    let parsed =
        text.split_once('=').and_then(|(line, quantity)| Some((line.parse().ok()?, quantity.parse().ok()?)));
    parsed.ok_or_else(|| format!("\"{text}\" is not LINE=QUANTITY, such as 2=3"))
}

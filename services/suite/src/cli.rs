//! The command line: what can be said, with examples. Every verb but `up` speaks to the services by gRPC only.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::attention::AttentionVerb;
use crate::batches::BatchVerb;
use crate::bench::Watched;
use crate::caller::Identity;
use crate::clients::Addresses;
use crate::embedded::Storage;
use crate::export::ExportWish;
use crate::import::ImportWish;
use crate::orders::cancel::Wish;
use crate::orders::list::Filters;
use crate::orders::place::PlaceWish;
use crate::orders::remedies::RemedyVerb;
use crate::orders::steering::SteeringVerb;
use crate::organising::{FolderVerb, NoteWish, RuleVerb};
use crate::parcels::ParcelVerb;
use crate::partners::{IntegrationsVerb, LabelVerb, PartnerVerb};
use crate::policies::{EditionVerb, PolicyVerb, ReasonsVerb};
use crate::returns::{ReturnVerb, ShortShipWish};
use crate::sandbox::SandboxVerb;
use crate::stock::StockVerb;
use crate::webhooks::WebhooksVerb;

/// Changes and cancels orders after they were placed: goods, money, partners and people agree in the end.
#[derive(Debug, Parser)]
#[command(name = "countermand", version, max_term_width = 110, after_help = EXAMPLES)]
pub struct Cli {
    /// Print JSON instead of tables.
    #[arg(long, global = true)]
    pub json: bool,

    #[command(flatten)]
    pub identity: Identity,

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
    #[command(after_help = "It listens where the other verbs look for it: at the addresses below.

Examples:
  countermand up                                     keeps everything in countermand-data/
  countermand up --throw-away                        keeps nothing
  countermand up --database-url postgres://tester@127.0.0.1:5432")]
    Up {
        #[command(flatten)]
        storage: Storage,
        /// Begin empty, and delete everything at the end.
        #[arg(long, conflicts_with_all = ["data_dir", "database_url"])]
        throw_away: bool,
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
    /// Bring in live orders of another system, partly shipped, cancelled or refunded.
    #[command(after_help = "Examples:
  countermand import orders.jsonl --dry-run
  countermand import orders.csv --system shopify --warehouse LEEDS
Run it again after whatever went wrong: an order is brought in once, by its reference.")]
    Import(ImportWish),
    /// Write changes, refunds or money positions as CSV.
    #[command(after_help = "Examples:
  countermand export changes > changes.csv
  countermand export money --format jsonl")]
    Export(ExportWish),
    /// Recompute quantity, stock and money over all services; exit 1 if an equation is broken, 2 on empty books, 69 if a service does not answer.
    #[command(after_help = "Examples:
  countermand verify
  countermand verify --order ord_01… --json
  countermand verify --since 2026-11-30T00:00:00Z --raise")]
    Verify(VerifyWish),
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
    /// Goods in warehouses.
    Stock {
        #[command(subcommand)]
        verb: StockVerb,
    },
    /// Place, show, list, change or cancel orders.
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
    /// All events of all orders, in the one order they have.
    #[command(after_help = "Examples:
  countermand events --follow
  countermand events --from p1042 --json
  countermand events --order UCI-536365 --type ChangeOrderCommitted")]
    Events {
        /// Go on showing new events until stopped.
        #[arg(long)]
        follow: bool,
        /// Continue behind the event that was shown with this token.
        #[arg(long, value_name = "TOKEN")]
        from: Option<String>,
        /// Only this order's: an id (ord_…) or a number.
        #[arg(long)]
        order: Option<String>,
        /// Only this type, such as OrderPlaced; may be repeated.
        #[arg(long = "type", value_name = "TYPE")]
        types: Vec<String>,
    },
    /// What the world does at the built-in gateway without us.
    Sandbox {
        #[command(subcommand)]
        verb: SandboxVerb,
    },
    /// Endpoints that events are posted to, and what became of the deliveries.
    Webhooks {
        #[command(subcommand)]
        verb: WebhooksVerb,
    },
    /// Mails: how they look, who gets them, what became of them.
    Notifications {
        #[command(subcommand)]
        verb: NotificationsVerb,
    },
    /// Profiles of fulfilment partners and carts: how each can be told.
    Integrations {
        #[command(subcommand)]
        verb: IntegrationsVerb,
    },
    /// What fulfilment partners were asked to stop, and their word.
    Partner {
        #[command(subcommand)]
        verb: PartnerVerb,
    },
    /// Goods on their way out of the door.
    Parcel {
        #[command(subcommand)]
        verb: ParcelVerb,
    },
    /// Carrier labels.
    Label {
        #[command(subcommand)]
        verb: LabelVerb,
    },
    /// What is allowed: the presets, your own policies, and which orders are under which.
    Policy {
        #[command(subcommand)]
        verb: PolicyVerb,
    },
    /// The reasons a cancellation may be given.
    Reasons {
        #[command(subcommand)]
        verb: ReasonsVerb,
    },
    /// What buyers send back: opened, received, accepted or rejected unit by unit.
    Return {
        #[command(subcommand)]
        verb: ReturnVerb,
    },
    /// Take units off an order that cannot be shipped, because they do not exist.
    #[command(after_help = "Example:\n  countermand short-ship O-1 --line 2=1 --reason OUT_OF_STOCK")]
    ShortShip(ShortShipWish),
    /// What of the program the tenant has.
    Edition {
        #[command(subcommand)]
        verb: EditionVerb,
    },
    /// Cancel many orders together, each for itself.
    Batch {
        #[command(subcommand)]
        verb: BatchVerb,
    },
    /// How much is cancelled, and why.
    #[command(after_help = "Examples:
  countermand stats --by reason
  countermand stats --by sku --from 2026-11-01T00:00:00Z --json")]
    Stats(crate::stats::Wish),
    /// Folders that orders are sorted into.
    Folder {
        #[command(subcommand)]
        verb: FolderVerb,
    },
    /// Rules that act without anybody asking.
    Rule {
        #[command(subcommand)]
        verb: RuleVerb,
    },
    /// Write a note or message about an order; prints its id, the proof that somebody was contacted.
    #[command(after_help = "Examples:
  countermand note UCI-536365 'can you still stop it?'
  countermand note UCI-536365 'be careful' --to internal")]
    Note(NoteWish),
    /// What needs a person, with the cause and the allowed actions.
    #[command(after_help = "Examples:
  countermand attention
  countermand attention acknowledge att_01m80ydvzfe17tvxr2wq003haa --note 'counted the shelf'")]
    Attention {
        #[command(subcommand)]
        verb: Option<AttentionVerb>,
    },
    /// Print a completion script for your shell.
    #[command(
        after_help = "Example:\n  countermand completions bash > ~/.local/share/bash-completion/completions/countermand"
    )]
    Completions { shell: clap_complete::Shell },
}

#[derive(Debug, Subcommand)]
pub enum OrderVerb {
    /// Place an order.
    #[command(after_help = "Examples:
  countermand order place WEB-1 --line LANTERN=3@3.39 --line MUG=2@7.50 --shipping 3.95
  countermand order place WEB-2 --line MUG=2@7.50 --pay sandbox:tok_approve=10.00 --authorise sandbox:tok_approve
  countermand order place WEB-3 --line SET=3@10.00 --part 1:CUP=2 --part 1:POT=1")]
    Place {
        #[command(flatten)]
        wish: Box<PlaceWish>,
    },
    /// Lines, quantities, money and change orders of one order.
    Show {
        /// Order id (ord_…) or number.
        order: String,
    },
    /// Orders, the oldest first.
    List {
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=200))]
        limit: i32,
        #[command(flatten)]
        filters: Filters,
    },
    /// Cancel an order wholly, or lines of it.
    #[command(after_help = "Examples:
  countermand order cancel UCI-536365
  countermand order cancel ord_01… --line 2=3 --line TEAPOT=1 --reason DAMAGED_IN_WAREHOUSE
  countermand order cancel ord_01… --all-eligible --reason NO_CAPACITY
  countermand order cancel ord_01… --ack-contact --confirm
  countermand order cancel ord_01… --preview")]
    Cancel {
        #[command(flatten)]
        wish: Wish,
    },
    /// What may be cancelled now, and what has to be said for it.
    Can {
        /// Order id (ord_…) or number.
        order: String,
    },
    #[command(flatten)]
    Steering(SteeringVerb),
    #[command(flatten)]
    Remedy(RemedyVerb),
}

#[derive(Debug, Subcommand)]
pub enum NotificationsVerb {
    /// The mails there are, and their languages.
    Templates,
    /// Show a mail as it looks.
    #[command(after_help = "Examples:
  countermand notifications preview cancellation.confirmed --locale de
  countermand notifications preview refund.issued --html > refund.html")]
    Preview {
        /// Such as cancellation.confirmed.
        template: String,
        #[arg(long, default_value = "en")]
        locale: String,
        /// The HTML part instead of the text part.
        #[arg(long)]
        html: bool,
        /// Render from the facts of this delivery (dlv_…) instead of sample ones.
        #[arg(long, default_value = "")]
        delivery: String,
    },
    /// Mail somebody: everything an audience is told, or what is about one order or organisation.
    #[command(after_help = "Examples:
  countermand notifications mail staff@shop.example --audience staff
  countermand notifications mail ann@home.example --audience buyer --order UCI-536365 --locale de")]
    Mail {
        address: String,
        /// buyer, supplier, staff or client.
        #[arg(long)]
        audience: String,
        /// Order id (ord_…) or number.
        #[arg(long)]
        order: Option<String>,
        #[arg(long, conflicts_with = "order")]
        organisation: Option<String>,
        #[arg(long, default_value = "")]
        locale: String,
        /// Mail them no more.
        #[arg(long)]
        remove: bool,
    },
    /// What left the house, and what did not.
    Deliveries {
        #[arg(long, value_enum)]
        state: Option<DeliveryStateChoice>,
    },
    /// Send a dead delivery again.
    Requeue {
        /// Delivery id (dlv_…).
        delivery: String,
    },
    /// Give a delivery up.
    Discard {
        /// Delivery id (dlv_…).
        delivery: String,
        #[arg(long)]
        why: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DeliveryStateChoice {
    Queued,
    Sent,
    Failed,
    Dead,
    Suppressed,
    Discarded,
}

/// Which orders are verified, and what becomes of what is found.
#[derive(Debug, Args)]
pub struct VerifyWish {
    /// Only this order: id (ord_…).
    #[arg(long, conflicts_with = "since")]
    pub order: Option<String>,
    /// Only orders with an entry in their timeline from this instant on, such as 2026-11-30T00:00:00Z.
    #[arg(long)]
    pub since: Option<String>,
    /// Put what is broken on the attention list, each equation of each order once; what is sound again leaves it.
    #[arg(long)]
    pub raise: bool,
}

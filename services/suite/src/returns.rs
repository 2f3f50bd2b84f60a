//! `countermand return …` and `countermand short-ship`: what buyers send back, and what cannot be shipped at all.

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use proto::common::v1::Wait;
use proto::order::v1::{
    AcceptReturnLineInput, AcceptReturnRequest, CloseReturnRequest, GetReturnRequest, ListReturnsRequest,
    OpenReturnRequest, ReceiveReturnRequest, RejectReturnRequest, Return, ReturnLineInput, ShortShipLine,
    ShortShipRequest,
};

use crate::clients::Clients;
use crate::orders::{find, remedies, request_id};
use crate::render;

const SHOWN_MAX: i32 = 200;

#[derive(Debug, Subcommand)]
pub enum ReturnVerb {
    /// Let units that have shipped come back.
    #[command(after_help = "Example:\n  countermand return open O-1 --line 2=1 --reason DAMAGED")]
    Open {
        /// Order id (ord_…) or number.
        order: String,
        /// A line number and how many of its units, as 2=1.
        #[arg(long = "line", required = true, value_parser = parse_line)]
        lines: Vec<(i64, i64)>,
        /// The code of a reason of the catalogue.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
        #[arg(long, default_value = "", hide_default_value = true)]
        note: String,
        /// Seconds in which the units may come; thirty days when not given.
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        valid: i64,
    },
    /// Note units that have come.
    #[command(after_help = "Example:\n  countermand return receive ret_01… --line 2=1")]
    Receive {
        /// Return id (ret_…).
        id: String,
        /// A line number and how many of its units, as 2=1.
        #[arg(long = "line", required = true, value_parser = parse_line)]
        lines: Vec<(i64, i64)>,
        #[arg(long, default_value = "", hide_default_value = true)]
        note: String,
    },
    /// Take units that have come back: their price goes back.
    #[command(after_help = "Examples:
  countermand return accept ret_01… --restock 2=1
  countermand return accept ret_01… --restock 2=1 --write-off 3=2 --warehouse annex")]
    Accept {
        /// Return id (ret_…).
        id: String,
        /// Units that can be sold again, by line number, as 2=1.
        #[arg(long, required_unless_present = "write_off", value_parser = parse_line)]
        restock: Vec<(i64, i64)>,
        /// Units that cannot.
        #[arg(long, value_parser = parse_line)]
        write_off: Vec<(i64, i64)>,
        /// The warehouse that has them; the one they had left when not given.
        #[arg(long, default_value = "", hide_default_value = true)]
        warehouse: String,
        #[arg(long, default_value = "", hide_default_value = true)]
        note: String,
    },
    /// Refuse units that have come: they stay the buyer's.
    #[command(after_help = "Example:\n  countermand return reject ret_01… --line 2=1 --note 'worn'")]
    Reject {
        /// Return id (ret_…).
        id: String,
        /// A line number and how many of its units, as 2=1.
        #[arg(long = "line", required = true, value_parser = parse_line)]
        lines: Vec<(i64, i64)>,
        #[arg(long, default_value = "", hide_default_value = true)]
        note: String,
    },
    /// End a return; what never came stays with the buyer.
    Close {
        /// Return id (ret_…).
        id: String,
        #[arg(long, default_value = "", hide_default_value = true)]
        note: String,
    },
    /// Show a return with its units.
    Show {
        /// Return id (ret_…).
        id: String,
    },
    /// Returns, the oldest first.
    List {
        /// Only this order's: an id (ord_…) or a number.
        #[arg(long)]
        order: Option<String>,
    },
}

#[derive(Debug, Args)]
pub struct ShortShipWish {
    /// Order id (ord_…) or number.
    order: String,
    /// A line number and how many of its units are missing, as 2=1.
    #[arg(long = "line", required = true, value_parser = parse_line)]
    lines: Vec<(i64, i64)>,
    /// The code of a reason of the catalogue.
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
}

pub async fn run(clients: &Clients, verb: ReturnVerb, json: bool) -> Result<()> {
    let request_id = request_id();
    match verb {
        ReturnVerb::Open { order, lines, reason, note, valid } => {
            let request = OpenReturnRequest {
                request_id,
                order_id: find(clients, &order).await?.order_id,
                lines: counted(&lines),
                reason_code: reason,
                note,
                valid_seconds: valid,
            };
            shown(clients.returns().open_return(request).await?.into_inner().order_return, json)
        }
        ReturnVerb::Receive { id, lines, note } => {
            let request = ReceiveReturnRequest { request_id, return_id: id, lines: counted(&lines), note };
            shown(clients.returns().receive_return(request).await?.into_inner().order_return, json)
        }
        ReturnVerb::Accept { id, restock, write_off, warehouse, note } => {
            let request = AcceptReturnRequest {
                request_id,
                return_id: id,
                lines: accepted(&restock, &write_off, &warehouse),
                note,
                wait: Wait::Completed.into(),
            };
            let change = clients.returns().accept_return(request).await?.into_inner().change_order;
            remedies::told(change, json)
        }
        ReturnVerb::Reject { id, lines, note } => {
            let request = RejectReturnRequest { request_id, return_id: id, lines: counted(&lines), note };
            shown(clients.returns().reject_return(request).await?.into_inner().order_return, json)
        }
        ReturnVerb::Close { id, note } => {
            let request = CloseReturnRequest { request_id, return_id: id, note };
            shown(clients.returns().close_return(request).await?.into_inner().order_return, json)
        }
        ReturnVerb::Show { id } => {
            let request = GetReturnRequest { return_id: id };
            shown(clients.returns().get_return(request).await?.into_inner().order_return, json)
        }
        ReturnVerb::List { order } => list(clients, order, json).await,
    }
}

pub async fn short_ship(clients: &Clients, wish: ShortShipWish, json: bool) -> Result<()> {
    let line = |&(line_number, quantity): &(i64, i64)| ShortShipLine {
        line_id: String::new(),
        line_number,
        quantity,
    };
    let request = ShortShipRequest {
        request_id: request_id(),
        order_id: find(clients, &wish.order).await?.order_id,
        lines: wish.lines.iter().map(line).collect(),
        reason_code: wish.reason,
        note: wish.note,
        wait: Wait::Completed.into(),
    };
    remedies::told(clients.remedies().short_ship(request).await?.into_inner().change_order, json)
}

async fn list(clients: &Clients, order: Option<String>, json: bool) -> Result<()> {
    let order_id = match order {
        Some(order) => find(clients, &order).await?.order_id,
        None => String::new(),
    };
    let request = ListReturnsRequest { page_size: SHOWN_MAX, order_id, ..ListReturnsRequest::default() };
    let returns = clients.returns().list_returns(request).await?.into_inner().returns;
    if json {
        let name = "countermand.order.v1.Return";
        let returns = returns.iter().map(|found| render::proto_json(name, found));
        return render::print_json(&serde_json::json!({ "returns": returns.collect::<Result<Vec<_>>>()? }));
    }
    let rows = returns.iter().map(|found| {
        let sum = |of: fn(&proto::order::v1::ReturnLine) -> i64| {
            found.lines.iter().map(of).sum::<i64>().to_string()
        };
        vec![
            found.number.clone(),
            found.return_id.clone(),
            render::state(render::short(found.state().as_str_name(), "RETURN_STATE_")),
            sum(|line| line.expected),
            sum(|line| line.received),
            sum(|line| line.accepted),
            sum(|line| line.rejected),
        ]
    });
    let header = ["return", "id", "state", "expected", "received", "accepted", "rejected"];
    say!("{}", render::table(&header, &[3, 4, 5, 6], rows));
    Ok(())
}

fn shown(found: Option<Return>, json: bool) -> Result<()> {
    let found = found.context("the answer holds no return")?;
    if json {
        return render::print_json(&render::proto_json("countermand.order.v1.Return", &found)?);
    }
    let state = render::state(render::short(found.state().as_str_name(), "RETURN_STATE_"));
    say!("{}  {state}  {}", render::heading(&found.number), render::dim(&found.return_id));
    let rows = found.lines.iter().map(|line| {
        vec![
            line.line_number.to_string(),
            line.sku.clone(),
            line.expected.to_string(),
            line.received.to_string(),
            line.accepted.to_string(),
            line.rejected.to_string(),
        ]
    });
    let header = ["line", "sku", "expected", "received", "accepted", "rejected"];
    say!("{}", render::table(&header, &[0, 2, 3, 4, 5], rows));
    Ok(())
}

fn counted(lines: &[(i64, i64)]) -> Vec<ReturnLineInput> {
    let line = |&(line_number, quantity): &(i64, i64)| ReturnLineInput {
        line_id: String::new(),
        line_number,
        quantity,
    };
    lines.iter().map(line).collect()
}

/// One entry a line, whichever of the two names it.
fn accepted(restock: &[(i64, i64)], write_off: &[(i64, i64)], warehouse: &str) -> Vec<AcceptReturnLineInput> {
    let of = |all: &[(i64, i64)], number: i64| {
        all.iter().filter(|(line, _)| *line == number).map(|(_, units)| units).sum()
    };
    let mut numbers: Vec<i64> = restock.iter().chain(write_off).map(|(line, _)| *line).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let line = |line_number: i64| AcceptReturnLineInput {
        line_id: String::new(),
        line_number,
        restock: of(restock, line_number),
        write_off: of(write_off, line_number),
        warehouse_id: warehouse.to_owned(),
    };
    numbers.into_iter().map(line).collect()
}

fn parse_line(text: &str) -> Result<(i64, i64), String> {
    let parsed =
        text.split_once('=').and_then(|(line, units)| Some((line.parse().ok()?, units.parse().ok()?)));
    parsed.ok_or_else(|| format!("\"{text}\" is not LINE=QUANTITY, such as 2=1"))
}

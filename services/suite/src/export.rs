//! `countermand export`: changes, refunds and money positions as rows, page by page.
//!
//! Columns keep their names and their order; new ones are added at the end. A text that a spreadsheet would take for a
//! formula gets an apostrophe in front.

use std::io::Write;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use proto::order::v1::{ChangeOrder, ListChangeOrdersRequest, ListOrdersRequest, OrderSummary};
use proto::payment::v1::{GetMoneyPositionRequest, ListRefundsRequest, MoneyPosition, Refund, RefundKind};
use tonic::Code;
use types::Currency;

use crate::clients::Clients;
use crate::{amounts, orders, render};

const PAGE_SIZE: i32 = 200;

/// Money positions asked for at once.
const POSITIONS_AT_ONCE: usize = 8;

#[derive(Debug, Args)]
pub struct ExportWish {
    /// What to write: a row for each change order, each refund, or each order's money.
    #[arg(value_enum)]
    what: What,
    #[arg(long, value_enum, default_value_t = As::Csv)]
    format: As,
    /// Only this order's: an id (ord_…) or a number.
    #[arg(long)]
    order: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    Changes,
    Refunds,
    Money,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum As {
    /// RFC 4180, with a header line.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

const CHANGES: [&str; 17] = [
    "change_order_id",
    "number",
    "order_id",
    "order_number",
    "type",
    "state",
    "currency",
    "units",
    "amount",
    "owed",
    "reason",
    "note",
    "requested_by",
    "role",
    "created_at",
    "decided_at",
    "finished_at",
];

const REFUNDS: [&str; 14] = [
    "refund_id",
    "order_id",
    "change_order_id",
    "payment_id",
    "kind",
    "state",
    "method",
    "currency",
    "amount",
    "gateway_reference",
    "gateway_detail",
    "retry_of",
    "created_at",
    "updated_at",
];

const MONEY: [&str; 15] = [
    "order_id",
    "order_number",
    "order_state",
    "currency",
    "worth",
    "authorised",
    "captured",
    "reserved",
    "in_flight",
    "confirmed",
    "reversed",
    "disputed",
    "owed",
    "elsewhere",
    "kept",
];

pub async fn run(clients: &Clients, wish: ExportWish) -> Result<()> {
    let order_id = match &wish.order {
        Some(order) => orders::find(clients, order).await?.order_id,
        None => String::new(),
    };
    match wish.what {
        What::Changes => changes(clients, order_id, &mut Sheet::new(wish.format, &CHANGES)).await,
        What::Refunds => refunds(clients, order_id, &mut Sheet::new(wish.format, &REFUNDS)).await,
        What::Money => money(clients, order_id, &mut Sheet::new(wish.format, &MONEY)).await,
    }
}

async fn changes(clients: &Clients, order_id: String, sheet: &mut Sheet) -> Result<()> {
    let mut request =
        ListChangeOrdersRequest { page_size: PAGE_SIZE, order_id, ..ListChangeOrdersRequest::default() };
    loop {
        let page = clients.changes().list_change_orders(request.clone()).await?.into_inner();
        for change in &page.change_orders {
            sheet.write(change_row(change))?;
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return sheet.finish();
        }
    }
}

fn change_row(change: &ChangeOrder) -> Vec<Cell> {
    let money = |minor| Cell::money(&change.currency_code, minor);
    let actor = change.requested_by.clone().unwrap_or_default();
    let reason = change.cause.as_ref().map_or(&change.reason_code, |cause| &cause.reason);
    vec![
        Cell::text(&change.change_order_id),
        Cell::text(&change.number),
        Cell::text(&change.order_id),
        Cell::text(&change.order_number),
        Cell::text(render::short(change.r#type().as_str_name(), "CHANGE_ORDER_TYPE_")),
        Cell::text(render::short(change.state().as_str_name(), "CHANGE_ORDER_STATE_")),
        Cell::text(&change.currency_code),
        Cell::Number(change.lines.iter().map(|line| line.quantity).sum::<i64>().to_string()),
        money(change.amounts.unwrap_or_default().amount_minor),
        money(change.refund_owed_minor),
        Cell::text(reason),
        Cell::text(&change.note),
        Cell::text(&actor.user),
        Cell::text(&actor.role),
        Cell::text(&change.created_at),
        Cell::text(&change.decided_at),
        Cell::text(&change.finished_at),
    ]
}

async fn refunds(clients: &Clients, order_id: String, sheet: &mut Sheet) -> Result<()> {
    let mut request = ListRefundsRequest { page_size: PAGE_SIZE, order_id, ..ListRefundsRequest::default() };
    loop {
        let page = clients.refunds().list_refunds(request.clone()).await?.into_inner();
        for refund in &page.refunds {
            sheet.write(refund_row(refund))?;
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return sheet.finish();
        }
    }
}

fn refund_row(refund: &Refund) -> Vec<Cell> {
    let kind = if refund.kind() == RefundKind::Void { "VOID" } else { "REFUND" };
    vec![
        Cell::text(&refund.refund_id),
        Cell::text(&refund.order_id),
        Cell::text(&refund.change_order_id),
        Cell::text(&refund.payment_id),
        Cell::text(kind),
        Cell::text(render::short(refund.state().as_str_name(), "REFUND_STATE_")),
        Cell::text(render::short(refund.method().as_str_name(), "REFUND_METHOD_")),
        Cell::text(&refund.currency_code),
        Cell::money(&refund.currency_code, refund.amount_minor),
        Cell::text(&refund.gateway_reference),
        Cell::text(&refund.gateway_detail),
        Cell::text(&refund.retry_of),
        Cell::text(&refund.created_at),
        Cell::text(&refund.updated_at),
    ]
}

async fn money(clients: &Clients, order_id: String, sheet: &mut Sheet) -> Result<()> {
    if !order_id.is_empty() {
        let order = orders::find(clients, &order_id).await?;
        let summary = OrderSummary {
            order_id,
            number: order.number,
            state: order.state,
            totals: order.totals,
            currency_code: order.currency_code,
            ..OrderSummary::default()
        };
        let position = position(clients, &summary.order_id).await?;
        sheet.write(money_row(&summary, &position))?;
        return sheet.finish();
    }
    let mut request = ListOrdersRequest { page_size: PAGE_SIZE, ..ListOrdersRequest::default() };
    loop {
        let page = clients.orders().list_orders(request.clone()).await?.into_inner();
        let mut positions = stream::iter(&page.orders)
            .map(async |order| anyhow::Ok((order, position(clients, &order.order_id).await?)))
            .buffered(POSITIONS_AT_ONCE);
        while let Some((order, position)) = positions.try_next().await? {
            sheet.write(money_row(order, &position))?;
        }
        drop(positions);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return sheet.finish();
        }
    }
}

/// An order that nothing was to be paid for has no account, and a position of nothing.
async fn position(clients: &Clients, order_id: &str) -> Result<MoneyPosition> {
    let request = GetMoneyPositionRequest { order_id: order_id.to_owned() };
    match clients.payments().get_money_position(request).await {
        Ok(answer) => answer.into_inner().position.context("the answer holds no position"),
        Err(status) if status.code() == Code::NotFound => Ok(MoneyPosition::default()),
        Err(status) => Err(status.into()),
    }
}

fn money_row(order: &OrderSummary, position: &MoneyPosition) -> Vec<Cell> {
    let money = |minor| Cell::money(&order.currency_code, minor);
    vec![
        Cell::text(&order.order_id),
        Cell::text(&order.number),
        Cell::text(render::short(order.state().as_str_name(), "ORDER_STATE_")),
        Cell::text(&order.currency_code),
        money(order.totals.unwrap_or_default().total_minor),
        money(position.authorised_minor),
        money(position.captured_minor),
        money(position.reserved_minor),
        money(position.in_flight_minor),
        money(position.confirmed_minor),
        money(position.reversed_minor),
        money(position.disputed_minor),
        money(position.owed_minor),
        money(position.elsewhere_minor),
        money(position.position_minor),
    ]
}

/// A value, and whether a spreadsheet is to read it as a number.
enum Cell {
    Text(String),
    Number(String),
}

impl Cell {
    fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// Decimal text in major units.
    fn money(currency: &str, minor: i64) -> Self {
        Self::Number(
            Currency::parse(currency).map_or_else(|_| minor.to_string(), |c| amounts::decimal(c, minor)),
        )
    }

    /// Spreadsheets run a text that begins so as a formula; an apostrophe makes it a text again.
    fn harmless(self) -> String {
        match self {
            Self::Number(number) => number,
            Self::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
            Self::Text(text) => text,
        }
    }

    fn plain(self) -> String {
        match self {
            Self::Number(text) | Self::Text(text) => text,
        }
    }
}

enum Sheet {
    Csv { writer: Box<csv::Writer<Vec<u8>>>, header: Option<Vec<&'static str>> },
    Jsonl(Vec<&'static str>),
}

impl Sheet {
    fn new(format: As, header: &[&'static str]) -> Self {
        match format {
            As::Csv => Self::Csv { writer: Box::new(writer()), header: Some(header.to_vec()) },
            As::Jsonl => Self::Jsonl(header.to_vec()),
        }
    }

    fn write(&mut self, row: Vec<Cell>) -> Result<()> {
        match self {
            Self::Csv { writer, .. } => {
                writer.write_record(row.into_iter().map(Cell::harmless))?;
            }
            Self::Jsonl(header) => {
                let values = row.into_iter().map(|cell| serde_json::Value::from(cell.plain()));
                let object: serde_json::Map<String, serde_json::Value> =
                    header.iter().map(|name| (*name).to_owned()).zip(values).collect();
                say_json!(serde_json::Value::Object(object));
                return Ok(());
            }
        }
        self.flush()
    }

    /// An export of nothing has its header, too.
    fn finish(&mut self) -> Result<()> {
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        let Self::Csv { writer: rows, header } = self else { return Ok(()) };
        let mut bytes = Vec::new();
        if let Some(header) = header.take() {
            let mut first = writer();
            first.write_record(header)?;
            bytes.extend(first.into_inner().context("writing the header")?);
        }
        bytes.extend(std::mem::replace(&mut **rows, writer()).into_inner().context("writing a row")?);
        match std::io::stdout().lock().write_all(&bytes) {
            Err(problem) if problem.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
            other => other.context("writing the answer"),
        }
    }
}

/// Lines end as RFC 4180 says.
fn writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_no_formula_and_a_number_is_no_text() {
        let texts =
            ["=1+1", "+44", "-x", "@SUM", "\tx", "plain", "CO-1"].map(|text| Cell::text(text).harmless());
        assert_eq!(texts, ["'=1+1", "'+44", "'-x", "'@SUM", "'\tx", "plain", "CO-1"]);
        assert_eq!(Cell::money("GBP", -325).harmless(), "-3.25");
    }

    #[test]
    fn quotes_and_line_ends_are_those_of_rfc_4180() {
        let mut rows = writer();
        rows.write_record(["a,b", "say \"no\"", "two\nlines"]).unwrap();
        let text = String::from_utf8(rows.into_inner().unwrap()).unwrap();
        assert_eq!(text, "\"a,b\",\"say \"\"no\"\"\",\"two\nlines\"\r\n");
    }
}

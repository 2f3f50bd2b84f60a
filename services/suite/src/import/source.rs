//! Reads the records of a file one after the other: what is in memory is one order.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::iter::Peekable;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::Format;
use super::record::{LINES_MAX, Line, Payment, Record};

/// An order of a thousand lines fits well; what is longer is no order.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// One record, or why it is none.
#[derive(Debug)]
pub struct Read {
    /// Its first line in the file.
    pub line: u64,
    /// How far the file is read, in bytes.
    pub position: u64,
    pub record: Result<Record, String>,
}

pub struct Source {
    length: u64,
    records: Box<dyn Iterator<Item = Read> + Send>,
}

impl Source {
    pub fn open(path: &Path, format: Format) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
        let length = file.metadata().with_context(|| format!("reading {}", path.display()))?.len();
        let records: Box<dyn Iterator<Item = Read> + Send> = match format {
            Format::Jsonl => Box::new(JsonLines { file: BufReader::new(file), line: 0, position: 0 }),
            Format::Csv => Box::new(Rows::open(file).with_context(|| format!("in {}", path.display()))?),
        };
        Ok(Self { length, records })
    }

    pub fn length(&self) -> u64 {
        self.length
    }
}

impl Iterator for Source {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        self.records.next()
    }
}

struct JsonLines {
    file: BufReader<File>,
    line: u64,
    position: u64,
}

impl Iterator for JsonLines {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        loop {
            let mut bytes = Vec::new();
            let read = self.file.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes);
            self.line += 1;
            self.position += bytes.len() as u64;
            let record = match read {
                Ok(0) => return None,
                Err(error) => Err(format!("it cannot be read: {error}")),
                Ok(_) if bytes.len() as u64 == LINE_BYTES_MAX && bytes.last() != Some(&b'\n') => {
                    self.skip_line();
                    Err("it is longer than an order can be; is the file JSON lines?".to_owned())
                }
                Ok(_) if bytes.trim_ascii().is_empty() => continue,
                Ok(_) => serde_json::from_slice(&bytes).map_err(|error| format!("it is no record: {error}")),
            };
            return Some(Read { line: self.line, position: self.position, record });
        }
    }
}

impl JsonLines {
    fn skip_line(&mut self) {
        while let Ok(part) = self.file.fill_buf() {
            let end = part.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(part.len(), |end| end + 1);
            self.file.consume(length);
            self.position += length as u64;
            if end.is_some() || length == 0 {
                return;
            }
        }
    }
}

/// One row of CSV: a line of an order. What concerns the order stands in its first row, a payment in any.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Row {
    reference: String,
    number: String,
    currency: String,
    placed_at: String,
    customer: String,
    buyer: String,
    supplier: String,
    router: String,
    contact: String,
    order_discount: String,
    shipping: String,
    shipping_tax: String,
    reason: String,
    note: String,
    sku: String,
    description: String,
    quantity: String,
    unit_price: String,
    line_discount: String,
    line_tax: String,
    tax_included: String,
    shipped: String,
    delivered: String,
    cancelled: String,
    gateway: String,
    payment_reference: String,
    authorised: String,
    captured: String,
    refunded: String,
}

const COLUMNS_NEEDED: [&str; 5] = ["reference", "currency", "sku", "quantity", "unit_price"];
const COLUMNS_KNOWN: [&str; 24] = [
    "number",
    "placed_at",
    "customer",
    "buyer",
    "supplier",
    "router",
    "contact",
    "order_discount",
    "shipping",
    "shipping_tax",
    "reason",
    "note",
    "description",
    "line_discount",
    "line_tax",
    "tax_included",
    "shipped",
    "delivered",
    "cancelled",
    "gateway",
    "payment_reference",
    "authorised",
    "captured",
    "refunded",
];

/// Line and byte of a row, and the row.
type Placed = (u64, u64, Result<Row, String>);

struct Rows {
    rows: Peekable<Box<dyn Iterator<Item = Placed> + Send>>,
}

impl Rows {
    fn open(file: File) -> Result<Self> {
        let mut reader = csv::ReaderBuilder::new().from_reader(file);
        let header = reader.headers().context("reading the header line")?.clone();
        for needed in COLUMNS_NEEDED {
            if !header.iter().any(|name| name == needed) {
                bail!("the header has no column {needed}; it needs {}", COLUMNS_NEEDED.join(", "));
            }
        }
        let is_known = |name: &str| COLUMNS_NEEDED.contains(&name) || COLUMNS_KNOWN.contains(&name);
        if let Some(other) = header.iter().find(|name| !is_known(name)) {
            bail!(
                "the column {other} is unknown; besides those needed there are {}",
                COLUMNS_KNOWN.join(", ")
            );
        }
        let rows = reader.into_records().map(move |record| match record {
            Err(error) => {
                let position = error.position().map_or((0, 0), |at| (at.line(), at.byte()));
                (position.0, position.1, Err(format!("it is no row: {error}")))
            }
            Ok(record) => {
                let position = record.position().map_or((0, 0), |at| (at.line(), at.byte()));
                let row = record.deserialize(Some(&header)).map_err(|error| format!("it is no row: {error}"));
                (position.0, position.1, row)
            }
        });
        let rows: Box<dyn Iterator<Item = _> + Send> = Box::new(rows);
        Ok(Self { rows: rows.peekable() })
    }
}

impl Iterator for Rows {
    type Item = Read;

    /// The rows that follow each other with one reference are one order.
    fn next(&mut self) -> Option<Read> {
        let (line, mut position, first) = self.rows.next()?;
        let first = match first {
            Ok(first) => first,
            Err(why) => return Some(Read { line, position, record: Err(why) }),
        };
        let reference = first.reference.clone();
        let mut rows = vec![first];
        let mut problem = None;
        let is_same = |row: &(u64, u64, Result<Row, String>)| {
            row.2.as_ref().is_ok_and(|row| row.reference == reference && !reference.is_empty())
        };
        while let Some((_, at, row)) = self.rows.next_if(is_same) {
            position = at;
            if rows.len() < LINES_MAX {
                rows.extend(row);
            } else {
                problem = Some(format!("it has more than {LINES_MAX} lines, which an order cannot have"));
            }
        }
        let record = problem.map_or_else(|| record(rows), Err);
        Some(Read { line, position, record })
    }
}

fn record(rows: Vec<Row>) -> Result<Record, String> {
    let mut lines = Vec::new();
    let mut payments = Vec::new();
    for row in &rows {
        lines.push(Line {
            sku: row.sku.clone(),
            description: row.description.clone(),
            quantity: whole("quantity", &row.quantity)?,
            unit_price: row.unit_price.clone(),
            discount: row.line_discount.clone(),
            tax: row.line_tax.clone(),
            tax_included: truth(&row.tax_included)?,
            shipped: whole("shipped", &row.shipped)?,
            delivered: whole("delivered", &row.delivered)?,
            cancelled: whole("cancelled", &row.cancelled)?,
        });
        if !row.payment_reference.is_empty() {
            payments.push(Payment {
                gateway: row.gateway.clone(),
                reference: row.payment_reference.clone(),
                authorised: row.authorised.clone(),
                captured: row.captured.clone(),
                refunded: row.refunded.clone(),
            });
        }
    }
    let first = rows.into_iter().next().expect("a group of rows has a first one");
    Ok(Record {
        reference: first.reference,
        number: first.number,
        currency: first.currency,
        placed_at: first.placed_at,
        customer: first.customer,
        buyer: first.buyer,
        supplier: first.supplier,
        router: first.router,
        contact: first.contact,
        lines,
        discount: first.order_discount,
        shipping: first.shipping,
        shipping_tax: first.shipping_tax,
        payments,
        reason: first.reason,
        note: first.note,
    })
}

fn whole(column: &str, text: &str) -> Result<i64, String> {
    match text.trim() {
        "" => Ok(0),
        text => text.parse().map_err(|_| format!("{column} {text:?} is not a whole number")),
    }
}

fn truth(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "" | "no" | "false" | "0" => Ok(false),
        "yes" | "true" | "1" => Ok(true),
        other => Err(format!("tax_included {other:?} is neither yes nor no")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, format: Format) -> Vec<Read> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("orders");
        std::fs::write(&path, text).unwrap();
        Source::open(&path, format).unwrap().collect()
    }

    #[test]
    fn rows_of_one_reference_are_one_order() {
        let text = "reference,currency,sku,quantity,unit_price,gateway,payment_reference,captured,cancelled\n\
                    1,GBP,A,2,3.00,sandbox,ch_1,9.00,1\n1,,\"B, wide\",1,3.00,,,,\n2,GBP,A,x,1,,,,\n";

        let read = read(text, Format::Csv);

        let first = read[0].record.as_ref().unwrap();
        assert_eq!((first.lines.len(), first.payments.len(), first.lines[0].cancelled), (2, 1, 1));
        assert_eq!(first.lines[1].sku, "B, wide");
        assert_eq!(
            (read[1].line, read[1].record.as_ref().unwrap_err().contains("quantity \"x\"")),
            (4, true)
        );
    }

    #[test]
    fn a_broken_line_does_not_end_the_file() {
        let read = read("{\"reference\": \"1\"}\n\nnot json\n{\"reference\": \"3\"}", Format::Jsonl);

        let lines: Vec<(u64, bool)> = read.iter().map(|read| (read.line, read.record.is_ok())).collect();
        assert_eq!(lines, [(1, true), (3, false), (4, true)]);
    }
}

//! Reads the public *Online Retail* format: one row an invoice line, cancellations in invoices that start with `C`.
//!
//! The file is read as bytes: published copies of this format are Latin-1 as often as UTF-8.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// The columns the format names; others are ignored.
const COLUMNS: [&str; 7] =
    ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"];

/// One usable row: it names a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Line of the file, the header being line 1.
    pub file_line: u64,
    pub invoice: String,
    pub sku: String,
    pub description: String,
    /// Negative in cancellations.
    pub quantity: i64,
    /// Decimal text in pounds.
    pub unit_price: String,
    /// As in the file: `YYYY-MM-DD HH:MM:SS`.
    pub invoiced_at: String,
    pub customer: String,
}

impl Row {
    /// Invoices whose number starts with `C` cancel earlier purchases.
    pub fn is_cancellation(&self) -> bool {
        self.invoice.starts_with('C')
    }
}

/// What a file holds.
#[derive(Debug)]
pub struct Purchases {
    pub rows: Vec<Row>,
    /// Rows without a customer, which cannot be matched to anything.
    pub skipped: u64,
    /// Short fingerprint of the file's bytes: request ids are derived from it, so that a second run adds nothing.
    pub fingerprint: String,
}

/// Reads a whole file; refuses one that lacks a column or holds a number that is none, naming the line.
pub fn read(path: &Path) -> Result<Purchases> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    parse(&bytes).with_context(|| format!("in {}", path.display()))
}

pub fn parse(bytes: &[u8]) -> Result<Purchases> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.byte_headers().context("reading the header line")?.clone();
    let index = column_indexes(&header)?;

    let (mut rows, mut skipped) = (Vec::new(), 0);
    for record in reader.byte_records() {
        let record = record.context("reading a row")?;
        let file_line = record.position().map_or(0, csv::Position::line);
        let cell = |column: usize| text(record.get(index[column]).unwrap_or_default());
        let customer = cell(6);
        if customer.is_empty() {
            skipped += 1;
            continue;
        }
        let quantity = cell(3);
        rows.push(Row {
            file_line,
            invoice: cell(0),
            sku: cell(1),
            description: cell(2),
            quantity: quantity.parse().with_context(|| {
                format!("line {file_line}: Quantity \"{quantity}\" is not a whole number")
            })?,
            invoiced_at: cell(4),
            unit_price: cell(5),
            customer,
        });
    }

    let fingerprint = types::Fingerprint::of(&[bytes]).as_str()[..12].to_owned();
    Ok(Purchases { rows, skipped, fingerprint })
}

fn column_indexes(header: &csv::ByteRecord) -> Result<Vec<usize>> {
    ensure!(!header.is_empty(), "the file is empty; expected a header line with {}", COLUMNS.join(","));
    let names: Vec<String> =
        header.iter().map(|name| text(name).trim_start_matches('\u{feff}').to_owned()).collect();
    let mut indexes = Vec::with_capacity(COLUMNS.len());
    for column in COLUMNS {
        match names.iter().position(|name| name == column) {
            Some(index) => indexes.push(index),
            None => bail!("the header has no column {column}; it has {}", names.join(",")),
        }
    }
    Ok(indexes)
}

/// UTF-8, or else Latin-1, trimmed; control characters, which the services refuse, become blanks.
fn text(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    };
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

    #[test]
    fn rows_without_a_customer_are_skipped_and_counted() {
        let file = format!(
            "{HEADER}1,A,x,2,2010-12-01 08:26:00,2.55,,UK\n1,B,\"y, z\",3,2010-12-01 08:26:00,0.0,17850,UK\n"
        );

        let purchases = parse(file.as_bytes()).unwrap();

        assert_eq!(purchases.skipped, 1);
        assert_eq!(purchases.rows.len(), 1);
        assert_eq!(purchases.rows[0].description, "y, z");
        assert_eq!(purchases.rows[0].file_line, 3);
    }

    #[test]
    fn latin_1_is_read() {
        let mut file = HEADER.as_bytes().to_vec();
        file.extend_from_slice(b"1,A,CAF\xc9,2,2010-12-01 08:26:00,2.55,7,UK\n");

        assert_eq!(parse(&file).unwrap().rows[0].description, "CAFÉ");
    }

    #[test]
    fn a_missing_column_and_a_bad_number_are_named() {
        let missing = parse(b"InvoiceNo,StockCode\n1,2\n").unwrap_err().to_string();
        let bad = parse(format!("{HEADER}1,A,x,two,2010-12-01 08:26:00,1,7,UK\n").as_bytes()).unwrap_err();

        assert!(missing.contains("no column Description"), "{missing}");
        assert!(bad.to_string().contains("line 2: Quantity \"two\""), "{bad}");
    }
}

//! The books of the four services as their audit RPC exports them: tables of text and numbers, by service and name.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use proto::audit::v1::cell::Value;
use proto::audit::v1::{BookRow, ExportBooksRequest, GatewayEffect, ListGatewayEffectsRequest};

use crate::clients::{Clients, Service};
use crate::patience::Patience;

pub const PAGE_SIZE: i32 = 200;

#[derive(Debug, Clone, Default)]
pub struct Book {
    pub columns: Vec<String>,
    pub rows: Vec<BookRow>,
}

/// One row, readable by column name.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [String],
    cells: &'a BookRow,
}

#[derive(Debug, Clone, Default)]
pub struct Books {
    by_name: BTreeMap<(Service, String), Book>,
    pub gateways: Gateways,
}

/// What the gateways themselves recorded.
#[derive(Debug, Clone, Default)]
pub struct Gateways {
    /// Of the sandbox gateway.
    pub effects: Vec<GatewayEffect>,
    /// Gateways whose own books are not among these effects.
    pub others: BTreeSet<String>,
}

impl Gateways {
    /// Read before the books of payment: an effect that is here has its refund there.
    pub async fn read(clients: &Clients, patience: Patience) -> Result<Self> {
        let mut gateways = Self::default();
        let mut page_token = String::new();
        loop {
            let request = ListGatewayEffectsRequest { page_size: PAGE_SIZE, page_token };
            let call = async || clients.audit(Service::Payment).list_gateway_effects(request.clone()).await;
            let page = patience.call(call).await.context("listing what the sandbox gateway recorded")?;
            gateways.effects.extend(page.effects);
            gateways.others.extend(page.other_gateways);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(gateways);
            }
        }
    }
}

impl Books {
    /// Downloads everything. Order is read first and last by the caller, to tell what moved meanwhile.
    pub async fn download(clients: &Clients, services: &[Service], patience: Patience) -> Result<Self> {
        let mut books = Self::default();
        if services.contains(&Service::Payment) {
            books.gateways = Gateways::read(clients, patience).await?;
        }
        for &service in services {
            export(clients, service, &[], |name, row| {
                books.add(service, name, row.columns, row.cells.clone());
                Ok(())
            })
            .await?;
        }
        Ok(books)
    }

    /// One more row of a book.
    pub fn add(&mut self, service: Service, name: &str, columns: &[String], row: BookRow) {
        let book = self.by_name.entry((service, name.to_owned())).or_default();
        if book.columns.is_empty() {
            book.columns = columns.to_vec();
        }
        book.rows.push(row);
    }

    /// The rows of a book; none when the service has no such rows.
    pub fn rows(&self, service: Service, book: &str) -> impl Iterator<Item = Row<'_>> {
        self.by_name
            .get(&(service, book.to_owned()))
            .into_iter()
            .flat_map(|book| book.rows.iter().map(|cells| Row { columns: &book.columns, cells }))
    }

    /// For tests that read the books again.
    #[cfg(test)]
    pub fn names(&self, service: Service) -> Vec<String> {
        self.by_name.keys().filter(|(of, _)| *of == service).map(|(_, name)| name.clone()).collect()
    }

    /// For tests that spoil a cell.
    #[cfg(test)]
    pub fn book_mut(&mut self, service: Service, book: &str) -> Option<&mut Book> {
        self.by_name.get_mut(&(service, book.to_owned()))
    }

    /// For tests that make a row up, in a book that may be empty.
    #[cfg(test)]
    pub fn add_row(&mut self, service: Service, book: &str, columns: &[&str], cell: impl Fn(&str) -> String) {
        let numbers = ["_minor", "seq", "tries", "next_at", "attempt", "status"];
        let book = self.by_name.entry((service, book.to_owned())).or_default();
        book.columns = columns.iter().map(ToString::to_string).collect();
        let cells = columns.iter().map(|column| {
            let text = cell(column);
            let value = if numbers.iter().any(|end| column.ends_with(end)) {
                Value::Number(text.parse().unwrap_or_default())
            } else {
                Value::Text(text)
            };
            proto::audit::v1::Cell { value: Some(value) }
        });
        book.rows.push(BookRow { cells: cells.collect() });
    }

    pub fn row_count(&self) -> usize {
        self.by_name.values().map(|book| book.rows.len()).sum()
    }
}

/// Streams books of a service, all without names, and hands over row by row.
pub async fn export(
    clients: &Clients,
    service: Service,
    names: &[&str],
    mut each: impl FnMut(&str, Row<'_>) -> Result<()>,
) -> Result<()> {
    let asked =
        || format!("exporting the books of the {} service; is it running? (countermand up)", service.name());
    let request = ExportBooksRequest { books: names.iter().map(ToString::to_string).collect() };
    let mut stream = clients.audit(service).export_books(request).await.with_context(asked)?.into_inner();
    // The closing message carries the snapshot's instant and no rows.
    while let Some(message) = stream.message().await.with_context(asked)? {
        for cells in &message.rows {
            each(&message.book, Row { columns: &message.columns, cells })?;
        }
    }
    Ok(())
}

impl<'a> Row<'a> {
    pub fn columns(self) -> &'a [String] {
        self.columns
    }

    pub fn cells(self) -> &'a BookRow {
        self.cells
    }

    /// The text of a column; "" for NULL.
    ///
    /// # Panics
    /// When the book has no such column or it is no text: the books' columns are a contract.
    pub fn text(self, column: &str) -> &'a str {
        match self.value(column) {
            Some(Value::Text(text)) => text,
            None => "",
            Some(Value::Number(_) | Value::Data(_)) => panic!("column {column} of the books is not text"),
        }
    }

    /// The text of a column, if the book has such a column.
    pub fn if_text(self, column: &str) -> Option<&'a str> {
        let index = self.columns.iter().position(|name| name == column)?;
        match &self.cells.cells[index].value {
            Some(Value::Text(text)) => Some(text),
            Some(Value::Number(_) | Value::Data(_)) | None => None,
        }
    }

    /// The number of a column; 0 for NULL. Panics as [`Row::text`].
    pub fn number(self, column: &str) -> i64 {
        match self.value(column) {
            Some(Value::Number(number)) => *number,
            None => 0,
            Some(Value::Text(_) | Value::Data(_)) => panic!("column {column} of the books is not a number"),
        }
    }

    /// Whether a column has a value at all.
    pub fn is_told(self, column: &str) -> bool {
        self.value(column).is_some()
    }

    fn value(self, column: &str) -> Option<&'a Value> {
        let index = self
            .columns
            .iter()
            .position(|name| name == column)
            .unwrap_or_else(|| panic!("the books have no column {column}; they have {:?}", self.columns));
        self.cells.cells[index].value.as_ref()
    }

    /// The row as one line, to be named in a finding: its text columns that look like ids first.
    pub fn describe(self) -> String {
        self.columns
            .iter()
            .zip(&self.cells.cells)
            .filter_map(|(name, cell)| match &cell.value {
                Some(Value::Text(text)) if text.len() <= 64 => Some(format!("{name}={text}")),
                Some(Value::Number(number)) => Some(format!("{name}={number}")),
                Some(Value::Text(_) | Value::Data(_)) | None => None,
            })
            .filter(|pair| !pair.starts_with("tenant_id="))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

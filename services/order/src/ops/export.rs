//! The books for `verify`: streamed from one snapshot, page by page, to whoever reads them at their own pace.

use kit::{Failure, Principal};
use storage::{DbError, Tx};
use tokio::sync::mpsc;
use types::{Reason, Tenant, Timestamp};

use super::orders::Orders;
use crate::store::audit::{self, BOOKS, Book, Cell, PAGE};

/// Pages that are read ahead of the caller.
const AHEAD: usize = 2;

pub enum BookPage {
    Rows {
        book: &'static str,
        columns: Vec<&'static str>,
        rows: Vec<Vec<Cell>>,
    },
    /// The last one: when the snapshot was taken.
    End {
        snapshot_at: Timestamp,
    },
}

impl Orders {
    /// Streams these books of the caller's tenant, or all without one.
    pub fn export_books(
        &self,
        principal: &Principal,
        names: &[String],
    ) -> Result<mpsc::Receiver<Result<BookPage, Failure>>, Failure> {
        if let Some(unknown) = names.iter().find(|name| !BOOKS.iter().any(|book| book.name == name.as_str()))
        {
            let message = format!("there is no book {unknown:?}");
            return Err(Failure::invalid("books", Reason::FieldInvalid, message));
        }
        let wanted: Vec<&'static Book> = BOOKS
            .iter()
            .filter(|book| names.is_empty() || names.iter().any(|name| name == book.name))
            .collect();
        let (pages, receiver) = mpsc::channel(AHEAD);
        let (orders, tenant) = (self.clone(), principal.tenant.clone());
        tokio::spawn(async move {
            if let Err(error) = orders.export(&tenant, &wanted, &pages).await {
                // A caller that has gone away does not want its failure.
                drop(pages.send(Err(Failure::from(error))).await);
            }
        });
        Ok(receiver)
    }

    async fn export(
        &self,
        tenant: &Tenant,
        wanted: &[&'static Book],
        pages: &mpsc::Sender<Result<BookPage, Failure>>,
    ) -> Result<(), DbError> {
        let mut tx = self.database.read().await?;
        let snapshot_at = self.now();
        for book in wanted {
            if !export_book(&mut tx, tenant, book, pages).await? {
                break;
            }
        }
        tx.rollback().await;
        drop(pages.send(Ok(BookPage::End { snapshot_at })).await);
        Ok(())
    }
}

/// Sends one book; false when the caller has gone away.
async fn export_book(
    tx: &mut Tx,
    tenant: &Tenant,
    book: &'static Book,
    pages: &mpsc::Sender<Result<BookPage, Failure>>,
) -> Result<bool, DbError> {
    let mut last: Option<Vec<Cell>> = None;
    loop {
        let rows = audit::page(tx, book, tenant, last.as_deref()).await?;
        let complete = rows.len() < PAGE;
        last = rows.last().cloned();
        if !rows.is_empty() {
            let columns = book.columns.iter().map(|column| column.name).collect();
            let page = BookPage::Rows { book: book.name, columns, rows };
            if pages.send(Ok(page)).await.is_err() {
                return Ok(false);
            }
        }
        if complete {
            return Ok(true);
        }
    }
}

//! The tables as `verify` reads them: one tenant's rows, page by page from one snapshot.

mod books;

use storage::{DbError, Row, Statement, Tx, Value};
use types::Tenant;

pub use self::books::BOOKS;

/// Rows of one page; the widest rows, events and step replies, stay below 4 KiB each.
pub const PAGE: i64 = 500;

/// One table and how to page through it. The statement takes the tenant, the limit, and the key of
/// the last row already read.
#[derive(Debug)]
pub struct Book {
    pub name: &'static str,
    columns: &'static [(&'static str, Holds)],
    /// How many of the first columns behind the tenant a page is continued by.
    key: usize,
    statement: &'static Statement,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Text,
    Number,
    Data,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    Number(i64),
    Data(Vec<u8>),
    Null,
}

/// Rows of a book, and the key to go on from; none when the book has ended.
#[derive(Debug)]
pub struct Page {
    pub rows: Vec<Vec<Cell>>,
    pub next: Option<Vec<Cell>>,
}

impl Book {
    pub fn columns(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    /// Before every row: no key is empty, and numbers count from 1.
    pub fn beginning(&self) -> Vec<Cell> {
        let key = self.columns.iter().skip(1).take(self.key);
        key.map(|(_, holds)| match holds {
            Holds::Text => Cell::Text(String::new()),
            Holds::Number => Cell::Number(0),
            Holds::Data => Cell::Data(Vec::new()),
        })
        .collect()
    }

    pub async fn page(&self, tx: &mut Tx, tenant: &Tenant, after: Vec<Cell>) -> Result<Page, DbError> {
        let mut values = vec![Value::from(tenant), Value::from(PAGE)];
        values.extend(after.into_iter().map(|cell| match cell {
            Cell::Text(text) => Value::Text(text),
            Cell::Number(number) => Value::Int(number),
            Cell::Data(data) => Value::Bytes(data),
            Cell::Null => Value::NullText,
        }));
        let read = tx.fetch_all(self.statement, values).await?;
        let rows = read.iter().map(|row| self.cells(row)).collect::<Result<Vec<_>, _>>()?;
        let full = i64::try_from(rows.len()).is_ok_and(|count| count == PAGE);
        let last = rows.last().filter(|_| full);
        let next = last.map(|last| last.iter().skip(1).take(self.key).cloned().collect());
        Ok(Page { rows, next })
    }

    fn cells(&self, row: &Row) -> Result<Vec<Cell>, DbError> {
        self.columns
            .iter()
            .map(|(name, holds)| {
                Ok(match holds {
                    Holds::Text => row.opt_text(name)?.map_or(Cell::Null, Cell::Text),
                    Holds::Number => row.opt_int(name)?.map_or(Cell::Null, Cell::Number),
                    Holds::Data => row.opt_bytes(name)?.map_or(Cell::Null, Cell::Data),
                })
            })
            .collect()
    }
}

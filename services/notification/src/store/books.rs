//! The tables as `verify` reads them: every column, one tenant, page by page from one snapshot.

use storage::{DbError, Row, Statement, Tx, Value, values};
use types::Tenant;

/// Rows of one page. A notification holds up to 2,000 characters, so 500 would not always fit a message.
pub const PAGE: i64 = 200;

/// One table and how to page through it.
#[derive(Debug)]
pub struct Book {
    pub name: &'static str,
    columns: &'static [(&'static str, Holds)],
    /// The columns that a page is continued by.
    key: &'static [&'static str],
    statement: &'static Statement,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Text,
    Number,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    Number(i64),
    Null,
}

use Holds::{Number, Text};

static NOTIFICATION: Statement = Statement::new(
    "notification.export_notification",
    "SELECT tenant_id, notification_id, event_id, order_id, change_order_id, template, audience, channel, state,
            subject, body, traceparent, created_at, sent_at, claimed_until
       FROM notification WHERE tenant_id = $1 AND notification_id > $3 ORDER BY notification_id LIMIT $2",
);

static INBOX: Statement = Statement::new(
    "notification.export_inbox",
    "SELECT tenant_id, event_id, source, aggregate_type, aggregate_id, aggregate_seq, received_at
       FROM inbox WHERE tenant_id = $1 AND event_id > $3 ORDER BY event_id LIMIT $2",
);

static INBOX_POSITION: Statement = Statement::new(
    "notification.export_inbox_position",
    "SELECT tenant_id, source, aggregate_type, aggregate_id, last_seq
       FROM inbox_position
      WHERE tenant_id = $1 AND (source, aggregate_type, aggregate_id) > ($3, $4, $5)
      ORDER BY source, aggregate_type, aggregate_id LIMIT $2",
);

pub static BOOKS: [Book; 3] = [
    Book {
        name: "notification",
        columns: &[
            ("tenant_id", Text),
            ("notification_id", Text),
            ("event_id", Text),
            ("order_id", Text),
            ("change_order_id", Text),
            ("template", Text),
            ("audience", Text),
            ("channel", Text),
            ("state", Text),
            ("subject", Text),
            ("body", Text),
            ("traceparent", Text),
            ("created_at", Text),
            ("sent_at", Text),
            ("claimed_until", Number),
        ],
        key: &["notification_id"],
        statement: &NOTIFICATION,
    },
    Book {
        name: "inbox",
        columns: &[
            ("tenant_id", Text),
            ("event_id", Text),
            ("source", Text),
            ("aggregate_type", Text),
            ("aggregate_id", Text),
            ("aggregate_seq", Number),
            ("received_at", Number),
        ],
        key: &["event_id"],
        statement: &INBOX,
    },
    Book {
        name: "inbox_position",
        columns: &[
            ("tenant_id", Text),
            ("source", Text),
            ("aggregate_type", Text),
            ("aggregate_id", Text),
            ("last_seq", Number),
        ],
        key: &["source", "aggregate_type", "aggregate_id"],
        statement: &INBOX_POSITION,
    },
];

/// Rows of a book, and the key to go on from; no key when the book has ended.
#[derive(Debug)]
pub struct BookPage {
    pub rows: Vec<Vec<Cell>>,
    pub next: Option<Vec<String>>,
}

impl Book {
    pub fn columns(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    /// The key before the first row: no key is empty.
    pub fn beginning(&self) -> Vec<String> {
        vec![String::new(); self.key.len()]
    }

    pub async fn page(&self, tx: &mut Tx, tenant: &Tenant, after: &[String]) -> Result<BookPage, DbError> {
        let mut values = values![tenant, PAGE];
        values.extend(after.iter().map(Value::from));
        let read = tx.fetch_all(self.statement, values).await?;
        let full = i64::try_from(read.len()).is_ok_and(|count| count == PAGE);
        let next = match read.last() {
            Some(last) if full => {
                Some(self.key.iter().map(|name| last.text(name)).collect::<Result<_, _>>()?)
            }
            Some(_) | None => None,
        };
        let rows = read.iter().map(|row| self.cells(row)).collect::<Result<_, _>>()?;
        Ok(BookPage { rows, next })
    }

    fn cells(&self, row: &Row) -> Result<Vec<Cell>, DbError> {
        self.columns
            .iter()
            .map(|(name, holds)| {
                Ok(match holds {
                    Holds::Text => row.opt_text(name)?.map_or(Cell::Null, Cell::Text),
                    Holds::Number => row.opt_int(name)?.map_or(Cell::Null, Cell::Number),
                })
            })
            .collect()
    }
}

//! Books: whole tables of one tenant, as an auditor reads them, page by page from one snapshot.

use types::Tenant;

use crate::error::DbError;
use crate::row::Row;
use crate::statement::Statement;
use crate::tx::Tx;
use crate::value::Value;
use crate::values;

/// Rows of one page. The widest rows, texts of 2,000 characters, then still fit into one message.
const PAGE: i64 = 200;

/// A table that is open to auditors. Made by [`book!`](crate::book!).
#[derive(Debug)]
pub struct Book {
    pub name: &'static str,
    pub columns: &'static [Column],
    /// How many columns behind the tenant make a row's key, which is the order of the pages.
    pub key: usize,
    pub page: &'static Statement,
}

#[derive(Debug)]
pub struct Column {
    pub name: &'static str,
    pub holds: Holds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Text,
    Number,
    Data,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Null,
    Text(String),
    Number(i64),
    Data(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookPage {
    pub rows: Vec<Vec<Cell>>,
    pub is_last: bool,
}

/// A book of a service: its table, the columns of its key behind the tenant, the other columns that are shown. The
/// statement is written from them.
///
/// The tenant stands outside of the compared tuple: inside it SQLite would read the tenant's rows from the first one
/// again for every page.
#[macro_export]
macro_rules! book {
    (@list $first:literal $(, $key:literal)*) => { concat!($first $(, ", ", $key)*) };
    (@behind $a:literal) => { "$3" };
    (@behind $a:literal, $b:literal) => { "$3, $4" };
    (@behind $a:literal, $b:literal, $c:literal) => { "$3, $4, $5" };
    (@behind $a:literal, $b:literal, $c:literal, $d:literal, $e:literal) => { "$3, $4, $5, $6, $7" };
    ($service:literal, $table:literal, [$($key:literal $kind:ident),+ $(,)?], [$($column:literal $holds:ident),* $(,)?]) => {{
        static PAGE: $crate::Statement = $crate::Statement::new(
            concat!($service, ".export_", $table),
            concat!(
                "SELECT tenant_id" $(, ", ", $key)+ $(, ", ", $column)*, " FROM ", $table,
                " WHERE tenant_id = $1 AND (", $crate::book!(@list $($key),+), ") > (",
                $crate::book!(@behind $($key),+), ") ORDER BY ", $crate::book!(@list $($key),+), " LIMIT $2"
            ),
        );
        $crate::Book {
            name: $table,
            columns: &[
                $crate::Column { name: "tenant_id", holds: $crate::Holds::Text },
                $($crate::Column { name: $key, holds: $crate::Holds::$kind },)+
                $($crate::Column { name: $column, holds: $crate::Holds::$holds },)*
            ],
            key: [$($key),+].len(),
            page: &PAGE,
        }
    }};
}

impl Book {
    /// The rows behind a row, or the first ones.
    pub async fn page(
        &self,
        tx: &mut Tx,
        tenant: &Tenant,
        after: Option<&[Cell]>,
    ) -> Result<BookPage, DbError> {
        let mut bound = values![tenant, PAGE];
        match after {
            Some(row) => bound.extend(row.iter().skip(1).take(self.key).map(value)),
            None => bound.extend(self.columns.iter().skip(1).take(self.key).map(Column::before_all)),
        }
        let rows = tx.fetch_all(self.page, bound).await?;
        let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < PAGE);
        let rows = rows.iter().map(|row| self.columns.iter().map(|column| column.cell(row)).collect());
        Ok(BookPage { rows: rows.collect::<Result<_, _>>()?, is_last })
    }
}

impl Column {
    /// Less than every key: names are never empty.
    fn before_all(&self) -> Value {
        match self.holds {
            Holds::Text => Value::Text(String::new()),
            Holds::Number => Value::Int(i64::MIN),
            Holds::Data => Value::Bytes(Vec::new()),
        }
    }

    fn cell(&self, row: &Row) -> Result<Cell, DbError> {
        Ok(match self.holds {
            Holds::Text => row.opt_text(self.name)?.map_or(Cell::Null, Cell::Text),
            Holds::Number => row.opt_int(self.name)?.map_or(Cell::Null, Cell::Number),
            Holds::Data => row.opt_bytes(self.name)?.map_or(Cell::Null, Cell::Data),
        })
    }
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::NullText,
        Cell::Text(text) => Value::Text(text.clone()),
        Cell::Number(number) => Value::Int(*number),
        Cell::Data(data) => Value::Bytes(data.clone()),
    }
}

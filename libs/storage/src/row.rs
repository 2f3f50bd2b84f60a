//! A row that was read, by column name.

use std::fmt::{self, Display};

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use types::{Tenant, Timestamp};

use crate::error::DbError;

/// A row as either driver gave it. A missing column, another type or an unexpected NULL is [`DbError::Malformed`].
pub struct Row {
    statement: &'static str,
    columns: Columns,
}

impl fmt::Debug for Row {
    /// Without the values: they may be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("statement", &self.statement).finish_non_exhaustive()
    }
}

enum Columns {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// The drivers share no trait that could be named here; both arms are the same ordinary call.
macro_rules! get {
    ($row:expr, $column:expr) => {
        match &$row.columns {
            Columns::Sqlite(row) => row.try_get($column),
            Columns::Postgres(row) => row.try_get($column),
        }
        .map_err(|problem| DbError::malformed($row.statement, problem))
    };
}

impl Row {
    pub(crate) fn sqlite(statement: &'static str, row: SqliteRow) -> Self {
        Self { statement, columns: Columns::Sqlite(row) }
    }

    pub(crate) fn postgres(statement: &'static str, row: PgRow) -> Self {
        Self { statement, columns: Columns::Postgres(row) }
    }

    pub fn text(&self, column: &str) -> Result<String, DbError> {
        self.present(column, self.opt_text(column)?)
    }

    pub fn opt_text(&self, column: &str) -> Result<Option<String>, DbError> {
        get!(self, column)
    }

    pub fn int(&self, column: &str) -> Result<i64, DbError> {
        self.present(column, self.opt_int(column)?)
    }

    pub fn opt_int(&self, column: &str) -> Result<Option<i64>, DbError> {
        get!(self, column)
    }

    pub fn bytes(&self, column: &str) -> Result<Vec<u8>, DbError> {
        self.present(column, self.opt_bytes(column)?)
    }

    pub fn opt_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, DbError> {
        get!(self, column)
    }

    /// A text read by a type's own parser: `row.parsed("order_id", OrderId::parse)`.
    pub fn parsed<T, E: Display>(
        &self,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, DbError> {
        let text = self.text(column)?;
        parse(&text).map_err(|problem| self.unreadable(column, &text, &problem))
    }

    /// Like [`Row::parsed`], for a column that may be NULL.
    pub fn opt_parsed<T, E: Display>(
        &self,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, DbError> {
        let Some(text) = self.opt_text(column)? else { return Ok(None) };
        parse(&text).map(Some).map_err(|problem| self.unreadable(column, &text, &problem))
    }

    /// A text that names a variant of one of our enums: `row.named("state", State::from_name)`.
    pub fn named<T>(&self, column: &str, from_name: impl FnOnce(&str) -> Option<T>) -> Result<T, DbError> {
        let text = self.text(column)?;
        from_name(&text).ok_or_else(|| self.unreadable(column, &text, &"no such name"))
    }

    pub fn tenant(&self) -> Result<Tenant, DbError> {
        self.parsed("tenant_id", Tenant::parse)
    }

    pub fn timestamp(&self, column: &str) -> Result<Timestamp, DbError> {
        self.parsed(column, Timestamp::parse)
    }

    pub fn opt_timestamp(&self, column: &str) -> Result<Option<Timestamp>, DbError> {
        self.opt_parsed(column, Timestamp::parse)
    }

    /// Every column is read as one that may be NULL: asked for a plain value, SQLite's driver turns NULL into zero.
    fn present<T>(&self, column: &str, value: Option<T>) -> Result<T, DbError> {
        value.ok_or_else(|| DbError::malformed(self.statement, format!("column {column} is NULL")))
    }

    fn unreadable(&self, column: &str, text: &str, problem: &dyn Display) -> DbError {
        DbError::malformed(self.statement, format!("column {column} holds {text:?}: {problem}"))
    }
}

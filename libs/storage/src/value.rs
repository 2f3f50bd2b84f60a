//! What is bound to a statement: single values, and batches of rows.

use std::fmt::Write;

use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use types::Timestamp;

use crate::Engine;
use crate::columns::Purpose;
use crate::error::DbError;
use crate::record::Record;
use crate::row_set::{self, Holds, RowSet};
use crate::statement::{Piece, Rendered, Statement};

/// One bound value. NULLs carry their type, because PostgreSQL wants to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Int(i64),
    Bytes(Vec<u8>),
    NullText,
    NullInt,
    NullBytes,
    Rows(Rows),
}

/// The values of one statement or one row, in order: `values![&id, quantity, None::<&str>]`.
/// Ids and texts are given by reference, numbers and bytes by value.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::Value::from($value)),*] };
}

/// A batch of rows, bound as the last parameter of a statement with `rows($N: …)`: keys in the order of the columns,
/// rows that are written by the names of their columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    InOrder(Vec<Vec<Value>>),
    Named(Vec<Record>),
}

impl Rows {
    pub fn len(&self) -> usize {
        match self {
            Self::InOrder(rows) => rows.len(),
            Self::Named(records) => records.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows in the order of the columns.
    pub(crate) fn arrange(self, set: &RowSet) -> Result<Vec<Vec<Value>>, String> {
        match self {
            Self::InOrder(rows) if set.purpose == Purpose::Reads || rows.is_empty() => Ok(rows),
            Self::InOrder(_) => {
                Err("rows that are written are bound by the names of their columns".to_owned())
            }
            Self::Named(records) => records.into_iter().map(|record| record.arrange(set)).collect(),
        }
    }
}

impl FromIterator<Vec<Value>> for Rows {
    fn from_iter<I: IntoIterator<Item = Vec<Value>>>(rows: I) -> Self {
        Self::InOrder(rows.into_iter().collect())
    }
}

impl FromIterator<Record> for Rows {
    fn from_iter<I: IntoIterator<Item = Record>>(records: I) -> Self {
        Self::Named(records.into_iter().collect())
    }
}

impl<T: AsRef<str> + ?Sized> From<&T> for Value {
    fn from(text: &T) -> Self {
        Self::Text(text.as_ref().to_owned())
    }
}

impl<T: AsRef<str> + ?Sized> From<Option<&T>> for Value {
    fn from(text: Option<&T>) -> Self {
        text.map_or(Self::NullText, Self::from)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::NullText, Self::Text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::NullInt, Self::Int)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Option<Vec<u8>>> for Value {
    fn from(bytes: Option<Vec<u8>>) -> Self {
        bytes.map_or(Self::NullBytes, Self::Bytes)
    }
}

impl From<Timestamp> for Value {
    fn from(instant: Timestamp) -> Self {
        Self::Text(instant.to_string())
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(instant: Option<Timestamp>) -> Self {
        instant.map_or(Self::NullText, Self::from)
    }
}

impl From<Rows> for Value {
    fn from(rows: Rows) -> Self {
        Self::Rows(rows)
    }
}

impl From<Vec<Record>> for Value {
    fn from(records: Vec<Record>) -> Self {
        Self::Rows(Rows::Named(records))
    }
}

impl Default for Rows {
    fn default() -> Self {
        Self::InOrder(Vec::new())
    }
}

/// What is bound to a statement, checked: its single values, and the batch behind them with its columns.
struct Bound {
    values: Vec<Value>,
    batch: Option<(Vec<Vec<Value>>, &'static RowSet)>,
}

/// The text for this batch, and its values.
pub(crate) fn sqlite_query(
    statement: &'static Statement,
    values: Vec<Value>,
) -> Result<(&'static str, SqliteArguments), DbError> {
    let rendered = statement.rendered(Engine::Sqlite)?;
    let Bound { values, mut batch } = bound(statement, rendered, values)?;
    let mut arguments = SqliteArguments::default();
    let failed = |problem: BoxDynError| malformed(statement, &problem.to_string());
    let size = batch.as_ref().and_then(|(rows, _)| row_set::small_size(rows.len()));
    let Some(size) = size else {
        for value in values {
            bind_sqlite(&mut arguments, value).map_err(failed)?;
        }
        if let Some((rows, _)) = batch {
            arguments.add(json(&rows)).map_err(failed)?;
        }
        return Ok((&rendered.sql, arguments));
    };
    for piece in rendered.pieces() {
        match piece {
            Piece::Text(_) => {}
            Piece::Parameter(number) => {
                let value =
                    values.get(number - 1).ok_or_else(|| malformed(statement, "a value is missing"))?;
                bind_sqlite(&mut arguments, value.clone()).map_err(failed)?;
            }
            Piece::Rows => {
                let (rows, set) = batch.take().expect("a statement takes one batch of rows");
                bind_small(&mut arguments, set, rows, size).map_err(failed)?;
            }
        }
    }
    Ok((rendered.small(size), arguments))
}

fn bind_sqlite(arguments: &mut SqliteArguments, value: Value) -> Result<(), BoxDynError> {
    match value {
        Value::Text(text) => arguments.add(text),
        Value::Int(number) => arguments.add(number),
        Value::Bytes(bytes) => arguments.add(bytes),
        Value::NullText | Value::NullInt | Value::NullBytes => arguments.add(None::<i64>),
        Value::Rows(_) => unreachable!("a batch is bound by itself"),
    }
}

/// The rows, NULLs up to the size of the list, and how many rows are real.
fn bind_small(
    arguments: &mut SqliteArguments,
    set: &RowSet,
    rows: Vec<Vec<Value>>,
    size: usize,
) -> Result<(), BoxDynError> {
    let real = rows.len();
    for value in rows.into_iter().flatten() {
        bind_sqlite(arguments, value)?;
    }
    for _ in 0..(size - real) * set.columns.len() {
        arguments.add(None::<i64>)?;
    }
    arguments.add(i64::try_from(real)?)
}

pub(crate) fn postgres_query(
    statement: &'static Statement,
    values: Vec<Value>,
) -> Result<(&'static str, PgArguments), DbError> {
    let rendered = statement.rendered(Engine::Postgres)?;
    let Bound { values, batch } = bound(statement, rendered, values)?;
    let mut arguments = PgArguments::default();
    let failed = |problem: BoxDynError| malformed(statement, &problem.to_string());
    for value in values {
        match value {
            Value::Text(text) => arguments.add(text),
            Value::Int(number) => arguments.add(number),
            Value::Bytes(bytes) => arguments.add(bytes),
            Value::NullText => arguments.add(None::<String>),
            Value::NullInt => arguments.add(None::<i64>),
            Value::NullBytes => arguments.add(None::<Vec<u8>>),
            Value::Rows(_) => unreachable!("a batch is bound by itself"),
        }
        .map_err(failed)?;
    }
    if let Some((rows, set)) = batch {
        add_columns(&mut arguments, set, rows).map_err(failed)?;
    }
    Ok((&rendered.sql, arguments))
}

/// Each parameter has its value, a batch goes where the text says `rows($N: …)`, which is behind all others, and each of
/// its rows has the columns it names, of the types it names. Both engines are checked alike, because SQLite alone would
/// take anything, and NULL for what is missing.
fn bound(
    statement: &Statement,
    rendered: &'static Rendered,
    mut values: Vec<Value>,
) -> Result<Bound, DbError> {
    if values.len() != rendered.parameters() {
        let detail = format!("{} values for {} parameters", values.len(), rendered.parameters());
        return Err(malformed(statement, &detail));
    }
    let batch = match &rendered.rows {
        None => None,
        Some(set) => match values.pop() {
            Some(Value::Rows(rows)) => {
                let rows = rows.arrange(set).map_err(|problem| malformed(statement, &problem))?;
                for row in &rows {
                    check_row(statement, set, row)?;
                }
                Some((rows, set))
            }
            _ => return Err(malformed(statement, "rows(…) needs a batch of rows")),
        },
    };
    for value in &values {
        match value {
            Value::Rows(_) => {
                return Err(malformed(statement, "a batch of rows is bound where the text has none"));
            }
            value => check_text(statement, value)?,
        }
    }
    Ok(Bound { values, batch })
}

fn check_text(statement: &Statement, value: &Value) -> Result<(), DbError> {
    match value {
        Value::Text(text) if text.as_bytes().contains(&0) => {
            Err(DbError::Nul { statement: statement.name() })
        }
        _ => Ok(()),
    }
}

fn check_row(statement: &Statement, set: &RowSet, row: &[Value]) -> Result<(), DbError> {
    if row.len() != set.columns.len() {
        let detail = format!("a row has {} values for {} columns", row.len(), set.columns.len());
        return Err(malformed(statement, &detail));
    }
    for (value, column) in row.iter().zip(&set.columns) {
        let fits = match value {
            Value::Text(_) | Value::NullText => column.holds == Holds::Text,
            Value::Int(_) | Value::NullInt => column.holds == Holds::Bigint,
            Value::Bytes(_) | Value::NullBytes => column.holds == Holds::Bytea,
            Value::Rows(_) => false,
        };
        if !fits {
            let detail = format!("column {} is {:?}, which {value:?} is not", column.name, column.holds);
            return Err(malformed(statement, &detail));
        }
        check_text(statement, value)?;
    }
    Ok(())
}

fn malformed(statement: &Statement, detail: &str) -> DbError {
    DbError::Malformed { statement: statement.name(), detail: detail.to_owned() }
}

fn json(rows: &[Vec<Value>]) -> String {
    let mut json = String::with_capacity(rows.len() * 64 + 2);
    json.push('[');
    for (index, row) in rows.iter().enumerate() {
        json.push_str(if index == 0 { "[" } else { ",[" });
        for (index, value) in row.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            push_json(&mut json, value);
        }
        json.push(']');
    }
    json.push(']');
    json
}

fn push_json(json: &mut String, value: &Value) {
    match value {
        Value::Text(text) => {
            json.push_str(&serde_json::to_string(text).expect("a string always has a JSON form"));
        }
        Value::Int(number) => write!(json, "{number}").expect("writing to a String does not fail"),
        Value::Bytes(bytes) => {
            json.push('"');
            for byte in bytes {
                write!(json, "{byte:02x}").expect("writing to a String does not fail");
            }
            json.push('"');
        }
        Value::NullText | Value::NullInt | Value::NullBytes => json.push_str("null"),
        Value::Rows(_) => unreachable!("check_row refuses rows inside rows"),
    }
}

fn add_columns(arguments: &mut PgArguments, set: &RowSet, rows: Vec<Vec<Value>>) -> Result<(), BoxDynError> {
    let mut columns: Vec<Vec<Value>> = set.columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    for (column, values) in set.columns.iter().zip(columns) {
        match column.holds {
            Holds::Text => arguments.add(values.into_iter().map(into_text).collect::<Vec<_>>())?,
            Holds::Bigint => arguments.add(values.into_iter().map(|v| into_int(&v)).collect::<Vec<_>>())?,
            Holds::Bytea => arguments.add(values.into_iter().map(into_bytes).collect::<Vec<_>>())?,
        }
    }
    Ok(())
}

fn into_text(value: Value) -> Option<String> {
    if let Value::Text(text) = value { Some(text) } else { None }
}

fn into_int(value: &Value) -> Option<i64> {
    if let Value::Int(number) = value { Some(*number) } else { None }
}

fn into_bytes(value: Value) -> Option<Vec<u8>> {
    if let Value::Bytes(bytes) = value { Some(bytes) } else { None }
}

//! One SQL text for both engines. The text is portable SQL plus three spellings, rewritten here, once and visibly:
//!
//! | Spelling | SQLite | PostgreSQL |
//! |---|---|---|
//! | `rows($N: a text, b bigint, c bytea)` | `json_each` over one JSON text | `UNNEST` over one array per column |
//! | `FOR UPDATE [OF t] [SKIP LOCKED]` | dropped, the writer is alone there | as it stands |
//! | `db_now()` | microseconds of SQLite's clock | microseconds of the server's clock |
//!
//! The dialect itself is written down in `docs/portable-sql.md`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::database::Engine;
use crate::error::DbError;

/// Microseconds since 1970 on SQLite. Its clock has milliseconds, which is enough for leases.
pub(crate) const SQLITE_NOW: &str = "CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)";
/// Microseconds since 1970 on PostgreSQL. Not `now()`: that stands still while a transaction waits for a lock.
pub(crate) const POSTGRES_NOW: &str = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";

/// A named SQL text. Always a `static`, so that a tidy test can list them all and the text is rewritten once.
#[derive(Debug)]
pub struct Statement {
    name: &'static str,
    text: &'static str,
    sqlite: Slot,
    postgres: Slot,
}

#[derive(Debug)]
struct Slot {
    rendered: OnceLock<Result<Rendered, String>>,
    logged: AtomicBool,
}

/// The text for one engine, and the columns of its batch of rows if it takes one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rendered {
    pub sql: String,
    pub rows: Option<Batch>,
}

/// `rows($N: …)`: which parameter it is (from 1) and what its columns hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    pub parameter: usize,
    pub columns: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub name: String,
    pub holds: Holds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Text,
    Bigint,
    Bytea,
}

impl Slot {
    const fn new() -> Self {
        Self { rendered: OnceLock::new(), logged: AtomicBool::new(false) }
    }
}

impl Statement {
    /// `name` is `service.function`; it stands in errors, traces and the statement log.
    pub const fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, text, sqlite: Slot::new(), postgres: Slot::new() }
    }

    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The text as it was written, before any rewriting.
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// The text as `engine` gets it.
    pub fn sql(&'static self, engine: Engine) -> Result<&'static str, DbError> {
        Ok(&self.rendered(engine)?.sql)
    }

    pub(crate) fn rendered(&'static self, engine: Engine) -> Result<&'static Rendered, DbError> {
        let slot = match engine {
            Engine::Sqlite => &self.sqlite,
            Engine::Postgres => &self.postgres,
        };
        if !slot.logged.swap(true, Ordering::Relaxed) {
            crate::statement_log::note(engine, self.name);
        }
        slot.rendered
            .get_or_init(|| render(engine, self.text))
            .as_ref()
            .map_err(|problem| DbError::Malformed { statement: self.name, detail: problem.clone() })
    }
}

fn render(engine: Engine, text: &str) -> Result<Rendered, String> {
    let mut sql = String::with_capacity(text.len() + 64);
    let mut rows = None;
    let mut rest = text;
    let mut inside_word = false;
    while let Some(next) = rest.chars().next() {
        if next == '\'' {
            let end = rest[1..].find('\'').ok_or("a quote is not closed")? + 2;
            sql.push_str(&rest[..end]);
            rest = &rest[end..];
            inside_word = false;
            continue;
        }
        if rest.starts_with("--") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
            continue;
        }
        if !inside_word {
            if let Some(after) = keyword(rest, "rows($") {
                if rows.is_some() {
                    return Err("a statement takes one batch of rows at most".to_owned());
                }
                let (batch, after) = parse_batch(after)?;
                sql.push_str(&render_batch(engine, &batch, names_itself(after)));
                rows = Some(batch);
                rest = after;
                continue;
            }
            if let Some(after) = keyword(rest, "db_now()") {
                sql.push_str(match engine {
                    Engine::Sqlite => SQLITE_NOW,
                    Engine::Postgres => POSTGRES_NOW,
                });
                rest = after;
                continue;
            }
            if engine == Engine::Sqlite
                && let Some(after) = keyword(rest, "FOR UPDATE")
            {
                rest = after_lock_clause(after);
                continue;
            }
        }
        inside_word = next.is_alphanumeric() || next == '_';
        sql.push(next);
        rest = &rest[next.len_utf8()..];
    }
    if let Some(batch) = &rows {
        check_is_last(text, batch.parameter)?;
    }
    Ok(Rendered { sql, rows })
}

/// On PostgreSQL a batch becomes several parameters, so nothing may be numbered after it.
fn check_is_last(text: &str, parameter: usize) -> Result<(), String> {
    for (at, _) in text.match_indices('$') {
        let digits: String = text[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        if digits.parse::<usize>().is_ok_and(|number| number > parameter) {
            return Err(format!("rows(${parameter}: …) must be the last parameter, but ${digits} follows"));
        }
    }
    Ok(())
}

fn keyword<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}

/// PostgreSQL wants a name for a table made on the spot; the author's own `AS name` is kept.
fn names_itself(after: &str) -> bool {
    keyword(after.trim_start(), "AS").is_some_and(|rest| rest.starts_with(char::is_whitespace))
}

fn parse_batch(text: &str) -> Result<(Batch, &str), String> {
    let (inside, after) = text.split_once(')').ok_or("rows($N: …) is not closed")?;
    let (number, list) = inside.split_once(':').ok_or("rows($N: …) needs its columns")?;
    let parameter = number.trim().parse().map_err(|_| format!("rows(${number}: …) needs a number"))?;
    let mut columns = Vec::new();
    for entry in list.split(',') {
        let mut words = entry.split_whitespace();
        let (Some(name), Some(holds), None) = (words.next(), words.next(), words.next()) else {
            return Err(format!("a column of rows(…) is a name and a type, not {entry:?}"));
        };
        let holds = match holds.to_ascii_lowercase().as_str() {
            "text" => Holds::Text,
            "bigint" => Holds::Bigint,
            "bytea" => Holds::Bytea,
            other => return Err(format!("a column of rows(…) is text, bigint or bytea, not {other}")),
        };
        columns.push(Column { name: name.to_owned(), holds });
    }
    Ok((Batch { parameter, columns }, after))
}

fn render_batch(engine: Engine, batch: &Batch, named: bool) -> String {
    let first = batch.parameter;
    let alias = if named { "" } else { " AS batch" };
    match engine {
        Engine::Sqlite => {
            let columns: Vec<String> = batch
                .columns
                .iter()
                .enumerate()
                .map(|(index, Column { name, holds })| match holds {
                    Holds::Text | Holds::Bigint => format!("json_extract(value, '$[{index}]') AS {name}"),
                    Holds::Bytea => format!("unhex(json_extract(value, '$[{index}]')) AS {name}"),
                })
                .collect();
            format!("(SELECT {} FROM json_each(${first})){alias}", columns.join(", "))
        }
        Engine::Postgres => {
            let arrays: Vec<String> = batch
                .columns
                .iter()
                .enumerate()
                .map(|(index, column)| {
                    let array = match column.holds {
                        Holds::Text => "text[]",
                        Holds::Bigint => "bigint[]",
                        Holds::Bytea => "bytea[]",
                    };
                    format!("${}::{array}", first + index)
                })
                .collect();
            let columns: Vec<&str> = batch.columns.iter().map(|column| column.name.as_str()).collect();
            format!("(SELECT * FROM UNNEST({}) AS r({})){alias}", arrays.join(", "), columns.join(", "))
        }
    }
}

/// What follows a lock clause: `OF table` and `SKIP LOCKED` belong to it.
fn after_lock_clause(mut rest: &str) -> &str {
    if let Some(after) = keyword(rest.trim_start(), "OF ") {
        let name = after.trim_start();
        rest = name.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    }
    keyword(rest.trim_start(), "SKIP LOCKED").unwrap_or(rest)
}

#[cfg(test)]
mod tests;

//! One SQL text for both engines. The text is portable SQL plus four spellings, rewritten here, once and visibly:
//!
//! | Spelling | SQLite | PostgreSQL |
//! |---|---|---|
//! | `rows($N: a text, b bigint, c bytea)` | `VALUES`, or `json_each` if it is large | `UNNEST` over one array per column |
//! | `INSERT INTO t rows($N: …)`, `UPDATE t SET rows($N: key \| columns)` | written out in [`columns`](crate::columns) | the same |
//! | `FOR UPDATE [OF t] [SKIP LOCKED]` | dropped, the writer is alone there | as it stands |
//! | `db_now()` | microseconds of SQLite's clock | microseconds of the server's clock |
//!
//! The dialect itself is written down in `docs/portable-sql.md`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::columns;
use crate::database::Engine;
use crate::error::DbError;
use crate::row_set::{RowSet, SMALL_SIZES};

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

/// The text for one engine, and the batch of rows in it if it takes one.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// The text for a batch of any size.
    pub sql: String,
    pub rows: Option<RowSet>,
    /// SQLite's texts for small batches, by size: 1, 2, 4, … rows.
    small: [OnceLock<String>; SMALL_SIZES],
    pieces: Vec<Piece>,
}

/// A text, taken apart where it is not the same for every engine and batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    /// `$k`, from 1.
    Parameter(usize),
    /// `rows($N: …)`.
    Rows,
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
        if !slot.logged.swap(true, Ordering::Relaxed) || crate::statement_log::notes_each() {
            crate::statement_log::note(engine, self.name);
        }
        slot.rendered
            .get_or_init(|| render(engine, self.text))
            .as_ref()
            .map_err(|problem| DbError::Malformed { statement: self.name, detail: problem.clone() })
    }
}

impl Rendered {
    /// SQLite's text for up to `size` rows, every parameter an unnumbered `?` in the order of the pieces.
    pub fn small(&self, size: usize) -> &str {
        self.small[size.ilog2() as usize].get_or_init(|| {
            let piece = |piece: &Piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Parameter(_) => "?".to_owned(),
                Piece::Rows => self.rows.as_ref().map_or_else(String::new, |rows| rows.sqlite_values(size)),
            };
            self.pieces.iter().map(piece).collect()
        })
    }

    /// How many values the text takes, a batch of rows counting as one.
    pub fn parameters(&self) -> usize {
        let number = |piece: &Piece| match piece {
            Piece::Text(_) => 0,
            Piece::Parameter(number) => *number,
            Piece::Rows => self.rows.as_ref().map_or(0, |rows| rows.parameter),
        };
        self.pieces.iter().map(number).max().unwrap_or(0)
    }

    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }
}

fn render(engine: Engine, text: &str) -> Result<Rendered, String> {
    let (text, purpose) = columns::write_out(text)?;
    let (pieces, rows) = take_apart(engine, &text)?;
    let rows = rows.map(|set| RowSet { purpose, ..set });
    if let Some(rows) = &rows {
        check_is_last(&pieces, rows.parameter)?;
    }
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Parameter(number) => format!("${number}"),
        Piece::Rows => rows.as_ref().map_or_else(String::new, |rows| match engine {
            Engine::Sqlite => rows.sqlite_json(),
            Engine::Postgres => rows.postgres(),
        }),
    };
    let sql = pieces.iter().map(piece).collect();
    Ok(Rendered { sql, rows, small: [const { OnceLock::new() }; SMALL_SIZES], pieces })
}

fn take_apart(engine: Engine, text: &str) -> Result<(Vec<Piece>, Option<RowSet>), String> {
    let mut pieces = Vec::new();
    let mut rows = None;
    let mut rest = text;
    let mut plain = String::with_capacity(text.len());
    let mut inside_word = false;
    while let Some(next) = rest.chars().next() {
        if next == '\'' {
            let end = rest[1..].find('\'').ok_or("a quote is not closed")? + 2;
            plain.push_str(&rest[..end]);
            rest = &rest[end..];
            inside_word = false;
        } else if rest.starts_with("--") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if !inside_word && let Some(after) = keyword(rest, "rows($") {
            if rows.is_some() {
                return Err("a statement takes one batch of rows at most".to_owned());
            }
            let (set, after) = RowSet::parse(after)?;
            rows = Some(set);
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(Piece::Rows);
            rest = after;
        } else if !inside_word && let Some(after) = keyword(rest, "db_now()") {
            plain.push_str(match engine {
                Engine::Sqlite => SQLITE_NOW,
                Engine::Postgres => POSTGRES_NOW,
            });
            rest = after;
        } else if !inside_word
            && engine == Engine::Sqlite
            && let Some(after) = keyword(rest, "FOR UPDATE")
        {
            rest = after_lock_clause(after);
        } else if let Some((number, after)) = parameter(rest) {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(Piece::Parameter(number));
            rest = after;
        } else {
            inside_word = next.is_alphanumeric() || next == '_';
            plain.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    pieces.push(Piece::Text(plain));
    Ok((pieces, rows))
}

/// `$k` and what follows it.
fn parameter(text: &str) -> Option<(usize, &str)> {
    let digits = text.strip_prefix('$')?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    Some((digits[..end].parse().ok()?, &digits[end..]))
}

/// On PostgreSQL a batch becomes several parameters, so nothing may be numbered after it.
fn check_is_last(pieces: &[Piece], last: usize) -> Result<(), String> {
    for piece in pieces {
        if let Piece::Parameter(number) = piece
            && *number >= last
        {
            return Err(format!(
                "rows(${last}: …) must be the last parameter, but ${number} stands beside it"
            ));
        }
    }
    Ok(())
}

pub(crate) fn keyword<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
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

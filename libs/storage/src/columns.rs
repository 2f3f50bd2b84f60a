//! Writing whole rows with each column named once: the spellings `INSERT INTO t rows($N: …)` and
//! `UPDATE t SET rows($N: key | columns | compared)` are written out here as what every engine reads, before anything else is
//! rewritten.
//!
//! ```text
//!   INSERT INTO t rows($1: a text, b bigint, state = 'new')
//!   INSERT INTO t (a, b, state) SELECT a, b, 'new' FROM rows($1: a text, b bigint)
//!
//!   UPDATE t SET rows($1: id text | b bigint, tries = 0) AND t.state = 'new'
//!   UPDATE t SET b = r.b, tries = 0 FROM rows($1: id text, b bigint) AS r WHERE t.id = r.id AND t.state = 'new'
//!
//!   UPDATE t SET rows($1: id text | epoch bigint | stored bigint) AND t.epoch = r.stored
//!   UPDATE t SET epoch = r.epoch FROM rows($1: id text, epoch bigint, stored bigint) AS r WHERE t.id = r.id AND t.epoch = r.stored
//! ```

use std::borrow::Cow;

use crate::statement::keyword;

/// What a statement does with its batch of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It reads them: keys and names, bound in the order of the columns.
    Reads,
    /// It writes them, each value under the name of its column, and a record may hold no other.
    Inserts,
    /// The same, and a record may hold what an insert has written once.
    Updates,
}

/// A column of a written row: from the batch, or the same expression for all rows.
enum Entry<'a> {
    Bound { name: &'a str, declared: &'a str },
    Fixed { name: &'a str, expression: &'a str },
}

/// The text with its columns written out; as it is where it writes no whole rows.
pub(crate) fn write_out(text: &str) -> Result<(Cow<'_, str>, Purpose), String> {
    let (before, batch) = text.split_at(text.find("rows($").unwrap_or(text.len()));
    if let Some(table) = inserted(before) {
        let (parameter, list, after) = take_apart(batch)?;
        return Ok((Cow::Owned(insert(table, parameter, list, after)?), Purpose::Inserts));
    }
    if let Some(table) = updated(before) {
        let (parameter, list, after) = take_apart(batch)?;
        return Ok((Cow::Owned(update(table, parameter, list, after)?), Purpose::Updates));
    }
    Ok((Cow::Borrowed(text), Purpose::Reads))
}

fn inserted(before: &str) -> Option<&str> {
    table(keyword(before.trim_start(), "INSERT INTO ")?)
}

fn updated(before: &str) -> Option<&str> {
    let rest = keyword(before.trim_start(), "UPDATE ")?.trim_end();
    let end = rest.len().checked_sub("SET".len())?;
    keyword(rest.get(end..)?, "SET")?;
    table(&rest[..end])
}

/// A table's name, if there is nothing beside it.
fn table(text: &str) -> Option<&str> {
    let name = text.trim();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_name.then_some(name)
}

/// The parameter, the list of columns, and what follows `rows($N: …)`.
fn take_apart(batch: &str) -> Result<(&str, &str, &str), String> {
    let inside = batch.strip_prefix("rows($").ok_or("a batch of rows is missing")?;
    let (parameter, rest) = inside.split_once(':').ok_or("rows($N: …) needs its columns")?;
    let end = end_of_list(rest).ok_or("rows($N: …) is not closed")?;
    Ok((parameter.trim(), &rest[..end], &rest[end + 1..]))
}

/// Where the closing parenthesis stands: expressions may hold some of their own, and quotes.
fn end_of_list(text: &str) -> Option<usize> {
    let (mut depth, mut quoted) = (0_usize, false);
    text.char_indices().find_map(|(at, character)| {
        match character {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth == 0 => return Some(at),
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        None
    })
}

fn entries(list: &str) -> Result<Vec<Entry<'_>>, String> {
    let mut entries = Vec::new();
    let (mut depth, mut quoted, mut from) = (0_usize, false, 0);
    for (at, character) in list.char_indices().chain([(list.len(), ',')]) {
        match character {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                entries.push(entry(list[from..at].trim())?);
                from = at + 1;
            }
            _ => {}
        }
    }
    Ok(entries)
}

fn entry(text: &str) -> Result<Entry<'_>, String> {
    if let Some((name, expression)) = text.split_once('=') {
        return Ok(Entry::Fixed { name: name.trim(), expression: expression.trim() });
    }
    match text.split_whitespace().next() {
        Some(name) => Ok(Entry::Bound { name, declared: text }),
        None => Err("rows($N: …) needs its columns".to_owned()),
    }
}

fn insert(table: &str, parameter: &str, list: &str, after: &str) -> Result<String, String> {
    let entries = entries(list)?;
    let names: Vec<&str> = entries.iter().map(Entry::name).collect();
    let values: Vec<&str> = entries.iter().map(Entry::value).collect();
    let batch = batch(parameter, &entries);
    let (names, values) = (names.join(", "), values.join(", "));
    Ok(format!("INSERT INTO {table} ({names}) SELECT {values} FROM {batch}{after}"))
}

fn update(table: &str, parameter: &str, list: &str, after: &str) -> Result<String, String> {
    let (key, set) = list.split_once('|').ok_or("an update names its key first: rows($N: key | columns)")?;
    let (set, compared) = set.split_once('|').map_or((set, None), |(set, compared)| (set, Some(compared)));
    let (key, set) = (entries(key)?, entries(set)?);
    let compared = compared.map(entries).transpose()?.unwrap_or_default();
    let assigned = set.iter().map(|entry| match entry {
        Entry::Bound { name, .. } => format!("{name} = r.{name}"),
        Entry::Fixed { name, expression } => format!("{name} = {expression}"),
    });
    let assigned = assigned.collect::<Vec<_>>().join(", ");
    let matched = key.iter().map(|entry| format!("{table}.{0} = r.{0}", entry.name()));
    let matched = matched.collect::<Vec<_>>().join(" AND ");
    let all: Vec<Entry<'_>> = key.into_iter().chain(set).chain(compared).collect();
    let batch = batch(parameter, &all);
    Ok(format!("UPDATE {table} SET {assigned} FROM {batch} AS r WHERE {matched}{after}"))
}

fn batch(parameter: &str, entries: &[Entry<'_>]) -> String {
    let declared = entries.iter().filter_map(|entry| match entry {
        Entry::Bound { declared, .. } => Some(*declared),
        Entry::Fixed { .. } => None,
    });
    format!("rows(${parameter}: {})", declared.collect::<Vec<_>>().join(", "))
}

impl Entry<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Bound { name, .. } | Self::Fixed { name, .. } => name,
        }
    }

    fn value(&self) -> &str {
        match self {
            Self::Bound { name, .. } => name,
            Self::Fixed { expression, .. } => expression,
        }
    }
}

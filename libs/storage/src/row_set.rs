//! `rows($N: a text, b bigint, c bytea)`: a batch of rows as a table, in each engine's own words.
//!
//! PostgreSQL takes one array per column. SQLite has no arrays; it takes a JSON text, which is right for any size but
//! costs more than all the rest of a statement. So up to 256 rows, which is what a group commit has, are bound one value
//! after the other to a `VALUES` list. To prepare few texts, the list has 1, 2, 4, … rows and a LIMIT.

use crate::columns::Purpose;
use crate::statement::keyword;

/// The sizes of SQLite's lists: 1, 2, 4, … 256 rows.
pub(crate) const SMALL_SIZES: usize = 9;
const SMALL_MAX: usize = 1 << (SMALL_SIZES - 1);

/// Which parameter the batch is (from 1), and what its columns hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowSet {
    pub parameter: usize,
    pub columns: Vec<Column>,
    /// The author gives the table a name with `AS`; PostgreSQL insists on one.
    pub named: bool,
    pub purpose: Purpose,
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

/// The list that takes this many rows; None if they are too many for one.
pub(crate) fn small_size(rows: usize) -> Option<usize> {
    (rows <= SMALL_MAX).then(|| rows.max(1).next_power_of_two())
}

impl RowSet {
    /// Reads what follows `rows($`, and gives back what follows it.
    pub fn parse(text: &str) -> Result<(Self, &str), String> {
        let (inside, after) = text.split_once(')').ok_or("rows($N: …) is not closed")?;
        let (number, list) = inside.split_once(':').ok_or("rows($N: …) needs its columns")?;
        let parameter = number.trim().parse().map_err(|_| format!("rows(${number}: …) needs a number"))?;
        let columns = list.split(',').map(Column::parse).collect::<Result<_, _>>()?;
        let named =
            keyword(after.trim_start(), "AS").is_some_and(|rest| rest.starts_with(char::is_whitespace));
        Ok((Self { parameter, columns, named, purpose: Purpose::Reads }, after))
    }

    pub fn postgres(&self) -> String {
        let array = |(index, column): (usize, &Column)| {
            let array = match column.holds {
                Holds::Text => "text[]",
                Holds::Bigint => "bigint[]",
                Holds::Bytea => "bytea[]",
            };
            format!("${}::{array}", self.parameter + index)
        };
        let arrays: Vec<String> = self.columns.iter().enumerate().map(array).collect();
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        format!("(SELECT * FROM UNNEST({}) AS r({})){}", arrays.join(", "), names.join(", "), self.alias())
    }

    pub fn sqlite_json(&self) -> String {
        let extract = |(index, Column { name, holds }): (usize, &Column)| match holds {
            Holds::Text | Holds::Bigint => format!("json_extract(value, '$[{index}]') AS {name}"),
            Holds::Bytea => format!("unhex(json_extract(value, '$[{index}]')) AS {name}"),
        };
        let columns: Vec<String> = self.columns.iter().enumerate().map(extract).collect();
        format!("(SELECT {} FROM json_each(${})){}", columns.join(", "), self.parameter, self.alias())
    }

    /// Takes the values of `size` rows, of which those after the last real one are NULL, and the number of real ones.
    pub fn sqlite_values(&self, size: usize) -> String {
        let name = |(index, column): (usize, &Column)| format!("column{} AS {}", index + 1, column.name);
        let columns: Vec<String> = self.columns.iter().enumerate().map(name).collect();
        let row = format!("({})", vec!["?"; self.columns.len()].join(", "));
        let rows = vec![row; size].join(", ");
        // `0 + ?` and not `?`: SQLite looks into a bare parameter of LIMIT while it plans, and then prepares the
        // statement anew each time that another value is bound.
        format!("(SELECT {} FROM (VALUES {rows}) LIMIT 0 + ?){}", columns.join(", "), self.alias())
    }

    fn alias(&self) -> &'static str {
        if self.named { "" } else { " AS batch" }
    }
}

impl Column {
    fn parse(entry: &str) -> Result<Self, String> {
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
        Ok(Self { name: name.to_owned(), holds })
    }
}

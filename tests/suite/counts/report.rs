//! The counts of one cancellation, one partial one and one placing, as JSON and as a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::meter::{Reading, Rows};

pub struct Report {
    pub cancel: Costs,
    pub partial: Costs,
    pub place: Costs,
}

/// Each is of one order, on average.
#[derive(Debug, Default)]
pub struct Costs {
    pub row_inserts: f64,
    pub row_updates: f64,
    pub hot_updates: f64,
    pub row_deletes: f64,
    pub rows_read: f64,
    pub statements: f64,
    /// Statements, and the beginning and end of each transaction.
    pub round_trips: f64,
    pub wal_bytes: f64,
    pub commits: f64,
    pub sequential_commits: Option<f64>,
    pub grpc_messages: f64,
    pub events: f64,
    tables: BTreeMap<(&'static str, String), Rows>,
    by_statement: BTreeMap<String, f64>,
}

impl Costs {
    pub fn of(reading: &Reading, orders: usize) -> Self {
        let each = |total: f64| total / f64::from(u32::try_from(orders).expect("a hundred orders"));
        let tables: BTreeMap<(&'static str, String), Rows> =
            reading.tables.iter().map(|(table, rows)| (table.clone(), rows.map(each))).collect();
        let sum = |of: fn(&Rows) -> f64| tables.values().map(of).sum::<f64>();
        let events = tables.iter().filter(|((_, table), _)| table == "outbox").map(|(_, rows)| rows.inserted);
        let by_statement: BTreeMap<String, f64> =
            reading.statements.iter().map(|(name, count)| (name.clone(), each(*count))).collect();
        let statements = by_statement.values().sum::<f64>();
        Self {
            row_inserts: sum(|rows| rows.inserted),
            row_updates: sum(|rows| rows.updated),
            hot_updates: sum(|rows| rows.hot),
            row_deletes: sum(|rows| rows.deleted),
            rows_read: sum(|rows| rows.read),
            statements,
            round_trips: statements + 2.0 * each(reading.commits + reading.rollbacks),
            wal_bytes: each(reading.wal_bytes),
            commits: each(reading.commits),
            sequential_commits: None,
            grpc_messages: each(reading.messages),
            events: events.sum(),
            tables,
            by_statement,
        }
    }

    pub fn row_writes(&self) -> f64 {
        self.row_inserts + self.row_updates + self.row_deletes
    }

    fn figures(&self) -> Vec<(&'static str, Option<f64>)> {
        vec![
            ("row_writes", Some(self.row_writes())),
            ("row_inserts", Some(self.row_inserts)),
            ("row_updates", Some(self.row_updates)),
            ("hot_updates", Some(self.hot_updates)),
            ("row_deletes", Some(self.row_deletes)),
            ("rows_read", Some(self.rows_read)),
            ("statements", Some(self.statements)),
            ("round_trips", Some(self.round_trips)),
            ("wal_bytes", Some(self.wal_bytes)),
            ("commits", Some(self.commits)),
            ("sequential_commits", self.sequential_commits),
            ("grpc_messages", Some(self.grpc_messages)),
            ("events", Some(self.events)),
        ]
    }

    fn json(&self) -> Value {
        let mut written = serde_json::Map::new();
        for (name, figure) in self.figures() {
            written.insert(name.to_owned(), figure.map_or(Value::Null, |figure| json!(rounded(figure))));
        }
        let tables = self.tables.iter().filter(|(_, rows)| rows.writes() >= HARDLY).map(|((service, table), rows)| {
            let counts = json!({
                "inserts": rounded(rows.inserted), "updates": rounded(rows.updated), "hot_updates": rounded(rows.hot)
            });
            (format!("{service}.{table}"), counts)
        });
        written.insert("tables".to_owned(), Value::Object(tables.collect()));
        let statements = self.by_statement.iter().filter(|(_, count)| **count >= HARDLY);
        let statements = statements.map(|(name, count)| (name.clone(), json!(rounded(*count))));
        written.insert("by_statement".to_owned(), Value::Object(statements.collect()));
        Value::Object(written)
    }
}

/// Less than this of a row for an order is a clock's.
const HARDLY: f64 = 0.05;

impl Rows {
    fn map(self, each: impl Fn(f64) -> f64) -> Self {
        Self {
            inserted: each(self.inserted),
            updated: each(self.updated),
            hot: each(self.hot),
            deleted: each(self.deleted),
            read: each(self.read),
        }
    }

    fn writes(&self) -> f64 {
        self.inserted + self.updated + self.deleted
    }
}

impl Report {
    pub fn json(&self) -> String {
        let written = json!({
            "cancel": self.cancel.json(), "partial": self.partial.json(), "place": self.place.json()
        });
        format!("{written:#}\n")
    }

    pub fn table(&self) -> String {
        let mut text = format!("{:<24}{:>10}{:>10}{:>10}\n", "", "cancel", "partial", "place");
        let columns = [self.cancel.figures(), self.partial.figures(), self.place.figures()];
        for (at, (name, _)) in columns[0].iter().enumerate() {
            let cell = |column: &Vec<(&str, Option<f64>)>| {
                column[at].1.map_or_else(|| "-".to_owned(), |figure| rounded(figure).to_string())
            };
            let cells = columns.each_ref().map(cell);
            let _always = writeln!(text, "{name:<24}{:>10}{:>10}{:>10}", cells[0], cells[1], cells[2]);
        }
        let _always = writeln!(
            text,
            "\n{:<14}{:<24}{:>10}{:>10}{:>10}   (inserts + updates)",
            "service", "table", "cancel", "partial", "place"
        );
        for (table, rows) in &self.place.tables {
            let of = |costs: &Costs| costs.tables.get(table).copied().unwrap_or_default();
            let (cancel, partial) = (of(&self.cancel), of(&self.partial));
            if [&cancel, &partial, rows].iter().all(|rows| rows.writes() < HARDLY) {
                continue;
            }
            let cell = |rows: &Rows| format!("{} + {}", rounded(rows.inserted), rounded(rows.updated));
            let _always = writeln!(
                text,
                "{:<14}{:<24}{:>10}{:>10}{:>10}",
                table.0,
                table.1,
                cell(&cancel),
                cell(&partial),
                cell(rows)
            );
        }
        text
    }
}

/// One decimal: an average of fifty has no more to say.
fn rounded(figure: f64) -> f64 {
    (figure * 10.0).round() / 10.0 + 0.0
}

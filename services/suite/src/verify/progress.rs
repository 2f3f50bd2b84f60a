//! How far a reading has come, for a person at a terminal.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

/// Rows between two looks at the terminal.
const ROWS_BETWEEN: u64 = 5_000;

pub struct Progress {
    bar: ProgressBar,
    rows: AtomicU64,
}

impl Progress {
    /// Shown only where somebody looks.
    pub fn at_terminal(quiet: bool) -> Self {
        let seen = !quiet && std::io::stderr().is_terminal();
        let bar = if seen { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{spinner} {msg}  {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Self { bar, rows: AtomicU64::new(0) }
    }

    /// One more row of a book was read.
    pub fn row(&self, book: &str) {
        let rows = self.rows.fetch_add(1, Ordering::Relaxed) + 1;
        if rows.is_multiple_of(ROWS_BETWEEN) {
            self.bar.set_message(format!("{rows} rows read, in {book}"));
            self.bar.tick();
        }
    }

    /// A part of the books is looked at.
    pub fn part(&self, part: usize, of: usize) {
        self.bar.set_message(format!(
            "{} rows read, checking part {} of {of}",
            self.rows.load(Ordering::Relaxed),
            part + 1
        ));
        self.bar.tick();
    }

    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

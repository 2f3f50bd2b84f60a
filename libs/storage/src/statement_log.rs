//! Which statements ran on which engine. A tidy test compares this log with the list of all statements, so that none
//! is left untried on one of the engines.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::database::Engine;

static EACH: OnceLock<bool> = OnceLock::new();
static LOG: OnceLock<Option<Mutex<File>>> = OnceLock::new();

/// Whether every execution is noted, and not only the first of a statement: `COUNTERMAND_STATEMENT_LOG_EACH` is set.
pub(crate) fn notes_each() -> bool {
    *EACH.get_or_init(|| std::env::var_os("COUNTERMAND_STATEMENT_LOG_EACH").is_some())
}

/// Appends `engine name` to the file named by `COUNTERMAND_STATEMENT_LOG`; does nothing without it.
pub(crate) fn note(engine: Engine, name: &str) {
    let Some(file) = LOG.get_or_init(open) else { return };
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    // One write call, so that lines of several test processes never mix.
    if let Err(problem) = file.write_all(format!("{} {name}\n", engine.as_str()).as_bytes()) {
        tracing::warn!(%problem, "could not write the statement log");
    }
}

fn open() -> Option<Mutex<File>> {
    let path = std::env::var_os("COUNTERMAND_STATEMENT_LOG")?;
    match OpenOptions::new().create(true).append(true).open(&path) {
        Ok(file) => Some(Mutex::new(file)),
        Err(problem) => {
            tracing::warn!(%problem, "could not open the statement log");
            None
        }
    }
}

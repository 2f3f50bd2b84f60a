//! What can go wrong at a database, by what the caller can do about it.

use sqlx::error::ErrorKind;

/// Every error names the statement it came from. The text is for the operator and never crosses the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    #[error("{statement}: a row with this key exists: {detail}")]
    Unique { statement: &'static str, detail: String },
    #[error("{statement}: a row that this one refers to is missing: {detail}")]
    ForeignKey { statement: &'static str, detail: String },
    /// A CHECK, a NOT NULL or a trigger refused the row.
    #[error("{statement}: the schema refuses the row: {detail}")]
    Check { statement: &'static str, detail: String },
    /// Lost a race for a lock or a snapshot; nothing was written and the same transaction may be run again.
    #[error("{statement}: lost a race: {detail}")]
    Retryable { statement: &'static str, detail: String },
    /// The connection was lost during COMMIT: it may have happened or not. Only a repeat with the same key can tell.
    #[error("{statement}: the outcome of the commit is unknown: {detail}")]
    OutcomeUnknown { statement: &'static str, detail: String },
    /// A text holds NUL, which PostgreSQL cannot store. It is refused on both engines alike, before it reaches either.
    #[error("{statement}: a text holds NUL")]
    Nul { statement: &'static str },
    #[error("{statement}: touched {actual} rows instead of {expected}")]
    RowCount { statement: &'static str, expected: u64, actual: u64 },
    #[error("{statement}: the disk is full: {detail}")]
    StorageFull { statement: &'static str, detail: String },
    /// The database can't be reached or is not ready; nothing was committed.
    #[error("{statement}: the database is not available: {detail}")]
    Unavailable { statement: &'static str, detail: String },
    /// The schema was written by a newer version, or by other migrations than this program carries.
    #[error("{statement}: {detail}")]
    SchemaTooNew { statement: &'static str, detail: String },
    /// The database is set up so that it may lose what it has committed.
    #[error("{statement}: {detail}")]
    UnsafeSettings { statement: &'static str, detail: String },
    /// The program and the statement or the stored row don't fit each other.
    #[error("{statement}: {detail}")]
    Malformed { statement: &'static str, detail: String },
    #[error("{statement}: {detail}")]
    Other { statement: &'static str, detail: String },
}

impl DbError {
    /// The same transaction may be run again at once: nothing of it was written.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Retryable { .. })
    }

    /// The database itself is unwell: no other transaction would fare better right now.
    pub fn is_of_the_database(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::StorageFull { .. } | Self::OutcomeUnknown { .. } => true,
            Self::Unique { .. }
            | Self::ForeignKey { .. }
            | Self::Check { .. }
            | Self::Retryable { .. }
            | Self::Nul { .. }
            | Self::RowCount { .. }
            | Self::SchemaTooNew { .. }
            | Self::UnsafeSettings { .. }
            | Self::Malformed { .. }
            | Self::Other { .. } => false,
        }
    }

    /// A stored value that the program can't read, found while building a row's value.
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over errors of many types")]
    pub fn malformed(statement: &'static str, detail: impl ToString) -> Self {
        Self::Malformed { statement, detail: detail.to_string() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "callers hand over errors of many types")]
    pub(crate) fn unavailable(statement: &'static str, detail: impl ToString) -> Self {
        Self::Unavailable { statement, detail: detail.to_string() }
    }

    /// An error of any statement but COMMIT.
    #[expect(clippy::needless_pass_by_value, reason = "used as `.map_err(|e| DbError::from_sqlx(name, e))`")]
    pub(crate) fn from_sqlx(statement: &'static str, error: sqlx::Error) -> Self {
        let detail = error.to_string();
        match &error {
            sqlx::Error::Database(problem) => match problem.kind() {
                ErrorKind::UniqueViolation => Self::Unique { statement, detail },
                ErrorKind::ForeignKeyViolation => Self::ForeignKey { statement, detail },
                ErrorKind::CheckViolation | ErrorKind::NotNullViolation => Self::Check { statement, detail },
                _ => by_code(&problem.code().unwrap_or_default())(statement, detail),
            },
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable { statement, detail },
            sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::Encode(_) => Self::Malformed { statement, detail },
            _ => Self::Other { statement, detail },
        }
    }

    /// An error of COMMIT. A refusal by the server is definite; a lost connection is not.
    pub(crate) fn from_commit(error: sqlx::Error) -> Self {
        let statement = "commit";
        let definite = match &error {
            // SQLite's I/O errors (10 and its extensions) may strike after the commit frame was written.
            sqlx::Error::Database(problem) => {
                let code = problem.code().unwrap_or_default();
                let primary = code.parse::<u32>().ok().filter(|_| code.len() != 5).map(|code| code & 0xff);
                primary != Some(10) && !code.starts_with("08") && !code.starts_with("57P")
            }
            _ => false,
        };
        if definite {
            Self::from_sqlx(statement, error)
        } else {
            Self::OutcomeUnknown { statement, detail: error.to_string() }
        }
    }
}

/// PostgreSQL's codes have five characters; SQLite's are decimal numbers whose low byte is the primary code.
fn by_code(code: &str) -> fn(&'static str, String) -> DbError {
    if code.len() == 5 {
        return by_sqlstate(code);
    }
    match code.parse::<u32>().unwrap_or_default() {
        // SQLITE_CONSTRAINT_TRIGGER: an append-only trigger refused.
        1811 => |statement, detail| DbError::Check { statement, detail },
        code => match code & 0xff {
            // SQLITE_BUSY, SQLITE_LOCKED
            5 | 6 => |statement, detail| DbError::Retryable { statement, detail },
            // SQLITE_FULL
            13 => |statement, detail| DbError::StorageFull { statement, detail },
            // SQLITE_READONLY, SQLITE_IOERR, SQLITE_CANTOPEN
            8 | 10 | 14 => |statement, detail| DbError::Unavailable { statement, detail },
            _ => |statement, detail| DbError::Other { statement, detail },
        },
    }
}

fn by_sqlstate(code: &str) -> fn(&'static str, String) -> DbError {
    match code {
        // serialization failure, deadlock, lock timeout
        "40001" | "40P01" | "55P03" => |statement, detail| DbError::Retryable { statement, detail },
        // raise_exception: an append-only trigger refused
        "P0001" => |statement, detail| DbError::Check { statement, detail },
        "53100" => |statement, detail| DbError::StorageFull { statement, detail },
        // 57P: shutting down or starting; 25006: it has become a standby
        "25006" => |statement, detail| DbError::Unavailable { statement, detail },
        _ if code.starts_with("08") || code.starts_with("53") || code.starts_with("57P") => {
            |statement, detail| DbError::Unavailable { statement, detail }
        }
        _ => |statement, detail| DbError::Other { statement, detail },
    }
}

#[cfg(test)]
mod tests;

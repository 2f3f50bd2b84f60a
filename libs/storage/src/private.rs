//! Files that only this process's user may read: a database holds customers' names, secrets of webhooks and what cards
//! were charged.
//!
//! SQLite gives its log and its index of the log the rights of the database, so these are set before SQLite opens it.

use std::fs::{self, DirBuilder, File};
use std::path::{Path, PathBuf};

use crate::error::DbError;

/// What SQLite keeps beside a database.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Makes the directory of a database, and those above it that are not there, for this user alone. What is there
/// already belongs to whoever made it.
pub(crate) fn directory_of(database: &Path) -> Result<(), DbError> {
    database.parent().filter(|directory| !directory.as_os_str().is_empty()).map_or(Ok(()), directory)
}

pub(crate) fn directory(path: &Path) -> Result<(), DbError> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path).map_err(|problem| failed(path, &problem))
}

/// Makes the file of a database, or takes away from others what an older version of us gave them.
pub(crate) fn database(path: &Path) -> Result<(), DbError> {
    file(path)?;
    for ending in COMPANIONS {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        let companion = PathBuf::from(name);
        if companion.exists() {
            keep_to_ourselves(&companion);
        }
    }
    Ok(())
}

/// Opens a file for this user alone, and makes it if it is not there. Its content stays.
pub(crate) fn file(path: &Path) -> Result<File, DbError> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|problem| failed(path, &problem))?;
    keep_to_ourselves(path);
    Ok(file)
}

/// A volume may know no rights, or be another user's: that is said, and no reason not to serve.
fn keep_to_ourselves(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let is_open = |metadata: &fs::Metadata| metadata.permissions().mode() & 0o077 != 0;
        let kept = fs::metadata(path).and_then(|metadata| {
            if is_open(&metadata) {
                fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
            }
            Ok(())
        });
        if let Err(problem) = kept {
            tracing::warn!(path = %path.display(), %problem, "others may read this file");
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

fn failed(path: &Path, problem: &std::io::Error) -> DbError {
    DbError::unavailable("open", format!("{}: {problem}", path.display()))
}

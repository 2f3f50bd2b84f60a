//! Files that hold a key or a password. They are read as they are mounted: an orchestrator gives a volume of secrets the
//! rights 0644 unless it is told otherwise, so a file that others may read is said at start and is no reason not to start.

use std::io;
use std::path::Path;

/// Reads a key or a password, and warns if others on this machine may read it, too.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    if is_open_to_others(path)? {
        tracing::warn!(path = %path.display(), "others on this machine may read this secret; chmod 640 or 600 it");
    }
    std::fs::read(path)
}

/// As [`read`], for text.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|problem| io::Error::new(io::ErrorKind::InvalidData, problem))
}

/// A group is somebody's decision: it is how a volume is given to a process that is not its owner.
pub fn is_open_to_others(path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        Ok(std::fs::metadata(path)?.permissions().mode() & 0o007 != 0)
    }
    #[cfg(not(unix))]
    {
        std::fs::metadata(path).map(|_| false)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_that_others_may_read_is_noticed_and_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        std::fs::write(&path, "s3cret").unwrap();
        for (mode, open) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();

            assert_eq!(is_open_to_others(&path).unwrap(), open, "{mode:o}");
            assert_eq!(read_text(&path).unwrap(), "s3cret");
        }
    }
}

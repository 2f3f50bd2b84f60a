//! Mail as files, for development and for partners that are served by a mail drop. A file is named by its Message-ID:
//! a repeat overwrites it, so that each mail stands there once.

use std::io;
use std::path::PathBuf;

use tokio::fs::{self, DirBuilder, OpenOptions};
use tokio::io::AsyncWriteExt as _;

use super::compose::Composed;
use crate::domain::Outcome;

pub struct Sink {
    directory: PathBuf,
}

impl Sink {
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub async fn write(&self, mail: &Composed) -> Outcome {
        match self.put(mail).await {
            Ok(name) => Outcome::Taken { provider_id: Some(name) },
            // A file that is not in place yet is nothing; one that is will be overwritten by the same.
            Err(problem) => {
                Outcome::Later { why: format!("writing the mail's file: {problem}"), pause: None }
            }
        }
    }

    async fn put(&self, mail: &Composed) -> io::Result<String> {
        // A mail is somebody's: its file and its directory are for this user alone.
        let mut directory = DirBuilder::new();
        #[cfg(unix)]
        directory.mode(0o700);
        directory.recursive(true).create(&self.directory).await?;
        let stem: String = mail.message_id.chars().filter(char::is_ascii_hexdigit).take(40).collect();
        let (name, unfinished) = (format!("{stem}.eml"), format!("{stem}.unfinished"));
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        options.mode(0o600);
        let mut file =
            options.create(true).write(true).truncate(true).open(self.directory.join(&unfinished)).await?;
        file.write_all(&mail.bytes).await?;
        file.flush().await?;
        fs::rename(self.directory.join(unfinished), self.directory.join(&name)).await?;
        Ok(name)
    }
}

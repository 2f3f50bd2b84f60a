//! One service process: started from the built binary, watched, ended by its pid.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// Where cargo put the binaries of the workspace: beside the test binary's own directory.
pub fn binary(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe().context("finding the test binary")?;
    let profile =
        test.parent().and_then(Path::parent).context("target/<profile>/deps holds the test binary")?;
    let path = profile.join(name);
    ensure!(path.is_file(), "{} is not built; run `cargo build --workspace` first", path.display());
    Ok(path)
}

/// A running process. Dropping it ends it.
pub struct Process {
    name: &'static str,
    child: Child,
}

impl Process {
    /// Starts `name` with these variables; everything it prints goes to `log`.
    pub fn start(name: &'static str, environment: &[(String, String)], log: &Path) -> Result<Self> {
        Self::start_with(name, &[], environment, log)
    }

    /// The same with arguments.
    pub fn start_with(
        name: &'static str,
        arguments: &[&str],
        environment: &[(String, String)],
        log: &Path,
    ) -> Result<Self> {
        let log = File::options().create(true).append(true).open(log).context("opening the log file")?;
        let child = Command::new(binary(name)?)
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("sharing the log file")?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        Ok(Self { name, child })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: nothing is flushed, nothing is said.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().with_context(|| format!("killing {}", self.name))?;
        self.child.wait().with_context(|| format!("waiting for {}", self.name))?;
        Ok(())
    }

    /// SIGTERM, and the process must end by itself with success.
    pub fn terminate(&mut self) -> Result<()> {
        let signalled = Command::new("kill").args(["-TERM", &self.id().to_string()]).status()?;
        ensure!(signalled.success(), "{} could not be signalled", self.name);
        let status = self.child.wait().with_context(|| format!("waiting for {}", self.name))?;
        ensure!(status.success(), "{} ended with {status}", self.name);
        Ok(())
    }

    /// Fails when the process has ended, which a service does only when told to.
    pub fn assert_running(&mut self) -> Result<()> {
        match self.child.try_wait().context("looking at the process")? {
            None => Ok(()),
            Some(status) => bail!("{} ended by itself with {status}", self.name),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("{error:#}");
        }
    }
}

//! The terminals of a page: one bash that commands are typed into, and one more for each command that stays.

use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::place::Place;

/// How long a command may take, and a terminal to end.
const COMMAND_MAX: Duration = Duration::from_mins(3);
const END_MAX: Duration = Duration::from_mins(1);

/// Stands behind what a command printed. Nothing a person reads holds it.
const DONE: &str = "\u{1}done\u{1}";

pub struct Terminal {
    bash: Group,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    /// Holds the text of the command in hand.
    typed: PathBuf,
}

impl Terminal {
    pub fn open(place: &Place) -> Result<Self> {
        let mut command = place.shell();
        let typed = place.scratch("typed");
        let mut bash = Group::start(command.stdin(Stdio::piped()))?;
        let mut keyboard = bash.child.stdin.take().context("the shell has an input")?;
        keyboard.write_all(b"exec 2>&1\n")?;
        let mut output = bash.child.stdout.take().context("the shell has an output")?;
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 8_192];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { bash, keyboard, screen, typed })
    }

    /// What the command printed, errors included.
    pub fn run(&mut self, command: &str) -> Result<String> {
        std::fs::write(&self.typed, format!("{command}\n")).context("writing the command")?;
        let typed = self.typed.display();
        // The next command finds this one's exit code in `$?`, as at a terminal.
        let line = format!(". {typed} </dev/null; ended=$?; printf '\\n{DONE}\\n'; (exit $ended)");
        writeln!(self.keyboard, "{line}").context("typing the command")?;
        let started = Instant::now();
        let mut screen = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&screen);
            if let Some(end) = text.find(&format!("\n{DONE}\n")) {
                return Ok(text[..end].to_owned());
            }
            match self.screen.recv_timeout(COMMAND_MAX.saturating_sub(started.elapsed())) {
                Ok(more) => screen.extend(more),
                Err(RecvTimeoutError::Timeout) => bail!("it does not end; so far it printed\n{text}"),
                Err(RecvTimeoutError::Disconnected) => bail!("the shell ended; it printed\n{text}"),
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.bash.end("-TERM");
    }
}

/// A command that stays, in a terminal of its own.
pub struct Running {
    group: Group,
    screen: Arc<Mutex<Vec<u8>>>,
}

impl Running {
    pub fn start(place: &Place, command: &str) -> Result<Self> {
        let mut shell = place.shell();
        shell.args(["-c", &format!("exec 2>&1\n{command}")]).stdin(Stdio::null());
        let mut group = Group::start(&mut shell)?;
        let mut output = group.child.stdout.take().context("the shell has an output")?;
        let screen = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut buffer = [0; 8_192];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                shared.lock().expect("no reader panics").extend_from_slice(&buffer[..length]);
            }
        });
        Ok(Self { group, screen })
    }

    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().expect("no reader panics")).into_owned()
    }

    /// Ctrl-C, and it must end.
    pub fn interrupt(mut self) -> Result<()> {
        self.group.signal("-INT")?;
        let started = Instant::now();
        while self.group.child.try_wait().context("looking at the process")?.is_none() {
            ensure!(started.elapsed() < END_MAX, "it does not end; it printed\n{}", self.printed());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.group.has_ended = true;
        Ok(())
    }
}

/// A process and those it started, which are ended together.
struct Group {
    child: Child,
    has_ended: bool,
}

impl Group {
    fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdout(Stdio::piped()).process_group(0).spawn().context("starting bash")?;
        Ok(Self { child, has_ended: false })
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let group = format!("-{}", self.child.id());
        let sent = Command::new("kill").args([signal, "--", &group]).stderr(Stdio::null()).status()?;
        ensure!(sent.success(), "there is nothing to send {signal} to");
        Ok(())
    }

    /// Tells all of it to end, then makes the rest end.
    fn end(&mut self, signal: &str) {
        if std::mem::replace(&mut self.has_ended, true) || self.signal(signal).is_err() {
            return;
        }
        let started = Instant::now();
        // Without a reader bash may be gone while a job of it still drains.
        while self.signal("-0").is_ok() && started.elapsed() < END_MAX {
            if self.child.try_wait().is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if self.signal("-KILL").is_ok() {
            eprintln!("a job of the page did not end by itself");
        }
        if let Err(error) = self.child.wait() {
            eprintln!("waiting for bash: {error}");
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end("-KILL");
    }
}

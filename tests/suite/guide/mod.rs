//! The guide, executed: every `console` block of `docs/guide.md` and `docs/guide/*.md` is run line by line, and what is
//! printed is compared with what the page shows. Each page is a trial (`guide::cancel`) in an empty directory of its own.
//!
//! ```text
//! page (blocks, commands) ──▶ terminal (one bash a page) ──▶ compare (tokens, `…`) ──▶ a diff, or the page renewed
//! ```
//!
//! What a page may say:
//!
//! * `$ command` is typed; lines `> …` right below continue it; all up to the next `$ ` is what it prints, errors included.
//!   Variables, functions and background jobs live on to the end of the page.
//! * A block that begins with three backticks and `console running` is a terminal of its own: its one command keeps
//!   running, and the page goes on once it has printed what is shown. A command `$ ^C` ends the youngest of them.
//! * `…` alone in a line stands for any lines, `…` within a line for any text.
//! * Ids, numbers of changes, instants, durations, secrets and long opaque texts may differ (`tokens.rs`). An id in a command
//!   means what was printed where the page shows that id; `chg_…` in a command is the `chg_` id that was printed last.
//! * Commands that only look ([`LOOKING`], or `--preview`) are repeated for a while until they print what is shown: events
//!   arrive a little later, and a person would look again, too.
//! * Ports are moved to free ones: 7001 to 7004, 7101 to 7104, and those of `<!-- ports: 8420 -->`. They are written as in
//!   the page, in commands, files and outputs.
//! * `<!-- needs: python localstripe -->` puts the programs on the PATH that `COUNTERMAND_TEST_PYTHON` and
//!   `COUNTERMAND_TEST_LOCALSTRIPE` name. `tests/`, `proto/` and `docs/` of the repository stand in the directory.
//! * `<!-- rows: I1 I8 -->` names rows of `docs/features.md` that a person does on this page.
//!
//! `COUNTERMAND_WRITE_GUIDE=1` writes what was printed into the pages instead of comparing. Where the page still holds,
//! nothing is touched, so that ids and times do not change with every run.

mod compare;
mod page;
mod place;
mod terminal;
mod tokens;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use libtest_mimic::{Failed, Trial};

use self::page::{Block, Command, Page};
use self::place::Place;
use self::terminal::{Running, Terminal};
use self::tokens::Bindings;

/// Set to write the outputs instead of comparing them.
const WRITE: &str = "COUNTERMAND_WRITE_GUIDE";

/// How a command begins that changes nothing.
const LOOKING: [&str; 22] = [
    "countermand attention",
    "countermand batch show",
    "countermand events",
    "countermand export",
    "countermand folder list",
    "countermand label list",
    "countermand money",
    "countermand notifications deliveries",
    "countermand order can",
    "countermand order list",
    "countermand order show",
    "countermand parcel list",
    "countermand partner tasks",
    "countermand rule runs",
    "countermand stats",
    "countermand stock show",
    "countermand timeline",
    "countermand verify",
    "countermand webhooks deliveries",
    "cat",
    "grep",
    "ls",
];

/// How long a command that looks is repeated, and a running one is given to print what is shown.
const LOOK_MAX: Duration = Duration::from_secs(30);
/// The same while writing, where nobody knows yet what is to be seen.
const SETTLE: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What a person does at a terminal, and the guide therefore has to show.
const ROWS: [&str; 36] = [
    "I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "S3", "S4", "S5", "S6", "S7", "S8", "S9",
    "S10", "S11", "S12", "S13", "S14", "S15", "S16", "B12", "B13", "B14", "B15", "D1", "D2", "D3", "D4",
    "D5", "D6", "D7", "D12",
];

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::test("guide::a_difference_is_told", compare::a_difference_is_told),
        Trial::test("guide::an_amount_is_no_port", place::an_amount_is_no_port),
        Trial::test("guide::every_row_of_a_person_is_shown", every_row_is_shown),
    ];
    trials.extend(pages().into_iter().map(|path| {
        let stem = path.file_stem().expect("a listed page has a name").to_string_lossy().into_owned();
        Trial::test(format!("guide::{stem}"), move || {
            follow(&path).map_err(|error| Failed::from(format!("{error:#}")))
        })
    }));
    trials
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the repository")
}

/// The entry page and its chapters, by name.
fn pages() -> Vec<PathBuf> {
    let chapters = std::fs::read_dir(root().join("docs/guide")).into_iter().flatten().flatten();
    let mut pages: Vec<PathBuf> = chapters
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages.push(root().join("docs/guide.md"));
    pages
}

fn every_row_is_shown() -> Result<(), Failed> {
    let mut shown = BTreeSet::new();
    for path in pages() {
        shown.extend(Page::read(&path)?.rows);
    }
    let missing: Vec<&str> = ROWS.into_iter().filter(|row| !shown.contains(*row)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("no page shows {}", missing.join(", ")).into()) }
}

/// Runs one page from top to bottom.
fn follow(path: &Path) -> Result<()> {
    let page = Page::read(path)?;
    let place = Place::new(&page)?;
    let mut walk = Walk {
        terminal: Terminal::open(&place)?,
        running: Vec::new(),
        bindings: Bindings::default(),
        is_writing: std::env::var_os(WRITE).is_some(),
        page,
        place,
        renewed: Vec::new(),
    };
    let blocks = std::mem::take(&mut walk.page.blocks);
    let followed = blocks.iter().try_for_each(|block| walk.block(block));
    // What was printed up to a failure is written, too: it shows where the page went wrong.
    if walk.is_writing {
        walk.page.renew(&walk.renewed)?;
    }
    followed
}

/// A page on its way.
struct Walk {
    // Dropped in this order: the terminals end before their directory goes.
    running: Vec<Running>,
    terminal: Terminal,
    bindings: Bindings,
    is_writing: bool,
    page: Page,
    place: Place,
    /// Outputs to be written: which lines, and what they are now.
    renewed: Vec<(std::ops::Range<usize>, Vec<String>)>,
}

impl Walk {
    fn block(&mut self, block: &Block) -> Result<()> {
        for command in &block.commands {
            let told = if block.is_running {
                self.start(command)
            } else if command.text == "^C" {
                self.running.pop().context("nothing is running")?.interrupt()
            } else {
                self.run(command)
            };
            told.with_context(|| format!("{}:{}: $ {}", self.page.name, command.line + 1, command.text))?;
        }
        Ok(())
    }

    fn run(&mut self, command: &Command) -> Result<()> {
        let typed = self.typed(command)?;
        let shown = self.page.lines_of(&command.output);
        let first_line = command.text.lines().next().unwrap_or_default();
        let begins_with = |start: &&str| {
            first_line.strip_prefix(*start).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        let is_looking = LOOKING.iter().any(begins_with) || command.text.contains(" --preview");
        let patience = match (is_looking, self.is_writing) {
            (false, _) => Duration::ZERO,
            (true, true) => SETTLE,
            (true, false) => LOOK_MAX,
        };
        let started = Instant::now();
        loop {
            let printed = self.place.as_in_the_page(&self.terminal.run(&typed)?);
            if compare::pairs(&shown, &printed).is_some() || started.elapsed() >= patience {
                return self.judge(command, &shown, &printed);
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    fn start(&mut self, command: &Command) -> Result<()> {
        let running = Running::start(&self.place, &self.typed(command)?)?;
        let shown = self.page.lines_of(&command.output);
        let started = Instant::now();
        let mut last_news = (Instant::now(), Vec::new());
        let printed = loop {
            let printed = self.place.as_in_the_page(&running.printed());
            if printed != last_news.1 {
                last_news = (Instant::now(), printed.clone());
            }
            // Who writes an output down waits until there is one, and no more comes.
            let has_settled = self.is_writing && !printed.is_empty() && last_news.0.elapsed() >= SETTLE;
            let is_as_shown =
                compare::pairs(&shown, &printed).is_some() && !(self.is_writing && shown.is_empty());
            if is_as_shown || has_settled || started.elapsed() >= LOOK_MAX {
                break printed;
            }
            std::thread::sleep(LOOK_AGAIN);
        };
        self.running.push(running);
        self.judge(command, &shown, &printed)
    }

    /// The command with this run's ports and ids.
    fn typed(&self, command: &Command) -> Result<String> {
        Ok(self.place.as_it_is(&self.bindings.in_command(&command.text)?))
    }

    fn judge(&mut self, command: &Command, shown: &[String], printed: &[String]) -> Result<()> {
        let agreed = compare::pairs(shown, printed);
        let agreed = agreed
            .filter(|pairs| pairs.iter().all(|&(at, with)| self.bindings.allow(&shown[at], &printed[with])));
        if let Some(pairs) = agreed {
            for (at, with) in pairs {
                self.bindings.bind(&shown[at], &printed[with]);
            }
            return Ok(());
        }
        if !self.is_writing {
            let difference = compare::difference(shown, printed);
            bail!("this is not what the page shows, or shows another id than before\n{difference}");
        }
        self.bindings.bind_in_order(shown, printed);
        let renewed = printed.iter().map(|line| self.bindings.in_page(line)).collect();
        self.renewed.push((command.output.clone(), renewed));
        Ok(())
    }
}

impl Drop for Walk {
    /// A page that ends halfway leaves nothing running.
    fn drop(&mut self) {
        while let Some(running) = self.running.pop() {
            if let Err(error) = running.interrupt() {
                eprintln!("{}: {error:#}", self.page.name);
            }
        }
    }
}

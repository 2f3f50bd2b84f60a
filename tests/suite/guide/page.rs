//! A page of the guide: which commands stand in it, and which lines are their outputs.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// What is not run must not look like something to type.
const UNRUN: [&str; 4] = ["sh", "bash", "shell", "text"];

#[derive(Debug)]
pub struct Page {
    pub name: String,
    path: PathBuf,
    lines: Vec<String>,
    pub needs: Vec<String>,
    pub ports: Vec<u16>,
    pub rows: Vec<String>,
    pub blocks: Vec<Block>,
}

#[derive(Debug)]
pub struct Block {
    /// Its command stays, in a terminal of its own.
    pub is_running: bool,
    pub commands: Vec<Command>,
}

#[derive(Debug)]
pub struct Command {
    /// Index of its first line in the page.
    pub line: usize,
    pub text: String,
    /// The lines that show what it prints.
    pub output: Range<usize>,
}

impl Page {
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let blocks = blocks(&lines).with_context(|| format!("in {name}"))?;
        ensure!(!blocks.is_empty(), "{name} has no console block: it would be followed without a complaint");
        let ports = words(&lines, "<!-- ports:").iter().map(|port| port.parse()).collect::<Result<_, _>>();
        Ok(Self {
            name,
            path: path.to_owned(),
            needs: words(&lines, "<!-- needs:"),
            ports: ports.context("a port is a number")?,
            rows: words(&lines, "<!-- rows:"),
            blocks,
            lines,
        })
    }

    pub fn lines_of(&self, output: &Range<usize>) -> Vec<String> {
        self.lines[output.clone()].to_vec()
    }

    /// Writes other outputs in place of these.
    pub fn renew(&self, outputs: &[(Range<usize>, Vec<String>)]) -> Result<()> {
        if outputs.is_empty() {
            return Ok(());
        }
        let mut lines = self.lines.clone();
        for (range, output) in outputs.iter().rev() {
            lines.splice(range.clone(), output.iter().cloned());
        }
        std::fs::write(&self.path, lines.join("\n") + "\n")
            .with_context(|| format!("writing {}", self.path.display()))
    }
}

/// The words of all comments that begin so.
fn words(lines: &[String], start: &str) -> Vec<String> {
    let comments = lines.iter().filter_map(|line| line.strip_prefix(start)?.strip_suffix("-->"));
    comments.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

fn blocks(lines: &[String]) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let Some(kind) = lines[at].strip_prefix("```") else {
            at += 1;
            continue;
        };
        let end = (at + 1..lines.len()).find(|&line| lines[line] == "```");
        let end = end.with_context(|| format!("the block of line {} has no end", at + 1))?;
        ensure!(!UNRUN.contains(&kind), "line {}: a block of {kind} is not run; write console", at + 1);
        if kind == "console" || kind == "console running" {
            let commands = commands(lines, at + 1..end)?;
            let is_running = kind != "console";
            ensure!(
                !is_running || commands.len() == 1,
                "line {}: a terminal of its own runs one command",
                at + 1
            );
            blocks.push(Block { is_running, commands });
        }
        at = end + 1;
    }
    Ok(blocks)
}

fn commands(lines: &[String], block: Range<usize>) -> Result<Vec<Command>> {
    let mut commands: Vec<Command> = Vec::new();
    for at in block.clone() {
        if let Some(text) = lines[at].strip_prefix("$ ") {
            commands.push(Command { line: at, text: text.to_owned(), output: at + 1..at + 1 });
            continue;
        }
        let command = commands.last_mut();
        let command = command.with_context(|| format!("line {}: no command comes before", at + 1))?;
        match lines[at].strip_prefix('>') {
            Some(more) if command.output.is_empty() => {
                command.text.push('\n');
                command.text.push_str(more.strip_prefix(' ').unwrap_or(more));
                command.output = at + 1..at + 1;
            }
            Some(_) | None => command.output.end = at + 1,
        }
    }
    ensure!(!commands.is_empty(), "line {}: a console block without a command", block.start);
    Ok(commands)
}

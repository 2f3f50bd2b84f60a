//! The capabilities taken from five guides, and the scenario that proves each: the page `docs/features.md` is generated
//! from both. A row without a scenario stands there as "not yet".

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

use crate::Scenario;
use crate::inversions::Inversion;

const ROWS: &str = include_str!("features/rows.txt");
/// How many rows the guides have.
const ROW_COUNT: usize = 100;
/// Set to write the page instead of comparing it.
const WRITE: &str = "COUNTERMAND_WRITE_FEATURES";

struct Row<'a> {
    id: &'a str,
    rpc: &'a str,
    claim: &'a str,
}

enum Line<'a> {
    Heading(&'a str),
    Row(Row<'a>),
    /// Of the row above: its rule, turned around.
    Inversion(&'a str),
}

/// Compares the page with the scenarios there are, and tells of scenarios that claim a row there is not.
pub fn trial(scenarios: &[(&'static str, Scenario)]) -> Trial {
    let names: Vec<&'static str> = scenarios.iter().map(|(name, _)| *name).collect();
    Trial::test("tidy::features_page_is_true", move || is_true(&names))
}

fn is_true(names: &[&str]) -> Result<(), Failed> {
    let lines = parsed(ROWS)?;
    let page = page(&lines, names);
    if std::env::var_os(WRITE).is_some() {
        return Ok(std::fs::write(path(), page)?);
    }
    let written = std::fs::read_to_string(path()).unwrap_or_default();
    if written == page {
        return Ok(());
    }
    Err(format!("docs/features.md is not what the scenarios say; {WRITE}=1 writes it").into())
}

fn path() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the repository");
    root.join("docs/features.md")
}

fn parsed(text: &str) -> Result<Vec<Line<'_>>, Failed> {
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(heading) = line.strip_prefix("= ") {
            lines.push(Line::Heading(heading));
            continue;
        }
        if let Some(inversion) = line.strip_prefix("~ ") {
            lines.push(Line::Inversion(inversion));
            continue;
        }
        let mut fields = line.splitn(3, " | ");
        let (Some(id), Some(rpc), Some(claim)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(format!("this is not ID | RPC | claim: {line}").into());
        };
        lines.push(Line::Row(Row { id, rpc, claim }));
    }
    let count = rows(&lines).count();
    if count != ROW_COUNT {
        return Err(format!("the guides have {ROW_COUNT} rows, not {count}").into());
    }
    Ok(lines)
}

fn rows<'a>(lines: &'a [Line<'a>]) -> impl Iterator<Item = &'a Row<'a>> {
    lines.iter().filter_map(|line| match line {
        Line::Heading(_) | Line::Inversion(_) => None,
        Line::Row(row) => Some(row),
    })
}

/// The scenarios of each row: `i6_reason_must_be_chosen` proves I6, and `b21_b23_…` proves two.
fn proofs<'a>(names: &[&'a str]) -> BTreeMap<String, Vec<&'a str>> {
    let mut proofs: BTreeMap<String, Vec<&'a str>> = BTreeMap::new();
    for name in names {
        for id in name.split('_').take_while(|word| is_id(word)) {
            proofs.entry(id.to_uppercase()).or_default().push(name);
        }
    }
    proofs
}

/// Each row with a rule of data, and the rule turned around.
pub fn inversions() -> anyhow::Result<Vec<(&'static str, Inversion)>> {
    let lines = parsed(ROWS).map_err(|failed| anyhow::anyhow!("{}", failed.message().unwrap_or_default()))?;
    let mut row = "";
    let mut found = Vec::new();
    for line in lines {
        match line {
            Line::Heading(_) => {}
            Line::Row(Row { id, .. }) => row = id,
            Line::Inversion(text) => found.push((row, Inversion::parse(text)?)),
        }
    }
    Ok(found)
}

/// Whether a scenario of this name proves the row.
pub fn proves(name: &str, row: &str) -> bool {
    name.split('_').take_while(|word| is_id(word)).any(|id| id.to_uppercase() == row)
}

/// A letter and a number.
fn is_id(word: &str) -> bool {
    let number = word.strip_prefix(|first: char| first.is_ascii_lowercase());
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
}

fn page(lines: &[Line<'_>], names: &[&str]) -> String {
    let proofs = proofs(names);
    let proven = rows(lines).filter(|row| proofs.contains_key(row.id)).count();
    let mut page = format!(
        "{proven} of {ROW_COUNT} capabilities have a test; {} are not there yet.\n\n\
         # What works, row by row\n\n\
         The rows are the capabilities of five guides to cancelling orders. Each test runs on SQLite and on PostgreSQL, over the\n\
         wire, with an allowed and a refused case. This page is generated from the tests (`{WRITE}=1 cargo test -p tests\n\
         features_page`), and a test compares the two.\n",
        ROW_COUNT - proven
    );
    for line in lines {
        match line {
            Line::Heading(heading) => {
                let _ =
                    write!(page, "\n## {heading}\n\n| Row | Capability | Test | RPC |\n|---|---|---|---|\n");
            }
            Line::Inversion(_) => {}
            Line::Row(Row { id, rpc, claim }) => {
                let tests = proofs.get(*id).map_or_else(
                    || "not yet".to_owned(),
                    |names| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join("<br>"),
                );
                let _ = writeln!(page, "| {id} | {claim} | {tests} | `{rpc}` |");
            }
        }
    }
    page
}

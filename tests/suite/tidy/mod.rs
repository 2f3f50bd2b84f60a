//! The structure rules of the repository, as tests: what `docs/architecture.md` says about the layout, this checks.
//!
//! A rule looks at a [`Tree`] and names what breaks it. Each brings a small tree that does break it, so that a rule which
//! no longer finds anything fails itself.

mod layout;
mod sql;
mod tree;
mod words;

use std::path::Path;

use libtest_mimic::{Failed, Trial};

use self::tree::Tree;

const SERVICES: [&str; 4] = ["order", "inventory", "payment", "notification"];

/// What a statement is named by: `engine name`, a line for each that ran.
const STATEMENT_LOG: &str = "COUNTERMAND_STATEMENT_LOG";

struct Rule {
    name: &'static str,
    /// All that is wrong, each as a sentence that begins with the file.
    findings: fn(&Tree) -> Vec<String>,
    /// Files that break the rule, and the words that must stand in a finding.
    broken: &'static [(&'static str, &'static str)],
    found: &'static str,
}

fn rules() -> impl Iterator<Item = &'static Rule> {
    [layout::RULES, sql::RULES, words::RULES].into_iter().flatten()
}

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = rules()
        .map(|rule| {
            Trial::test(format!("tidy::{}", rule.name), move || none(&(rule.findings)(&Tree::repository())))
        })
        .collect();
    trials.push(Trial::test("tidy::each_rule_can_fail", each_can_fail));
    // Reads what the other tests executed, so it runs last and by itself.
    trials.push(
        Trial::test("tidy::every_statement_ran_on_both_engines", statements_ran).with_ignored_flag(true),
    );
    trials
}

/// No findings, or all of them.
fn none(findings: &[String]) -> Result<(), Failed> {
    if findings.is_empty() { Ok(()) } else { Err(findings.join("\n").into()) }
}

fn each_can_fail() -> Result<(), Failed> {
    let blind = |rule: &Rule| {
        let findings = (rule.findings)(&Tree::of(rule.broken));
        !findings.iter().any(|finding| finding.contains(rule.found))
    };
    let mut names: Vec<String> =
        rules().filter(|rule| blind(rule)).map(|rule| format!("{} finds nothing", rule.name)).collect();
    let one = Tree::of(&[("libs/x/src/store.rs", r#"Statement::new("x.load", "SELECT 1")"#)]);
    let ran_on_one = sql::untried(&one, "sqlite x.load\n");
    if ran_on_one != ["libs/x/src/store.rs: x.load never ran on postgres"] {
        names.push(format!("every_statement_ran_on_both_engines finds {ran_on_one:?}"));
    }
    none(&names)
}

fn statements_ran() -> Result<(), Failed> {
    let log = std::env::var(STATEMENT_LOG)
        .map_err(|_| format!("{STATEMENT_LOG} names what the other tests executed; tests/run sets it"))?;
    none(&sql::untried(&Tree::repository(), &std::fs::read_to_string(Path::new(&log))?))
}

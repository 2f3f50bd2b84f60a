//! Words that must not stand anywhere, and references that must lead somewhere.

use super::{Rule, Tree};

pub const RULES: &[Rule] = &[
    Rule {
        name: "nothing_is_left_undone",
        findings: nothing_unfinished,
        broken: &[("libs/x/src/a.rs", concat!("fn a() { to", "do!() }"))],
        found: "libs/x/src/a.rs:1",
    },
    Rule {
        name: "names_say_what_they_hold",
        findings: no_grab_bags,
        broken: &[("services/order/src/ops/helpers.rs", "")],
        found: "services/order/src/ops/helpers.rs",
    },
    Rule {
        name: "own_states_are_matched_by_name",
        findings: wildcards,
        broken: &[(
            "services/order/src/domain/a.rs",
            "match state {\n    State::Open => 1,\n    _ => 2,\n}\n",
        )],
        found: "services/order/src/domain/a.rs:3",
    },
    Rule {
        name: "time_and_chance_are_handed_in",
        findings: ambient,
        broken: &[("services/order/src/domain/a.rs", concat!("let now = Instant::", "now();"))],
        found: "services/order/src/domain/a.rs:1",
    },
    Rule {
        name: "markdown_links_lead_somewhere",
        findings: links_resolve,
        broken: &[("docs/a.md", "See [the other](missing.md#part).")],
        found: "docs/a.md: missing.md",
    },
];

fn lines_that<'text>(
    files: impl Iterator<Item = (&'text str, &'text str)>,
    offends: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in files {
        let lines = text.lines().enumerate().filter(|(_, line)| offends(line));
        findings.extend(lines.map(|(number, line)| format!("{path}:{}: {}", number + 1, line.trim())));
    }
    findings
}

fn nothing_unfinished(tree: &Tree) -> Vec<String> {
    // Spelt apart, so that this file does not find itself.
    let words =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!("), concat!("unimpl", "emented!(")];
    lines_that(tree.ending(".rs"), |line| words.iter().any(|word| line.contains(word)))
}

fn no_grab_bags(tree: &Tree) -> Vec<String> {
    let banned = ["utils", "util", "helpers", "helper", "common", "manager", "misc"];
    let offends = |path: &str| {
        path.trim_end_matches(".rs").split('/').any(|part| banned.contains(&part))
            && !path.starts_with("proto/")
    };
    tree.ending(".rs").filter(|(path, _)| offends(path)).map(|(path, _)| path.to_owned()).collect()
}

/// `_` swallows the state that is added next year. A match on text has no other way.
fn wildcards(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.room("domain") {
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let Some(indent) = line.find("_ =>").filter(|indent| line[..*indent].trim().is_empty()) else {
                continue;
            };
            let arm_before = lines[..number].iter().rev().find_map(|before| {
                let (margin, arm) = before.split_at_checked(indent)?;
                (margin.trim().is_empty() && !arm.starts_with([' ', '}']) && !arm.is_empty()).then_some(arm)
            });
            if !arm_before.is_some_and(|arm| arm.starts_with('"')) {
                findings.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    findings
}

/// Business time and ids come from `types`, and only workers wait.
fn ambient(tree: &Tree) -> Vec<String> {
    let words = ["Instant::now(", "SystemTime::now(", "rand::", "Uuid::now", "sleep("];
    let rooms = tree.room("domain").chain(tree.room("api")).chain(tree.room("store"));
    lines_that(rooms, |line| words.iter().any(|word| line.contains(word)))
}

fn links_resolve(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.ending(".md") {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") && !tree.has(&resolved(directory, file)) {
                findings.push(format!("{path}: {target}"));
            }
        }
    }
    findings
}

/// `path` as seen from `directory`, both below the root.
fn resolved(directory: &str, path: &str) -> String {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

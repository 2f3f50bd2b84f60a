//! The structure rules of the repository, as tests: what `docs/architecture.md` says about the layout, this checks.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

const FILE_LINES_MAX: usize = 400;
const MAIN_LINES_MAX: usize = 50;
const SERVICES: [&str; 4] = ["order", "inventory", "payment", "notification"];

/// What a room of a service may not import: arrows go down only.
const FORBIDDEN: [(&str, &[&str]); 4] = [
    ("domain", &["api", "ops", "store", "ports", "sagas", "app"]),
    ("store", &["api", "ops", "ports", "sagas", "app"]),
    ("ports", &["api", "ops", "sagas", "app"]),
    ("ops", &["api", "app"]),
];

pub fn trials() -> Vec<Trial> {
    let rule = |name: &str, check: fn() -> Result<(), Failed>| Trial::test(format!("tidy::{name}"), check);
    vec![
        rule("files_hold_one_idea", files_are_short),
        rule("mains_are_short", mains_are_short),
        rule("rooms_import_downwards_only", rooms_import_downwards),
        rule("services_meet_only_on_the_wire", services_do_not_import_each_other),
        rule("sql_stands_in_the_store_only", sql_is_in_stores),
        rule("every_service_has_the_same_rooms", rooms_are_the_same),
        rule("nothing_is_left_undone", nothing_unfinished),
        rule("names_say_what_they_hold", no_grab_bags),
        rule("markdown_links_lead_somewhere", links_resolve),
        // Reads what the other tests executed, so it runs last and by itself.
        rule("every_statement_ran_on_both_engines", statements_ran).with_ignored_flag(true),
    ]
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the repository").to_owned()
}

fn files(under: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(under).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if !["target", ".git", "node_modules"].iter().any(|skipped| name == *skipped) {
                found.extend(files(&path, ending));
            }
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(String, String)> {
    files(&root(), "rs")
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a listed file can be read");
            (path.strip_prefix(root()).expect("files() lists below the root").display().to_string(), text)
        })
        .collect()
}

/// No findings, or all of them.
fn none(findings: Vec<String>) -> Result<(), Failed> {
    if findings.is_empty() { Ok(()) } else { Err(findings.join("\n").into()) }
}

fn files_are_short() -> Result<(), Failed> {
    let long = sources().into_iter().map(|(path, text)| (path, text.lines().count()));
    none(
        long.filter(|(_, lines)| *lines > FILE_LINES_MAX)
            .map(|(path, lines)| format!("{path}: {lines} lines"))
            .collect(),
    )
}

fn mains_are_short() -> Result<(), Failed> {
    let mains = sources().into_iter().filter(|(path, _)| path.ends_with("src/main.rs"));
    none(mains.filter(|(_, text)| text.lines().count() > MAIN_LINES_MAX).map(|(path, _)| path).collect())
}

fn rooms_import_downwards() -> Result<(), Failed> {
    let mut findings = Vec::new();
    for (path, text) in sources() {
        for (room, forbidden) in FORBIDDEN {
            let inside = path.starts_with("services/")
                && (path.contains(&format!("/src/{room}/")) || path.ends_with(&format!("/src/{room}.rs")));
            if !inside || path.contains("/tests") {
                continue;
            }
            for upper in forbidden {
                if text.contains(&format!("crate::{upper}::")) || text.contains(&format!("crate::{upper};")) {
                    findings.push(format!("{path} is in {room} and imports crate::{upper}"));
                }
            }
        }
    }
    none(findings)
}

fn services_do_not_import_each_other() -> Result<(), Failed> {
    let mut findings = Vec::new();
    for service in SERVICES {
        let manifest = fs::read_to_string(root().join(format!("services/{service}/Cargo.toml")))?;
        for other in SERVICES.iter().filter(|other| **other != service) {
            if manifest
                .lines()
                .any(|line| line.starts_with(&format!("{other}.")) || line.starts_with(&format!("{other} ")))
            {
                findings.push(format!("services/{service} depends on {other}"));
            }
        }
    }
    // In the command line only the embedded suite links the services.
    for (path, text) in sources() {
        let linked = SERVICES.iter().any(|service| text.contains(&format!("use {service}::")));
        if path.starts_with("services/suite/") && linked && !path.contains("embedded") {
            findings.push(format!("{path} links a service; only the embedded suite may"));
        }
    }
    none(findings)
}

fn sql_is_in_stores() -> Result<(), Failed> {
    let allowed = ["/src/store/", "libs/storage/", "libs/saga/", "/tests/", "/store/"];
    let outside = sources().into_iter().filter(|(path, text)| {
        text.contains("Statement::new(")
            && !allowed.iter().any(|room| path.contains(room))
            && !path.starts_with("tests/")
    });
    none(outside.map(|(path, _)| path).collect())
}

fn rooms_are_the_same() -> Result<(), Failed> {
    let rooms = ["main.rs", "lib.rs", "app", "config", "api", "ops", "domain", "store"];
    let mut findings = Vec::new();
    for service in SERVICES {
        let src = root().join(format!("services/{service}/src"));
        for room in rooms {
            let file = if room.contains('.') { room.to_owned() } else { format!("{room}.rs") };
            if !src.join(room).is_dir() && !src.join(&file).is_file() {
                findings.push(format!("services/{service} has no {room}"));
            }
        }
    }
    none(findings)
}

fn nothing_unfinished() -> Result<(), Failed> {
    // Spelt apart, so that this file does not find itself.
    let words =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!("), concat!("unimpl", "emented!(")];
    let mut findings = Vec::new();
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                findings.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none(findings)
}

fn no_grab_bags() -> Result<(), Failed> {
    let banned: BTreeSet<&str> =
        ["utils.rs", "util.rs", "helpers.rs", "helper.rs", "common.rs", "manager.rs", "misc.rs"].into();
    let found = sources().into_iter().map(|(path, _)| path);
    none(found.filter(|path| path.rsplit('/').next().is_some_and(|name| banned.contains(name))).collect())
}

fn links_resolve() -> Result<(), Failed> {
    let mut findings = Vec::new();
    for path in files(&root(), "md") {
        let text = fs::read_to_string(&path)?;
        let directory = path.parent().expect("a file stands in a directory");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            if !directory.join(file).exists() {
                findings.push(format!("{}: {target}", path.strip_prefix(root()).unwrap_or(&path).display()));
            }
        }
    }
    none(findings)
}

fn statements_ran() -> Result<(), Failed> {
    let log = std::env::var("COUNTERMAND_STATEMENT_LOG")
        .map_err(|_| "COUNTERMAND_STATEMENT_LOG names what the other tests executed; tests/run sets it")?;
    let mut engines: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in fs::read_to_string(log)?.lines() {
        if let Some((engine, name)) = line.split_once(' ') {
            engines.entry(name.to_owned()).or_default().insert(engine.to_owned());
        }
    }
    let mut findings = Vec::new();
    let mut texts = 0;
    for (path, text) in sources() {
        if path.contains("/tests") || path.starts_with("tests/") {
            continue;
        }
        for rest in text.split("Statement::new(").skip(1) {
            let Some(name) = rest.split('"').nth(1).filter(|_| rest.trim_start().starts_with('"')) else {
                continue;
            };
            texts += 1;
            let ran = engines.get(name).cloned().unwrap_or_default();
            for engine in ["sqlite", "postgres"] {
                if !ran.contains(engine) {
                    findings.push(format!("{path}: {name} never ran on {engine}"));
                }
            }
        }
    }
    if texts == 0 {
        findings.push("no SQL text was found; the pattern is out of date".to_owned());
    }
    none(findings)
}

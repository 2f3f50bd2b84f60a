//! SQL: where it stands, what it is called, and that both engines have seen it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Rule, Tree};

pub const RULES: &[Rule] = &[
    Rule {
        name: "sql_stands_in_the_store_only",
        findings: sql_is_in_stores,
        broken: &[("services/order/src/ops/a.rs", r#"Statement::new("order.a", "SELECT 1")"#)],
        found: "services/order/src/ops/a.rs",
    },
    Rule {
        name: "one_library_speaks_to_databases",
        findings: drivers,
        broken: &[("services/order/Cargo.toml", "sqlx.workspace = true\n")],
        found: "services/order/Cargo.toml",
    },
    Rule {
        name: "statements_have_names_of_their_own",
        findings: names,
        broken: &[
            ("libs/x/src/store/a.rs", r#"Statement::new("x.load", "SELECT 1")"#),
            ("libs/x/src/store/b.rs", r#"Statement::new("x.load", "SELECT 2")"#),
        ],
        found: "libs/x/src/store/b.rs: x.load",
    },
    Rule {
        name: "written_columns_are_named_once",
        findings: columns_named_again,
        broken: &[(
            "services/order/src/store/a.rs",
            r#"Statement::new("order.a", "INSERT INTO a (b) SELECT b FROM rows($1: b text)");"#,
        )],
        found: "services/order/src/store/a.rs",
    },
    Rule {
        name: "every_migration_is_run",
        findings: migrations,
        broken: &[
            ("libs/x/migrations/0001_a.sql", "CREATE TABLE a (id TEXT);"),
            ("libs/x/src/store.rs", r#"include_str!("../migrations/0002_b.sql")"#),
        ],
        found: "libs/x/migrations/0001_a.sql",
    },
];

/// Statements that one engine has no use for, and why.
const ONE_ENGINE: [(&str, &str, &str); 4] = [
    ("order.lock_heads", "postgres", "the writer of SQLite is alone in its transaction"),
    (
        "payment.free_gateway_events",
        "sqlite",
        "claims of a former life are our own only in an embedded database",
    ),
    (
        "storage.free_claimed_events",
        "sqlite",
        "claims of a former life are our own only in an embedded database",
    ),
    ("storage.db_now", "sqlite", "a transaction of PostgreSQL reads the clock when it begins"),
];

fn sql_is_in_stores(tree: &Tree) -> Vec<String> {
    let rooms = ["/store/", "/store.rs", "libs/storage/", "libs/saga/"];
    let outside = tree.sources().filter(|(path, text)| {
        text.contains("Statement::new(") && !rooms.iter().any(|room| path.contains(room))
    });
    outside.map(|(path, _)| format!("{path} holds SQL")).collect()
}

fn drivers(tree: &Tree) -> Vec<String> {
    let manifests = tree.ending("/Cargo.toml").filter(|(_, text)| text.contains("sqlx"));
    let sources =
        tree.ending(".rs").filter(|(path, text)| !path.starts_with("tests/") && text.contains("sqlx::"));
    let speaks = manifests.chain(sources).filter(|(path, _)| !path.starts_with("libs/storage/"));
    speaks.map(|(path, _)| format!("{path} speaks to a database driver")).collect()
}

/// A statement's file and name. Books are written with a macro that makes the name from the table.
fn statements(tree: &Tree) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    for (path, text) in tree.sources() {
        for rest in text.split("Statement::new(").skip(1).map(str::trim_start) {
            let mut quoted = rest.split('"').skip(1);
            let name = quoted.next().unwrap_or_default();
            if rest.starts_with("concat!(") {
                let tables = text.split("book!(\"").skip(1).filter_map(|call| call.split('"').next());
                found.extend(tables.map(|table| (path, format!("{name}{table}"))));
            } else {
                found.push((path, name.to_owned()));
            }
        }
    }
    found
}

fn names(tree: &Tree) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for (path, name) in statements(tree) {
        let owner = path.split('/').nth(1).unwrap_or_default();
        let owners = [owner, if path.contains("/sandbox/") { "sandbox" } else { owner }];
        if !owners.iter().any(|owner| name.starts_with(&format!("{owner}."))) {
            findings.push(format!("{path}: {name} does not begin with {owner}"));
        }
        if !seen.insert(name.clone()) {
            findings.push(format!("{path}: {name} is the name of another statement"));
        }
    }
    findings
}

/// Inserts and updates of whole rows that list their columns by hand.
fn columns_named_again(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.sources().filter(|(path, _)| !path.starts_with("libs/storage/src/")) {
        let texts = text.split("Statement::new(").skip(1).filter_map(|rest| rest.split(");").next());
        for text in texts.filter(|text| text.contains("rows($")) {
            let name = text.split('"').nth(1).unwrap_or_default();
            let inserted = text.split("INSERT INTO ").nth(1);
            let by_hand = inserted.is_some_and(|rest| {
                rest.split_once(' ').is_some_and(|(_, columns)| columns.trim_start().starts_with('('))
            });
            let words: Vec<&str> = text.split([' ', '\n', ',']).collect();
            let assigned = words.windows(3).any(|three| {
                !three[0].is_empty() && three[1] == "=" && three[2].strip_prefix("r.") == Some(three[0])
            });
            if by_hand || assigned {
                findings.push(format!("{path}: {name} names its columns more than once"));
            }
        }
    }
    findings
}

fn migrations(tree: &Tree) -> Vec<String> {
    let included: BTreeSet<&str> = tree
        .sources()
        .flat_map(|(_, text)| text.split("include_str!(\"").skip(1))
        .filter_map(|rest| rest.split('"').next()?.split("migrations/").nth(1))
        .collect();
    let files = tree.ending(".sql").filter_map(|(path, _)| Some((path, path.split("/migrations/").nth(1)?)));
    files
        .filter(|(_, name)| !included.contains(name))
        .map(|(path, _)| format!("{path} is run by nobody"))
        .collect()
}

/// Statements that the log does not show on both engines.
pub fn untried(tree: &Tree, log: &str) -> Vec<String> {
    let mut engines: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (engine, name) in log.lines().filter_map(|line| line.split_once(' ')) {
        engines.entry(name).or_default().insert(engine);
    }
    let all = statements(tree);
    let mut findings = Vec::new();
    for (path, name) in &all {
        let ran = |engine: &str| engines.get(name.as_str()).is_some_and(|ran| ran.contains(engine));
        let only = ONE_ENGINE.iter().find(|(spared, ..)| spared == name);
        for engine in ["sqlite", "postgres"] {
            match only {
                Some((_, kept, why)) if *kept != engine && ran(engine) => {
                    findings.push(format!("{path}: {name} ran on {engine}, though {why}"));
                }
                Some((_, kept, _)) if *kept != engine => {}
                Some(_) | None if ran(engine) => {}
                Some(_) | None => findings.push(format!("{path}: {name} never ran on {engine}")),
            }
        }
    }
    if all.is_empty() {
        findings.push("no SQL text was found; the pattern is out of date".to_owned());
    }
    findings
}

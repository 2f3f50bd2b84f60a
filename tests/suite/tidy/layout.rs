//! Where things stand, and who may know whom.

use super::tree::WINGS;
use super::{Rule, SERVICES, Tree};

const FILE_LINES_MAX: usize = 400;
const MAIN_LINES_MAX: usize = 50;

pub const RULES: &[Rule] = &[
    Rule {
        name: "files_hold_one_idea",
        findings: files_are_short,
        broken: &[("libs/x/src/long.rs", LONG)],
        found: "libs/x/src/long.rs: 401 lines",
    },
    Rule {
        name: "mains_are_short",
        findings: mains_are_short,
        broken: &[("services/order/src/main.rs", LONG)],
        found: "services/order/src/main.rs: 401 lines",
    },
    Rule {
        name: "modules_open_with_their_purpose",
        findings: purposes,
        broken: &[("libs/x/src/lib.rs", "mod a;\n")],
        found: "libs/x/src/lib.rs",
    },
    Rule {
        name: "rooms_import_downwards_only",
        findings: rooms_import_downwards,
        broken: &[("services/order/src/domain/a.rs", "use crate::ops::Orders;\n")],
        found: "services/order/src/domain/a.rs is in domain and imports crate::ops",
    },
    Rule {
        name: "domains_are_pure",
        findings: domains_are_pure,
        broken: &[("services/order/src/domain/a.rs", "pub async fn load() {}\n")],
        found: "services/order/src/domain/a.rs:1: async fn",
    },
    Rule {
        name: "services_meet_only_on_the_wire",
        findings: services_do_not_import_each_other,
        broken: &[("services/order/Cargo.toml", "[dependencies]\npayment.workspace = true\n")],
        found: "services/order depends on payment",
    },
    Rule {
        name: "one_cryptography_is_linked",
        findings: other_cryptography,
        broken: &[("Cargo.lock", "[[package]]\nname = \"rsa\"\n")],
        found: "Cargo.lock:2: rsa",
    },
    Rule {
        name: "libraries_know_no_service",
        findings: libraries_know_no_service,
        broken: &[("libs/saga/src/lib.rs", "//! Moves a change_order.\n")],
        found: "libs/saga/src/lib.rs:1: change_order",
    },
    Rule {
        name: "floors_import_downwards_only",
        findings: floors_import_downwards,
        broken: &[("services/order/src/ops/books/a.rs", "use crate::ops::commit::Writer;\n")],
        found: "services/order/src/ops/books/a.rs is on floor books and imports crate::ops::commit",
    },
    Rule {
        name: "wings_know_the_trunk_only",
        findings: wings_stand_alone,
        broken: &[("services/order/src/feed/a.rs", "use crate::rules::Rules;\n")],
        found: "services/order/src/feed/a.rs knows the wing rules",
    },
    Rule {
        name: "no_request_opens_a_transaction",
        findings: transactions_in_api,
        broken: &[("services/order/src/api/a.rs", "use storage::Database;\n")],
        found: "services/order/src/api/a.rs:1: storage::Database",
    },
    Rule {
        name: "every_service_has_the_same_rooms",
        findings: rooms_are_the_same,
        broken: &[("services/order/src/lib.rs", "")],
        found: "services/order has no domain",
    },
];

/// 401 lines, each empty.
const LONG: &str = {
    const LINES: [u8; FILE_LINES_MAX + 1] = [b'\n'; FILE_LINES_MAX + 1];
    match std::str::from_utf8(&LINES) {
        Ok(text) => text,
        Err(_) => panic!("line feeds are text"),
    }
};

/// What a room of a service may not import: arrows go down only.
const FORBIDDEN: [(&str, &[&str]); 5] = [
    ("domain", &["api", "ops", "store", "ports", "sagas", "wire", "app", "config"]),
    ("store", &["api", "ops", "ports", "sagas", "app", "config"]),
    ("ports", &["api", "ops", "sagas", "app"]),
    ("ops", &["api", "app"]),
    ("api", &["store", "app"]),
];

/// The floors of the order service's use cases, from the ground up: a file imports its own floor and those below it.
const FLOORS: [&str; 7] = ["plans", "command", "books", "decide", "use_cases", "commit", "calls"];

/// What of its own wing a room may not import.
const FORBIDDEN_IN_WINGS: [(&str, &[&str]); 2] =
    [("domain", &["api", "ask", "store", "worker"]), ("store", &["api", "ask", "worker"])];

/// What a pure rule never needs.
const IMPURE: [&str; 10] = [
    "async fn",
    ".await;",
    ".await?",
    ".await.",
    "tokio::",
    "tonic::",
    "proto::",
    "storage::",
    "kit::",
    "std::fs",
];

/// Words of the business that a library must be able to do without.
const BUSINESS: [(&str, &[&str]); 2] = [
    ("libs/saga/src/", &["change_order", "ChangeOrder", "refund", "stock", "warehouse", "proto::"]),
    ("libs/storage/src/", &["change_order", "ChangeOrder", "refund", "warehouse", "proto::", "tonic"]),
];

fn longer(files: Vec<(&str, &str)>, lines_max: usize) -> Vec<String> {
    let counted = files.into_iter().map(|(path, text)| (path, text.lines().count()));
    counted
        .filter(|(_, lines)| *lines > lines_max)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect()
}

fn files_are_short(tree: &Tree) -> Vec<String> {
    longer(tree.ending(".rs").collect(), FILE_LINES_MAX)
}

fn mains_are_short(tree: &Tree) -> Vec<String> {
    longer(tree.ending("src/main.rs").collect(), MAIN_LINES_MAX)
}

fn purposes(tree: &Tree) -> Vec<String> {
    let silent = tree.sources().filter(|(_, text)| !text.starts_with("//!"));
    silent.map(|(path, _)| format!("{path} does not say what it is for")).collect()
}

fn rooms_import_downwards(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (room, forbidden) in FORBIDDEN {
        for (path, text) in tree.room(room) {
            for upper in forbidden {
                if text.contains(&format!("crate::{upper}::")) || text.contains(&format!("crate::{upper};")) {
                    findings.push(format!("{path} is in {room} and imports crate::{upper}"));
                }
            }
        }
    }
    findings
}

fn floors_import_downwards(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, floor) in FLOORS.iter().enumerate() {
        let place = format!("services/order/src/ops/{floor}/");
        for (path, text) in tree.sources().filter(|(path, _)| path.starts_with(&place)) {
            for upper in &FLOORS[number + 1..] {
                if text.contains(&format!("crate::ops::{upper}")) {
                    findings.push(format!("{path} is on floor {floor} and imports crate::ops::{upper}"));
                }
            }
            if text.contains("crate::ops::{") || text.contains("crate::ops::*") {
                findings.push(format!("{path} imports crate::ops without naming the floor"));
            }
        }
    }
    findings
}

/// Only `app` puts wings and trunk together.
fn wings_stand_alone(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.sources() {
        let Some(inside) = path.strip_prefix("services/order/src/").filter(|inside| *inside != "app.rs")
        else {
            continue;
        };
        for wing in WINGS.iter().filter(|wing| !inside.starts_with(&format!("{wing}/"))) {
            if text.contains(&format!("crate::{wing}")) {
                findings.push(format!("{path} knows the wing {wing}"));
            }
        }
        for (room, forbidden) in FORBIDDEN_IN_WINGS {
            let is_inside = inside.split(['/', '.']).nth(1) == Some(room)
                && WINGS.iter().any(|wing| inside.starts_with(wing));
            for upper in forbidden.iter().filter(|_| is_inside) {
                if text.contains(&format!("super::{upper}")) {
                    findings.push(format!("{path} is in {room} and imports super::{upper}"));
                }
            }
        }
    }
    findings
}

/// Each line outside of comments that holds one of the words.
fn lines_with(path: &str, text: &str, words: &[&str]) -> Vec<String> {
    let code = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("// "));
    code.flat_map(|(number, line)| {
        let here = words.iter().filter(move |word| line.contains(**word));
        here.map(move |word| format!("{path}:{}: {word}", number + 1))
    })
    .collect()
}

/// Use cases open transactions; what parses and renders calls them.
fn transactions_in_api(tree: &Tree) -> Vec<String> {
    let doors = ["storage::Database", "Database,", "Tx,", "storage::Tx", ".write(\"", ".reading(async"];
    tree.room("api").flat_map(|(path, text)| lines_with(path, text, &doors)).collect()
}

fn domains_are_pure(tree: &Tree) -> Vec<String> {
    tree.room("domain").flat_map(|(path, text)| lines_with(path, text, &IMPURE)).collect()
}

fn libraries_know_no_service(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (library, words) in BUSINESS {
        for (path, text) in tree.sources().filter(|(path, _)| path.starts_with(library)) {
            findings.extend(lines_with(path, text, words));
        }
    }
    findings
}

/// What `deny.toml` bans, for whoever has no cargo-deny: ring is the one, and no C library stands beside it.
fn other_cryptography(tree: &Tree) -> Vec<String> {
    const BANNED: [&str; 6] = ["rsa", "openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys"];
    let packages = |(path, text): (&str, &str)| {
        let named = |(index, line): (usize, &str)| {
            let name = line.strip_prefix("name = \"")?.strip_suffix('"')?;
            BANNED.contains(&name).then(|| format!("{path}:{}: {name}", index + 1))
        };
        text.lines().enumerate().filter_map(named).collect::<Vec<_>>()
    };
    tree.ending("Cargo.lock").flat_map(packages).collect()
}

fn services_do_not_import_each_other(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for service in SERVICES {
        let manifest =
            tree.ending("Cargo.toml").find(|(path, _)| *path == format!("services/{service}/Cargo.toml"));
        for other in SERVICES.iter().filter(|other| **other != service) {
            let named = [format!("{other}."), format!("{other} ")];
            if manifest.is_some_and(|(_, text)| {
                text.lines().any(|line| named.iter().any(|start| line.starts_with(start)))
            }) {
                findings.push(format!("services/{service} depends on {other}"));
            }
        }
    }
    // In the command line only the embedded suite links the services.
    for (path, text) in tree.sources().filter(|(path, _)| path.starts_with("services/suite/")) {
        let linked = SERVICES.iter().any(|service| text.contains(&format!("use {service}::")));
        if linked && !path.contains("embedded") {
            findings.push(format!("{path} links a service; only the embedded suite may"));
        }
    }
    findings
}

fn rooms_are_the_same(tree: &Tree) -> Vec<String> {
    let rooms = ["main.rs", "lib.rs", "app", "config", "api", "ops", "domain", "store", "ports"];
    let mut findings = Vec::new();
    for service in SERVICES {
        for room in rooms {
            let path = format!("services/{service}/src/{room}");
            if !tree.has(&path) && !tree.has(&format!("{path}.rs")) {
                findings.push(format!("services/{service} has no {room}"));
            }
        }
    }
    findings
}

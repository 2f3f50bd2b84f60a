//! The files of the repository, as the rules read them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Made by tools, not by us.
const SKIPPED: [&str; 3] = ["target", ".git", "node_modules"];

/// Kinds whose text a rule may read.
const READ: [&str; 7] = ["rs", "md", "toml", "sql", "proto", "sh", "lock"];

pub struct Tree {
    texts: BTreeMap<String, String>,
    /// Every file and every directory, "" among them.
    paths: BTreeSet<String>,
}

impl Tree {
    pub fn repository() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the repository");
        let mut tree = Self { texts: BTreeMap::new(), paths: BTreeSet::from([String::new()]) };
        tree.add(root, root);
        tree
    }

    /// A tree of these files alone.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let texts: BTreeMap<String, String> =
            files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let paths = texts.keys().cloned().collect();
        Self { texts, paths }
    }

    fn add(&mut self, root: &Path, directory: &Path) {
        for entry in fs::read_dir(directory).expect("a listed directory can be read").flatten() {
            let path = entry.path();
            if SKIPPED.iter().any(|skipped| entry.file_name() == *skipped) {
                continue;
            }
            let name = path.strip_prefix(root).expect("add() walks below the root").display().to_string();
            self.paths.insert(name.clone());
            if path.is_dir() {
                self.add(root, &path);
            } else if path.extension().is_some_and(|kind| READ.iter().any(|read| kind == *read))
                // Somebody may be writing it at this moment.
                && let Ok(text) = fs::read_to_string(&path)
            {
                self.texts.insert(name, text);
            }
        }
    }

    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Files whose name ends with this, with their text.
    pub fn ending<'tree>(&'tree self, ending: &'tree str) -> impl Iterator<Item = (&'tree str, &'tree str)> {
        let files = self.texts.iter().filter(move |(path, _)| path.ends_with(ending));
        files.map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// What is built into the programs: Rust sources but the tests'.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ending(".rs").filter(|(path, _)| !is_test(path))
    }

    /// The sources of one room of every service, and of the wings of one that has them.
    pub fn room(&self, room: &str) -> impl Iterator<Item = (&str, &str)> {
        self.sources().filter(move |(path, _)| {
            let Some((_, inside)) = path.strip_prefix("services/").and_then(|path| path.split_once("/src/"))
            else {
                return false;
            };
            let mut places = inside.split(['/', '.']);
            let (first, second) = (places.next(), places.next());
            first == Some(room) || (WINGS.contains(&first.unwrap_or_default()) && second == Some(room))
        })
    }
}

/// Places of the order service that have rooms of their own.
pub const WINGS: [&str; 4] = ["batches", "feed", "reports", "rules"];

fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

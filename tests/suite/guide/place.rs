//! Where a page is followed: an empty directory, free ports, and a PATH with the programs it needs.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use libtest_mimic::Failed;
use tests::ports::free_port_of_four_digits;
use tests::process::binary;
use tests::{Service, Suite};

use super::page::Page;
use super::root;

/// Where the pages say that the services listen.
const PUBLIC: u16 = 7_001;
const INTERNAL: u16 = 7_101;

/// What the pages show for the directory.
const SHOWN_DIRECTORY: &str = "/home/you/shop";

/// Directories of the repository that a page may read from.
const LENT: [&str; 3] = ["tests", "proto", "docs"];

pub struct Place {
    directory: tempfile::TempDir,
    /// As in the page, and as it is.
    ports: Vec<(u16, u16)>,
}

impl Place {
    pub fn new(page: &Page) -> Result<Self> {
        let directory = tempfile::tempdir().context("making a directory for the page")?;
        let services = (0..4).flat_map(|number| [PUBLIC + number, INTERNAL + number]);
        let ports = services.chain(page.ports.iter().copied());
        let place = Self {
            ports: ports.map(|port| Ok((port, free_port_of_four_digits()?))).collect::<Result<_>>()?,
            directory,
        };
        std::fs::create_dir(place.programs())?;
        std::fs::create_dir(place.shop())?;
        for lent in LENT {
            symlink(root().join(lent), place.shop().join(lent))?;
        }
        place.provide("countermand", &format!("exec {} \"$@\"", binary("countermand")?.display()))?;
        for (number, service) in (0..4).zip(Service::ALL) {
            place.provide(service.name(), &place.service(number, service)?)?;
        }
        for program in &page.needs {
            let variable = format!("COUNTERMAND_TEST_{}", program.to_uppercase().replace('-', "_"));
            let path = std::env::var(&variable).with_context(|| {
                format!("{variable} names the program; tests/run installs it and sets it")
            })?;
            place.provide(program, &format!("exec {path} \"$@\""))?;
        }
        Ok(place)
    }

    /// A shell in the directory, with nothing of our own configuration but what moves the ports.
    pub fn shell(&self) -> Command {
        let mut command = Command::new("bash");
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .args(["--noprofile", "--norc"])
            .current_dir(self.shop())
            .env("PATH", format!("{}:{path}", self.programs().display()))
            .env("LC_ALL", "C.UTF-8")
            .env("NO_COLOR", "1");
        for (number, service) in (0..4).zip(Service::ALL) {
            let variable = format!("COUNTERMAND_{}_URL", service.name().to_uppercase());
            command.env(variable, format!("http://127.0.0.1:{}", self.real(PUBLIC + number)));
        }
        command
    }

    /// The page's ports in a command, moved.
    pub fn as_it_is(&self, command: &str) -> String {
        moved(command, &self.ports, |_| true)
    }

    /// What was printed, with the page's ports and directory.
    pub fn as_in_the_page(&self, printed: &str) -> Vec<String> {
        let back: Vec<(u16, u16)> = self.ports.iter().map(|&(shown, real)| (real, shown)).collect();
        let here = self.shop().display().to_string();
        // A free port may be any number, an amount of money on the page too: only behind an address is it a port.
        let text = moved(&printed.replace(&here, SHOWN_DIRECTORY), &back, |before| before.ends_with(':'));
        let mut lines: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }

    /// A file beside the directory that the page is followed in.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn programs(&self) -> PathBuf {
        self.scratch("bin")
    }

    fn shop(&self) -> PathBuf {
        self.scratch("shop")
    }

    fn real(&self, shown: u16) -> u16 {
        self.ports.iter().find(|(port, _)| *port == shown).map_or(shown, |(_, real)| *real)
    }

    /// A service with its ports and its peers' moved.
    fn service(&self, number: u16, service: Service) -> Result<String> {
        let mut lines = vec![
            format!("export COUNTERMAND_LISTEN__PUBLIC=127.0.0.1:{}", self.real(PUBLIC + number)),
            format!("export COUNTERMAND_LISTEN__INTERNAL=127.0.0.1:{}", self.real(INTERNAL + number)),
        ];
        for peer in Suite::peers(service) {
            let numbered = (INTERNAL..).zip(Service::ALL).find(|(_, other)| other == peer);
            let (port, name) =
                numbered.map(|(port, peer)| (port, peer.name())).context("a peer is a service")?;
            let url = format!("http://127.0.0.1:{}", self.real(port));
            lines.push(format!("export COUNTERMAND_PEERS__{}={url}", name.to_uppercase()));
        }
        lines.push(format!("exec {} \"$@\"", binary(service.name())?.display()));
        Ok(lines.join("\n"))
    }

    fn provide(&self, name: &str, script: &str) -> Result<()> {
        let path = self.programs().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n"))?;
        make_executable(&path)
    }
}

fn make_executable(path: &Path) -> Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .with_context(|| format!("making {} executable", path.display()))
}

/// Whole numbers replaced by others, where what stands before them says that they are ports.
fn moved(text: &str, ports: &[(u16, u16)], is_port: fn(&str) -> bool) -> String {
    let mut moved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        let (number, after) = number.split_at(end);
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let stands_alone = !before.ends_with(is_word) && !after.starts_with(is_word) && is_port(before);
        let other = ports.iter().find(|(from, _)| stands_alone && number == from.to_string());
        moved.push_str(before);
        match other {
            Some((_, to)) => moved.push_str(&to.to_string()),
            None => moved.push_str(number),
        }
        rest = after;
    }
    moved + rest
}

/// An amount stays what it is on a machine where its number is a free port.
pub fn an_amount_is_no_port() -> Result<(), Failed> {
    let directory = tempfile::tempdir().map_err(|problem| problem.to_string())?;
    let place = Place { directory, ports: vec![(INTERNAL, 5_000)] };
    let lines = place.as_in_the_page("7 committed -5000 at http://127.0.0.1:5000/x");
    if lines != ["7 committed -5000 at http://127.0.0.1:7101/x"] {
        return Err(lines.concat().into());
    }
    Ok(())
}

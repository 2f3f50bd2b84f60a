use std::path::Path;

use serde::{Deserialize, Serialize};

use super::*;
use crate::config::{Listen, Telemetry, Tls};
use crate::server::{Routes, Server};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Config {
    listen: Listen,
    tls: Tls,
    telemetry: Telemetry,
}

impl ServiceConfig for Config {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn listen(&self) -> &Listen {
        &self.listen
    }

    fn tls(&self) -> &Tls {
        &self.tls
    }
}

fn parse(arguments: &[&str]) -> Result<Arguments, UsageError> {
    Arguments::parse(arguments.iter().map(OsString::from))
}

fn code(arguments: &[&str]) -> u8 {
    let arguments = arguments.iter().map(OsString::from);
    let unreachable = async |_: Process<Config>| anyhow::bail!("the app was started");
    outcome("example", arguments, unreachable).map_or_else(|ended| ended.code(), |()| 0)
}

#[test]
fn without_arguments_the_service_serves() {
    assert_eq!(parse(&[]), Ok(Arguments { config: None, action: Action::Serve }));
}

#[test]
fn the_file_and_the_command_may_come_in_either_order() {
    let expected = Arguments { config: Some(PathBuf::from("a.toml")), action: Action::Migrate };

    assert_eq!(parse(&["--config", "a.toml", "migrate"]).as_ref(), Ok(&expected));
    assert_eq!(parse(&["migrate", "--config", "a.toml"]), Ok(expected));
}

#[test]
fn what_is_not_understood_is_refused() {
    assert_eq!(parse(&["--config"]), Err(UsageError::NoFile));
    assert_eq!(parse(&["--verbose"]), Err(UsageError::Unknown(OsString::from("--verbose"))));
    assert_eq!(parse(&["serve", "migrate"]), Err(UsageError::Commands));
}

#[test]
fn wrong_arguments_and_wrong_configuration_have_codes_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let misspelt = folder.path().join("misspelt.toml");
    std::fs::write(&misspelt, "[listne]\npublic = \"127.0.0.1:0\"").unwrap();

    assert_eq!(code(&["--verbose"]), EXIT_USAGE);
    assert_eq!(code(&["--config", "/does/not/exist.toml"]), EXIT_CONFIG);
    assert_eq!(code(&["--config", misspelt.to_str().unwrap()]), EXIT_CONFIG);
}

#[test]
fn the_app_gets_its_command_and_its_failure_is_the_process_failure() {
    let seen = async |process: Process<Config>| {
        anyhow::ensure!(process.command == Command::Migrate, "not migrate");
        anyhow::bail!("no database")
    };

    let ended = outcome("example", [OsString::from("migrate")], seen).unwrap_err();

    assert_eq!((ended.code(), ended.to_string().as_str()), (EXIT_FAILED, "no database"));
}

fn check(config: &Path) -> u8 {
    code(&["--config", config.to_str().unwrap(), "healthcheck"])
}

#[test]
fn the_healthcheck_follows_the_running_service() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let builder = Server::builder("example").internal("127.0.0.1:0".parse().unwrap(), Routes::new());
    let bound = runtime.block_on(builder.bind()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("example.toml");
    std::fs::write(&config, format!("[listen]\ninternal = \"{}\"", bound.internal_addr())).unwrap();
    let shutdown = CancellationToken::new();
    let running = runtime.spawn(bound.run(shutdown.clone()));

    assert_eq!(check(&config), 0);

    shutdown.cancel();
    runtime.block_on(running).unwrap().unwrap();
    assert_eq!(check(&config), EXIT_FAILED);
}

#[test]
fn a_listener_on_all_addresses_is_asked_on_loopback() {
    assert_eq!(reachable("0.0.0.0:7001".parse().unwrap()).to_string(), "127.0.0.1:7001");
    assert_eq!(reachable("10.0.0.9:7001".parse().unwrap()).to_string(), "10.0.0.9:7001");
}

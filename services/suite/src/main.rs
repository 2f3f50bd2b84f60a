//! The `countermand` command: runs the suite in one process, and speaks to a running one.
//!
//! `up` links the four services; every other verb speaks to them through their public gRPC APIs only.

#[macro_use]
mod say;

mod amounts;
mod batch_report;
mod batches;
mod bench;
mod caller;
mod cli;
mod clients;
mod demo;
mod embedded;
mod events;
mod export;
mod failure;
mod import;
mod notifications;
mod orders;
mod organising;
mod parcels;
mod partners;
mod patience;
mod policies;
mod policy_simulation;
mod render;
mod replay;
mod returns;
mod run;
mod stats;
mod stock;
mod up;
mod verify;
mod webhooks;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("starting the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(run::perform(cli));
    runtime.shutdown_background();
    ended.unwrap_or_else(|error| {
        eprintln!("{}", failure::report(&error));
        failure::exit_code(&error)
    })
}

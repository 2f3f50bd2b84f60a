//! The `countermand` command: runs the suite in one process, and speaks to a running one.
//!
//! `up` links the four services; every other verb speaks to them through their public gRPC APIs only.

#[macro_use]
mod say;

mod amounts;
mod attention;
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
mod sandbox;
mod stats;
mod stock;
mod up;
mod verify;
mod webhooks;

use clap::Parser;

fn main() -> std::process::ExitCode {
    run::process(cli::Cli::parse())
}

//! The inventory service as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    kit::process::run("inventory", inventory::app::run)
}

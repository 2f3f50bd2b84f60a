//! The order service as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    kit::process::run("order", order::app::run)
}

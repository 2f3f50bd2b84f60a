//! The notification service as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    kit::process::run("notification", notification::app::run)
}

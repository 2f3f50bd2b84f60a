//! The payment service as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    kit::process::run("payment", payment::app::run)
}

//! The payment service as a process; and, by its first argument, the simulated gateway beside it.

use std::env::args_os;
use std::process::ExitCode;

use payment::simulator;

fn main() -> ExitCode {
    if args_os().nth(1).is_some_and(|word| word == simulator::WORD) {
        return simulator::main(args_os().skip(2));
    }
    kit::process::run("payment", payment::app::run)
}

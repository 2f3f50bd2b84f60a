//! What the values promise, as claims that are tried on many inputs.

mod bounded;
mod divided_money;
mod ids;
mod instants;
mod money;
mod names;
mod reasons;

use proptest::test_runner::Config;

/// Ten thousand cases each: rounding errors hide in rare remainders.
fn many_cases() -> Config {
    Config { failure_persistence: None, ..Config::with_cases(10_000) }
}

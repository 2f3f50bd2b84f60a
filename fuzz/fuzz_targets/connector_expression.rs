//! What a tenant writes into a connector, as a rule that reads an answer and as a template: any text is refused, read or
//! evaluated, and none ends the process, takes long or takes much memory.

#![no_main]

use inventory::ports::template;
use libfuzzer_sys::fuzz_target;
use types::bounded;

const ANSWER: &[u8] = br#"{"cancelled": true, "a": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "list": [1, "two", {"three": null}]}"#;

fuzz_target!(|text: &str| {
    let rule = text.to_owned();
    if template::measure_rule(text).is_ok() {
        let _ = bounded::run(move || template::holds(&rule, 200, ANSWER)).expect("it ends in time");
    }
    let written = text.to_owned();
    if template::measure(text).is_ok() {
        let _ = bounded::run(move || template::parse(&written)).expect("it ends in time");
    }
});

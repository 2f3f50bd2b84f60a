use std::sync::Arc;

use storage::Direction;
use types::Timestamp;

use super::*;
use crate::log::Entry;
use crate::shape::{Forward, Gate, Retry, Reversible, Version};

fn shape(gate: Option<StepName>) -> Shape {
    let reversible = |step| Reversible { step, retry: Retry::quick() };
    Shape {
        name: "move",
        version: Version(1),
        reversible: vec![reversible("hold"), reversible("reserve")],
        gate: gate.map(|step| Gate { step, retry: Retry::quick() }),
        pivot: "decide",
        forward: vec![
            Forward { step: "release", completes: Some("hold") },
            Forward { step: "settle", completes: Some("reserve") },
        ],
    }
}

/// A log in words: `hold+` applied, `hold-` rejected, `hold?` pending, and the same behind `undo `.
fn log(story: &str) -> Log {
    let mut log = Log::default();
    for word in story.split(", ").filter(|word| !word.is_empty()) {
        let (direction, word) =
            word.strip_prefix("undo ").map_or((Direction::Do, word), |word| (Direction::Undo, word));
        let (step, mark) = word.split_at(word.len() - 1);
        let outcome = match mark {
            "+" => Outcome::Applied,
            "-" => Outcome::Rejected,
            _ => Outcome::Pending,
        };
        log.push(Entry {
            seq: 0,
            step: step.to_owned(),
            direction,
            outcome,
            nothing_to_do: false,
            reply: Arc::from([]),
            refusal: None,
            attempts: 1,
            epoch: 1,
            at: Timestamp::UNIX_EPOCH,
        });
    }
    log
}

#[test]
fn what_is_next_follows_from_the_log_alone() {
    let table = [
        ("", Next::Do("hold")),
        ("hold?", Next::Do("hold")),
        ("hold?, hold+", Next::Do("reserve")),
        ("hold+, reserve+", Next::Pivot),
        ("hold+, reserve+, decide+", Next::Forward(vec!["release", "settle"])),
        ("hold+, reserve+, decide+, release?, settle+", Next::Forward(vec!["release"])),
        ("hold+, reserve+, decide+, release-, settle+", Next::Forward(vec!["release"])),
        ("hold+, reserve+, decide+, settle+, release+", Next::Finish),
        ("hold+, reserve+, decide+, settle+, release+, finish+", Next::Done),
    ];

    for (story, expected) in table {
        assert_eq!(next(&shape(None), &log(story)), expected, "{story}");
    }
}

#[test]
fn the_way_back_covers_the_step_in_doubt_and_skips_the_refused_one() {
    let table = [
        ("hold-", Next::Unwound),
        ("hold+, reserve-", Next::Undo("hold")),
        ("hold+, reserve-, undo hold+", Next::Unwound),
        ("hold+, reserve-, undo hold?", Next::Undo("hold")),
        ("hold+, reserve-, undo hold-", Next::Undo("hold")),
        ("unwind+", Next::Undo("hold")),
        ("hold+, unwind+", Next::Undo("reserve")),
        ("hold+, reserve?, unwind+", Next::Undo("reserve")),
        ("hold+, unwind+, undo reserve+", Next::Undo("hold")),
        ("hold+, unwind+, reserve+", Next::Undo("reserve")),
        ("hold+, unwind+, reserve-", Next::Undo("hold")),
        ("hold+, unwind+, undo reserve+, undo hold+, unwound+", Next::Done),
    ];

    for (story, expected) in table {
        assert_eq!(next(&shape(None), &log(story)), expected, "{story}");
    }
}

#[test]
fn a_gate_may_refuse_but_never_be_left_in_doubt() {
    let gated = shape(Some("submit"));

    assert_eq!(next(&gated, &log("hold+, reserve+")), Next::Do("submit"));
    assert_eq!(next(&gated, &log("hold+, reserve+, submit+")), Next::Pivot);
    assert_eq!(next(&gated, &log("hold+, reserve+, submit-")), Next::Undo("reserve"));
    assert!(may_unwind(&gated, &log("hold+")));
    assert!(!may_unwind(&gated, &log("hold+, reserve+")), "the gate may have been sent already");
    assert!(!may_unwind(&gated, &log("hold+, reserve+, submit?")));
}

#[test]
fn a_saga_may_unwind_until_it_is_decided() {
    for story in ["", "hold+", "hold+, reserve?", "hold+, reserve+"] {
        assert!(may_unwind(&shape(None), &log(story)), "{story}");
    }
    for story in ["hold-", "hold+, unwind+", "hold+, reserve+, decide+", "hold-, unwound+"] {
        assert!(!may_unwind(&shape(None), &log(story)), "{story}");
    }
}

use storage::Direction::{Do, Undo};

use super::*;
use crate::log::Log;
use crate::progress::{self, Next};
use crate::shape::{Forward, Gate, Retry, Reversible, Version};

fn shape() -> Shape {
    let reversible = |step| Reversible { step, retry: Retry::quick() };
    Shape {
        name: "move",
        version: Version(1),
        reversible: vec![reversible("hold"), reversible("reserve"), reversible("stop")],
        gate: None,
        pivot: "decide",
        forward: vec![
            Forward { step: "release", completes: Some("hold") },
            Forward { step: "settle", completes: Some("reserve") },
            Forward { step: "tell", completes: None },
        ],
    }
}

fn gated() -> Shape {
    let mut shape = shape();
    shape.reversible.truncate(2);
    shape.gate = Some(Gate { step: "submit", retry: Retry::quick() });
    shape
}

fn failure(proof: Proof, flaw: Flaw) -> String {
    let shape = shape();
    proof(&Subject { shape: &shape, flaw: Some(flaw) })
        .expect_err("the proof passed a broken engine")
        .to_string()
}

#[test]
fn sound_definitions_pass_every_proof() {
    let bare = Shape { reversible: vec![], forward: vec![], ..shape() };

    for shape in [shape(), gated(), bare] {
        let report = all(&shape).unwrap();

        assert!(report.scenarios > shape.steps().count(), "{} scenarios", report.scenarios);
    }
}

#[test]
fn an_undo_that_does_nothing_is_caught() {
    for proof in [prove_refused, prove_lost, prove_undo_repeated, prove_unwinds] {
        let failure = failure(proof, Flaw::UndoDoesNothing);

        assert!(failure.contains("left something behind"), "{failure}");
    }
}

#[test]
fn an_effect_that_repeats_is_caught() {
    let twice = failure(prove_repeated, Flaw::EffectsRepeat);
    let lost = failure(prove_lost, Flaw::EffectsRepeat);
    let crashed = failure(prove_crashes, Flaw::EffectsRepeat);

    assert!(twice.contains("hold did not take effect exactly once"), "{twice}");
    assert!(lost.contains("hold did not take effect exactly once"), "{lost}");
    assert!(crashed.contains("hold did not take effect exactly once"), "{crashed}");
}

#[test]
fn an_undo_that_repeats_is_caught() {
    let failure = failure(prove_undo_repeated, Flaw::EffectsRepeat);

    assert!(failure.contains("left something behind"), "{failure}");
}

#[test]
fn a_reducer_that_skips_the_step_in_doubt_is_caught() {
    fn skips(shape: &Shape, log: &Log) -> Next {
        match progress::next(shape, log) {
            Next::Undo(step) if log.outcome(step, Do).is_none() => shape
                .reversible
                .iter()
                .rev()
                .map(|reversible| reversible.step)
                .find(|step| log.applied(step) && log.outcome(step, Undo).is_none())
                .map_or(Next::Unwound, Next::Undo),
            next => next,
        }
    }

    let failure = failure(prove_lost, Flaw::Reducer(skips));

    assert!(failure.contains("left something behind: Effect { done: 1, undone: 0 }"), "{failure}");
}

#[test]
fn a_reducer_that_waits_for_a_pending_step_is_caught() {
    fn one_by_one(shape: &Shape, log: &Log) -> Next {
        match progress::next(shape, log) {
            Next::Forward(mut steps) => {
                steps.truncate(1);
                Next::Forward(steps)
            }
            next => next,
        }
    }

    let failure = failure(prove_pending, Flaw::Reducer(one_by_one));

    assert!(failure.contains("release pending: another forward step waited for it"), "{failure}");
}

#[test]
fn a_reducer_that_decides_over_a_refusal_is_caught() {
    fn presses_on(shape: &Shape, log: &Log) -> Next {
        match progress::next(shape, log) {
            Next::Undo(_) | Next::Unwound => Next::Pivot,
            next => next,
        }
    }

    let failure = failure(prove_refused, Flaw::Reducer(presses_on));

    assert!(failure.contains("hold refused"), "{failure}");
}

#[test]
fn an_engine_that_loses_an_event_is_caught() {
    let failure = failure(prove_crashes, Flaw::LosesEvents);

    assert!(failure.contains("was written 2 times"), "{failure}");
}

#[test]
fn a_scenario_that_fails_at_another_step_is_caught() {
    let failure = failure(prove_refused, Flaw::RefusesAnother);

    assert!(failure.contains("another step than the intended one was refused"), "{failure}");
}

#[test]
fn every_flaw_fails_the_proofs_as_a_whole() {
    for flaw in [Flaw::UndoDoesNothing, Flaw::EffectsRepeat, Flaw::RefusesAnother, Flaw::LosesEvents] {
        assert!(all_with(&shape(), flaw).is_err(), "{flaw:?}");
        assert!(all_with(&gated(), flaw).is_err(), "{flaw:?} behind a gate");
    }
}

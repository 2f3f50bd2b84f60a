//! What every definition must survive, proved on its shape in memory: the real rules and the real step
//! ledger, with participants that count effects and a driver that breaks things on purpose.
//!
//! ```no_run
//! # fn survives(shape: &saga::Shape) {
//! saga::proofs::all(shape).unwrap();
//! # }
//! ```
//!
//! | Broken on purpose | Shown |
//! |---|---|
//! | each step says no | exactly that step was refused; a clean slate |
//! | each call is sent twice | the same answer, one effect |
//! | each answer is lost, once or for good | asked again, or taken back though never confirmed |
//! | each undo is sent twice, then the do once more | a clean slate; the late do changes nothing |
//! | each step ends later | nothing else waits for it |
//! | the worker dies before and after each commit | the same end; the zombie is fenced |
//! | the saga is asked to turn back at each point | all or nothing, as it was answered |
//!
//! Each proof is shown to fail, in the tests beside this file, on a world or an engine that is broken
//! in the way it looks for.

mod run;
#[cfg(test)]
mod tests;
mod world;

use storage::Direction;

use crate::log::Outcome;
use crate::row::State;
use crate::shape::{FINISH, Shape, StepName, UNWOUND};
use run::{Crash, Plan, Run, When};

pub use run::Flaw;

/// How much was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub scenarios: usize,
}

/// The first thing that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{definition}, {scenario}: {what}")]
pub struct Broken {
    pub definition: StepName,
    pub scenario: String,
    pub what: String,
}

type Proof = fn(&Subject<'_>) -> Result<Report, Broken>;

/// The shape under proof, with what a test has broken on purpose.
struct Subject<'a> {
    shape: &'a Shape,
    flaw: Option<Flaw>,
}

const PROOFS: [Proof; 8] = [
    prove_undisturbed,
    prove_refused,
    prove_repeated,
    prove_lost,
    prove_undo_repeated,
    prove_pending,
    prove_crashes,
    prove_unwinds,
];

/// Runs every proof on a definition's shape.
pub fn all(shape: &Shape) -> Result<Report, Broken> {
    prove(&Subject { shape, flaw: None })
}

/// The same, with one thing broken on purpose: it must fail, or it proves nothing about this shape.
pub fn all_with(shape: &Shape, flaw: Flaw) -> Result<Report, Broken> {
    prove(&Subject { shape, flaw: Some(flaw) })
}

fn prove(subject: &Subject<'_>) -> Result<Report, Broken> {
    let mut scenarios = 0;
    for proof in PROOFS {
        scenarios += proof(subject)?.scenarios;
    }
    Ok(Report { scenarios })
}

impl Subject<'_> {
    /// Runs one scenario to its end and checks what every end must look like.
    fn run(&self, scenario: &str, plan: Plan) -> Result<Run, Broken> {
        let mut run = Run::new(self.shape.clone(), self.flaw, plan);
        let ended = run.drive().and_then(|()| run.check_end());
        ended.map_err(|what| self.broken(scenario, what))?;
        Ok(run)
    }

    fn broken(&self, scenario: &str, what: String) -> Broken {
        Broken { definition: self.shape.name, scenario: scenario.to_owned(), what }
    }

    fn expect(&self, scenario: &str, holds: bool, what: &str) -> Result<(), Broken> {
        if holds { Ok(()) } else { Err(self.broken(scenario, what.to_owned())) }
    }

    /// The steps that may refuse: everything before the pivot.
    fn before_the_pivot(&self) -> Vec<StepName> {
        let reversible = self.shape.reversible.iter().map(|reversible| reversible.step);
        reversible.chain(self.shape.gate.map(|gate| gate.step)).collect()
    }
}

fn prove_undisturbed(subject: &Subject<'_>) -> Result<Report, Broken> {
    let run = subject.run("undisturbed", Plan::default())?;
    subject.expect("undisturbed", run.state() == State::Completed, "it did not complete")?;
    Ok(Report { scenarios: 1 })
}

fn prove_refused(subject: &Subject<'_>) -> Result<Report, Broken> {
    let steps = subject.before_the_pivot();
    for step in &steps {
        let scenario = format!("{step} refused");
        let run = subject.run(&scenario, Plan { refuse: Some(*step), ..Plan::default() })?;
        subject.expect(&scenario, run.state() == State::Unwound, "it did not unwind")?;
        // Without this a scenario that fails somewhere else would pass as if it had tested this step.
        let refused: Vec<&str> = run
            .log()
            .entries()
            .iter()
            .filter(|entry| entry.outcome == Outcome::Rejected)
            .map(|entry| entry.step.as_str())
            .collect();
        subject.expect(&scenario, refused == [*step], "another step than the intended one was refused")?;
    }
    Ok(Report { scenarios: steps.len() })
}

fn prove_repeated(subject: &Subject<'_>) -> Result<Report, Broken> {
    let mut scenarios = 0;
    for step in subject.shape.steps() {
        let scenario = format!("{step} sent twice");
        let plan = Plan { repeat: Some((step, Direction::Do)), ..Plan::default() };
        let run = subject.run(&scenario, plan)?;
        subject.expect(&scenario, run.state() == State::Completed, "it did not complete")?;
        subject.expect(&scenario, run.repeated(), "the step was never sent twice")?;
        scenarios += 1;
    }
    Ok(Report { scenarios })
}

fn prove_lost(subject: &Subject<'_>) -> Result<Report, Broken> {
    let mut scenarios = 0;
    for step in subject.shape.steps() {
        let scenario = format!("one answer of {step} lost");
        let run = subject.run(&scenario, Plan { lose_one: Some(step), ..Plan::default() })?;
        subject.expect(&scenario, run.state() == State::Completed, "it did not complete")?;
        scenarios += 1;
    }
    for reversible in &subject.shape.reversible {
        let scenario = format!("every answer of {} lost", reversible.step);
        let run = subject.run(&scenario, Plan { lose_all: Some(reversible.step), ..Plan::default() })?;
        subject.expect(&scenario, run.state() == State::Unwound, "silence did not turn it back")?;
        subject.expect(&scenario, !run.log().applied(reversible.step), "the lost answer was heard")?;
        scenarios += 1;
    }
    Ok(Report { scenarios })
}

fn prove_undo_repeated(subject: &Subject<'_>) -> Result<Report, Broken> {
    let mut scenarios = 0;
    let Some(last) = subject.shape.reversible.last() else { return Ok(Report::default()) };
    for reversible in &subject.shape.reversible {
        let scenario = format!("undo of {} sent twice, and its do once more", reversible.step);
        let plan = Plan {
            lose_all: Some(last.step),
            repeat: Some((reversible.step, Direction::Undo)),
            ..Plan::default()
        };
        let run = subject.run(&scenario, plan)?;
        subject.expect(&scenario, run.state() == State::Unwound, "it did not unwind")?;
        subject.expect(&scenario, run.repeated(), "the undo was never sent twice")?;
        scenarios += 1;
    }
    Ok(Report { scenarios })
}

fn prove_pending(subject: &Subject<'_>) -> Result<Report, Broken> {
    let mut scenarios = 0;
    for step in subject.shape.steps() {
        let scenario = format!("{step} pending");
        let run = subject.run(&scenario, Plan { pend: Some(step), ..Plan::default() })?;
        subject.expect(&scenario, run.state() == State::Completed, "it did not complete")?;
        subject.expect(&scenario, run.parked(), "it was never parked")?;
        let entries = run.log().entries();
        let ended = entries.iter().position(|entry| entry.step == step && entry.outcome == Outcome::Applied);
        let held_up = subject.shape.forward.iter().any(|other| {
            let done = entries
                .iter()
                .position(|entry| entry.step == other.step && entry.outcome == Outcome::Applied);
            other.step != step && done > ended
        });
        let forward = subject.shape.forward.iter().any(|forward| forward.step == step);
        subject.expect(&scenario, !(forward && held_up), "another forward step waited for it")?;
        scenarios += 1;
    }
    Ok(Report { scenarios })
}

fn prove_crashes(subject: &Subject<'_>) -> Result<Report, Broken> {
    let last = subject.before_the_pivot().last().copied();
    let mut scenarios = 0;
    for refuse in [None, last] {
        let undisturbed = subject.run("undisturbed", Plan { refuse, ..Plan::default() })?;
        for turn in 0..undisturbed.turns() {
            for when in [When::BeforeCommit, When::AfterCommit] {
                let scenario = format!("crash {when:?} of turn {turn}, refusing {refuse:?}");
                let plan = Plan { refuse, crash: Some(Crash { turn, when }), ..Plan::default() };
                let run = subject.run(&scenario, plan)?;
                subject.expect(&scenario, run.state() == undisturbed.state(), "it ended otherwise")?;
                scenarios += 1;
            }
        }
    }
    Ok(Report { scenarios })
}

fn prove_unwinds(subject: &Subject<'_>) -> Result<Report, Broken> {
    let undisturbed = subject.run("undisturbed", Plan::default())?;
    for turn in 0..=undisturbed.turns() {
        let scenario = format!("asked to unwind before turn {turn}");
        // The step that was about to be sent arrives after its undo: the tombstone must refuse it.
        let late = subject.shape.reversible.get(turn).map(|reversible| (reversible.step, Direction::Undo));
        let plan = Plan { unwind_before: Some(turn), repeat: late, ..Plan::default() };
        let run = subject.run(&scenario, plan)?;
        let expected = match run.unwind_accepted() {
            Some(true) => State::Unwound,
            Some(false) => State::Completed,
            // The request came after the end; the books refuse it like any other.
            None => undisturbed.state(),
        };
        subject.expect(&scenario, run.state() == expected, "the answer and the end differ")?;
        let last = run.log().entries().last().map(|entry| entry.step.as_str());
        let end = if expected == State::Unwound { UNWOUND } else { FINISH };
        subject.expect(&scenario, last == Some(end), "the log does not tell its end")?;
    }
    Ok(Report { scenarios: undisturbed.turns() + 1 })
}

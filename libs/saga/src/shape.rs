//! The form of a definition without its functions: what the pure rules and the proofs read.

use std::collections::BTreeSet;
use std::time::Duration;

pub type StepName = &'static str;

/// The log's names of what is no step of a table; a step may not carry them. The end of a saga that went
/// through:
pub const FINISH: StepName = "finish";
/// The order to turn back, by a person or by a clock:
pub const UNWIND: StepName = "unwind";
/// The end of a saga that put everything back:
pub const UNWOUND: StepName = "unwound";

/// A version is immutable once shipped: a changed table is the next version beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub i64);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    pub name: StepName,
    pub version: Version,
    pub reversible: Vec<Reversible>,
    pub gate: Option<Gate>,
    pub pivot: StepName,
    pub forward: Vec<Forward>,
}

/// A step that can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reversible {
    pub step: StepName,
    pub retry: Retry,
}

/// The last remote step before the pivot when it cannot be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    pub step: StepName,
    pub retry: Retry,
}

/// A step after the pivot, retried until done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    pub step: StepName,
    /// The reversible step whose reservation this one turns into fact.
    pub completes: Option<StepName>,
}

/// How a step is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Askings in one go, before the saga gives its lease up and comes back later.
    pub tries_inline: u32,
    pub per_try: Duration,
    /// Silence, not waiting, ends a saga before its pivot: a PENDING answer is an answer.
    pub silence_max: Duration,
}

impl Retry {
    const SILENCE_MAX: Duration = Duration::from_mins(15);

    /// A participant that answers at once: three askings of two seconds.
    pub const fn quick() -> Self {
        Self { tries_inline: 3, per_try: Duration::from_secs(2), silence_max: Self::SILENCE_MAX }
    }

    /// A participant that has to ask others and may stay PENDING until its own deadline: one slower
    /// asking a time, because the next poll comes anyway.
    pub const fn until_deadline() -> Self {
        Self { tries_inline: 1, per_try: Duration::from_secs(5), silence_max: Self::SILENCE_MAX }
    }
}

impl Shape {
    pub fn knows(&self, step: &str) -> bool {
        self.steps().any(|name| name == step) || [self.pivot, FINISH, UNWIND, UNWOUND].contains(&step)
    }

    /// The remote steps in the order of the table.
    pub fn steps(&self) -> impl Iterator<Item = StepName> {
        let before = self.reversible.iter().map(|reversible| reversible.step);
        let gate = self.gate.iter().map(|gate| gate.step);
        before.chain(gate).chain(self.forward.iter().map(|forward| forward.step))
    }

    pub(crate) fn retry(&self, step: &str) -> Retry {
        let before = self.reversible.iter().map(|reversible| (reversible.step, reversible.retry));
        let gate = self.gate.iter().map(|gate| (gate.step, gate.retry));
        before.chain(gate).find(|(name, _)| *name == step).map_or_else(Retry::quick, |(_, retry)| retry)
    }

    /// The first thing wrong with a table that the types cannot forbid.
    pub(crate) fn defect(&self) -> Option<String> {
        let mut seen = BTreeSet::from([FINISH, UNWIND, UNWOUND]);
        for name in self.steps().chain([self.pivot]) {
            if name.is_empty() || name.len() > 64 || !name.is_ascii() {
                return Some(format!("step {name:?} of {} is not 1 to 64 ASCII characters", self.name));
            }
            if !seen.insert(name) {
                return Some(format!("{} names {name:?} twice, or the name is reserved", self.name));
            }
        }
        let reversible = |name: StepName| self.reversible.iter().any(|known| known.step == name);
        let lost = self.forward.iter().filter_map(|forward| forward.completes).find(|name| !reversible(name));
        lost.map(|name| format!("{} completes {name:?}, which is no reversible step", self.name))
    }
}

#[cfg(test)]
mod tests;

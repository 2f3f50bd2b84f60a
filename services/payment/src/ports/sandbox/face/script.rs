//! What the simulator was told to do wrong with the next effects.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use types::Tenant;

/// How many faults are kept for a tenant.
pub const FAULTS_MAX: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Too many requests; nothing is done.
    Limited,
    /// A server's error; nothing is done.
    FailBefore,
    /// No answer; nothing is done.
    HangBefore,
    /// It is done, and the answer is a server's error.
    FailAfter,
    /// It is done, and there is no answer.
    HangAfter,
}

impl Fault {
    const ALL: [(&str, Self); 5] = [
        ("limited", Self::Limited),
        ("fail_before", Self::FailBefore),
        ("hang_before", Self::HangBefore),
        ("fail_after", Self::FailAfter),
        ("hang_after", Self::HangAfter),
    ];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(name, _)| *name == text).map(|(_, fault)| fault)
    }
}

/// Faults in the order in which they were asked for; each spoils one effect.
#[derive(Clone, Default)]
pub struct Script {
    faults: Arc<Mutex<BTreeMap<Tenant, VecDeque<Fault>>>>,
}

impl Script {
    /// False if there is no room for so many.
    pub fn add(&self, tenant: Tenant, fault: Fault, times: usize) -> bool {
        let mut all = self.lock();
        let faults = all.entry(tenant).or_default();
        if faults.len().saturating_add(times) > FAULTS_MAX {
            return false;
        }
        faults.extend(std::iter::repeat_n(fault, times));
        true
    }

    pub fn next(&self, tenant: &Tenant) -> Option<Fault> {
        self.lock().get_mut(tenant)?.pop_front()
    }

    /// No panic can leave the queue half changed, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Tenant, VecDeque<Fault>>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! [`Admission`]: so many calls at a time, shared fairly.
//!
//! One caller never has all turns, so that somebody else's call finds one at once; and a turn that becomes free goes to
//! whoever waits and has the fewest, first by tenant, then by caller.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use types::{Reason, Tenant};

use crate::failure::Failure;

/// How long a call may wait for its turn; longer queues only turn overload into timeouts.
const WAIT_MAX: Duration = Duration::from_millis(100);
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Whose calls are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Caller {
    User(Arc<User>),
    /// Our own services: they are few, and each of them calls for everybody.
    Peers,
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct User {
    pub(super) tenant: Tenant,
    pub(super) name: String,
}

impl Caller {
    fn tenant(&self) -> Option<&Tenant> {
        match self {
            Self::User(user) => Some(&user.tenant),
            Self::Peers => None,
        }
    }
}

pub(super) struct Admission {
    state: Mutex<State>,
    calls_max: usize,
    /// Of one user.
    user_max: usize,
    tenant_max: usize,
}

struct State {
    free: usize,
    callers: HashMap<Caller, usize>,
    tenants: HashMap<Tenant, usize>,
    waiting: HashMap<Caller, VecDeque<oneshot::Sender<Turn>>>,
}

/// The right to run one call, given back when it is dropped.
pub(super) struct Turn {
    admission: Arc<Admission>,
    caller: Caller,
}

impl Admission {
    pub(super) fn new(calls_max: usize) -> Arc<Self> {
        let calls_max = calls_max.max(1);
        let tenant_max = (calls_max - calls_max / 8).max(1);
        let user_max = (calls_max - calls_max / 4).max(1);
        let state = State {
            free: calls_max,
            callers: HashMap::new(),
            tenants: HashMap::new(),
            waiting: HashMap::new(),
        };
        Arc::new(Self { state: Mutex::new(state), calls_max, user_max, tenant_max })
    }

    pub(super) async fn admit(self: &Arc<Self>, caller: &Caller) -> Result<Turn, Failure> {
        let mut waiting = match self.begin(caller) {
            Begun::Admitted(turn) => return Ok(turn),
            Begun::Waits(waiting) => waiting,
            Begun::Refused => return Err(overloaded()),
        };
        match tokio::time::timeout(WAIT_MAX, waiting.turn()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(overloaded()),
        }
    }

    fn begin(self: &Arc<Self>, caller: &Caller) -> Begun {
        let mut state = self.state();
        if self.has_turn_for(&state, caller) {
            state.take(caller);
            drop(state);
            return Begun::Admitted(Turn { admission: Arc::clone(self), caller: caller.clone() });
        }
        let queue = state.waiting.entry(caller.clone()).or_default();
        // One caller's queue never is longer than what all may run.
        if queue.len() >= self.calls_max {
            return Begun::Refused;
        }
        let (sender, receiver) = oneshot::channel();
        queue.push_back(sender);
        Begun::Waits(Waiting {
            admission: Arc::clone(self),
            caller: caller.clone(),
            receiver: Some(receiver),
        })
    }

    fn has_turn_for(&self, state: &State, caller: &Caller) -> bool {
        let Some(tenant) = caller.tenant() else { return state.free > 0 };
        state.free > 0 && state.of_caller(caller) < self.user_max && state.of_tenant(tenant) < self.tenant_max
    }

    /// Gives a turn back, and on to whoever has the fewest.
    fn end(self: &Arc<Self>, caller: &Caller) {
        let mut state = self.state();
        state.give_back(caller);
        let next = state.waiting.keys().filter(|caller| self.has_turn_for(&state, caller));
        let next = next.min_by_key(|caller| {
            (caller.tenant().map_or(0, |tenant| state.of_tenant(tenant)), state.of_caller(caller))
        });
        let Some(next) = next.cloned() else { return };
        let Some(sender) = state.pop(&next) else { return };
        state.take(&next);
        drop(state);
        // Whoever has stopped waiting in this moment drops the turn, which comes back here.
        drop(sender.send(Turn { admission: Arc::clone(self), caller: next }));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn of_caller(&self, caller: &Caller) -> usize {
        self.callers.get(caller).copied().unwrap_or(0)
    }

    fn of_tenant(&self, tenant: &Tenant) -> usize {
        self.tenants.get(tenant).copied().unwrap_or(0)
    }

    fn take(&mut self, caller: &Caller) {
        self.free -= 1;
        *self.callers.entry(caller.clone()).or_default() += 1;
        if let Some(tenant) = caller.tenant() {
            *self.tenants.entry(tenant.clone()).or_default() += 1;
        }
    }

    fn give_back(&mut self, caller: &Caller) {
        self.free += 1;
        take_one(&mut self.callers, caller);
        if let Some(tenant) = caller.tenant() {
            take_one(&mut self.tenants, tenant);
        }
    }

    fn pop(&mut self, caller: &Caller) -> Option<oneshot::Sender<Turn>> {
        let queue = self.waiting.get_mut(caller)?;
        let sender = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(caller);
        }
        sender
    }

    /// Takes those out of a caller's queue who wait no more.
    fn forget_gone(&mut self, caller: &Caller) {
        let Some(queue) = self.waiting.get_mut(caller) else { return };
        queue.retain(|sender| !sender.is_closed());
        if queue.is_empty() {
            self.waiting.remove(caller);
        }
    }
}

fn take_one<K: Eq + std::hash::Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.admission.end(&self.caller);
    }
}

enum Begun {
    Admitted(Turn),
    Waits(Waiting),
    Refused,
}

/// A place in a queue, left when it is dropped.
struct Waiting {
    admission: Arc<Admission>,
    caller: Caller,
    receiver: Option<oneshot::Receiver<Turn>>,
}

impl Waiting {
    async fn turn(&mut self) -> Result<Turn, oneshot::error::RecvError> {
        match self.receiver.as_mut() {
            Some(receiver) => receiver.await,
            // Never: the receiver goes when this is dropped.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // First the receiver, or its sender would not know yet.
        self.receiver = None;
        self.admission.state().forget_gone(&self.caller);
    }
}

pub(super) fn overloaded() -> Failure {
    let message = "too many calls at once; send the same request again later";
    Failure::unavailable(Reason::Overloaded, message, RETRY_AFTER)
}

#[cfg(test)]
mod tests;

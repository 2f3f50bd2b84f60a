//! Callers who wait a moment for what they began, so that a fast gateway is answered in the same call.
//!
//! ```text
//!   handler: join ─▶ submit ─▶ wait ≤ patience ─▶ answer, or "pending"
//!   decide:              promise ── somebody waits: the answer is the signal, no event is needed
//!   committed:                └──▶ tell
//! ```
//!
//! A caller that was promised an answer does not leave before the commit. If it is lost all the same
//! (this process dies, the connection breaks), the saga's own poll finds the ended step.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use types::{PaymentId, Tenant};

use super::command::StepAnswer;

/// What can be waited for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Awaited {
    Step {
        tenant: Tenant,
        saga_id: String,
        step: String,
    },
    /// That the gateway has said what became of a payment or its captures.
    Payment {
        tenant: Tenant,
        payment_id: PaymentId,
    },
}

/// How much longer a caller waits for the commit that its answer was promised in.
const COMMIT_MAX: Duration = Duration::from_secs(5);

/// Those who wait in this process. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Waiters {
    queue: Arc<Mutex<Queue>>,
}

#[derive(Debug, Default)]
struct Queue {
    next: u64,
    places: HashMap<Awaited, Vec<Place>>,
}

#[derive(Debug)]
struct Place {
    number: u64,
    promised: bool,
    answer: oneshot::Sender<StepAnswer>,
}

/// A place among those who wait; given up when it is dropped.
#[derive(Debug)]
pub struct Waiter {
    waiters: Waiters,
    awaited: Awaited,
    number: u64,
    answer: oneshot::Receiver<StepAnswer>,
}

impl Waiters {
    /// Taken before the command is submitted, so that no answer is missed.
    pub fn join(&self, awaited: Awaited) -> Waiter {
        let (answer, receiver) = oneshot::channel();
        let mut queue = self.lock();
        queue.next += 1;
        let number = queue.next;
        queue.places.entry(awaited.clone()).or_default().push(Place { number, promised: false, answer });
        drop(queue);
        Waiter { waiters: self.clone(), awaited, number, answer: receiver }
    }

    /// Whether somebody waits, who from now on stays until told.
    pub fn promise(&self, awaited: &Awaited) -> bool {
        let mut queue = self.lock();
        let Some(places) = queue.places.get_mut(awaited) else { return false };
        for place in places.iter_mut() {
            place.promised = true;
        }
        !places.is_empty()
    }

    pub fn tell(&self, awaited: &Awaited, answer: &StepAnswer) {
        let told = self.lock().places.remove(awaited);
        for place in told.into_iter().flatten() {
            // Whoever has gone away meanwhile does not want the answer.
            drop(place.answer.send(answer.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic cannot leave it half-written: every change is one insertion or removal.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter {
    /// The answer, if it comes in time.
    pub async fn wait(mut self, patience: Duration) -> Option<StepAnswer> {
        match tokio::time::timeout(patience, &mut self.answer).await {
            Ok(answer) => answer.ok(),
            Err(_) if self.leave() => None,
            Err(_) => tokio::time::timeout(COMMIT_MAX, &mut self.answer).await.ok()?.ok(),
        }
    }

    /// False if the answer was promised, and the place is therefore kept.
    fn leave(&self) -> bool {
        let mut queue = self.waiters.lock();
        let Some(places) = queue.places.get_mut(&self.awaited) else { return false };
        if places.iter().any(|place| place.number == self.number && place.promised) {
            return false;
        }
        self.remove(&mut queue);
        true
    }

    fn remove(&self, queue: &mut Queue) {
        if let Some(places) = queue.places.get_mut(&self.awaited) {
            places.retain(|place| place.number != self.number);
            if places.is_empty() {
                queue.places.remove(&self.awaited);
            }
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut queue = self.waiters.lock();
        self.remove(&mut queue);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn step(saga_id: &str) -> Awaited {
        Awaited::Step {
            tenant: Tenant::DEFAULT,
            saga_id: saga_id.to_owned(),
            step: "settle_refund".to_owned(),
        }
    }

    fn answer() -> StepAnswer {
        StepAnswer::Applied(vec![1])
    }

    #[tokio::test]
    async fn everybody_who_waits_is_told_and_nobody_else() {
        let waiters = Waiters::default();
        let (one, two, other) =
            (waiters.join(step("sag_1")), waiters.join(step("sag_1")), waiters.join(step("sag_2")));

        assert!(waiters.promise(&step("sag_1")));
        waiters.tell(&step("sag_1"), &answer());

        assert_eq!(one.wait(LONG).await, Some(answer()));
        assert_eq!(two.wait(LONG).await, Some(answer()));
        assert_eq!(other.wait(Duration::ZERO).await, None);
    }

    #[tokio::test]
    async fn nothing_is_promised_to_who_has_left() {
        let waiters = Waiters::default();

        let gone = waiters.join(step("sag_1"));
        drop(gone);
        let impatient = waiters.join(step("sag_2"));
        assert_eq!(impatient.wait(Duration::ZERO).await, None);

        assert!(!waiters.promise(&step("sag_1")));
        assert!(!waiters.promise(&step("sag_2")));
        assert!(waiters.lock().places.is_empty());
    }

    #[tokio::test]
    async fn who_was_promised_an_answer_waits_for_the_commit() {
        let waiters = Waiters::default();
        let waiter = waiters.join(step("sag_1"));
        assert!(waiters.promise(&step("sag_1")));

        let waiting = tokio::spawn(waiter.wait(Duration::ZERO));
        tokio::task::yield_now().await;
        waiters.tell(&step("sag_1"), &answer());

        assert_eq!(waiting.await.unwrap(), Some(answer()));
    }
}

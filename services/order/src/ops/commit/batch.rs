//! The group commit. Requests, saga rounds and events that arrive at the same time are decided one after the other on one overlay, and
//! written by one transaction, whichever orders they are about.

use std::sync::{Arc, OnceLock};

use saga::{Doorbell, SagaImage};
use storage::{Accepted, Batch, DbError, Delivery, Overlay as _, Relay, Request, Tx};

use crate::ops::books::{Books, Touched, views};
use crate::ops::command::{After, Asked};
use crate::ops::commit::command::{Answer, Command};
use crate::ops::commit::event_log::EventLog;
use crate::ops::commit::hints::{Hints, Seen};
use crate::ops::commit::load;
use crate::ops::decide::{self, Context, arrivals, carry};
use crate::ops::use_cases::{AnyUseCase, Work};
use crate::store::keys::OrderKey;

pub struct Reply {
    pub answer: Answer,
    effects: Effects,
}

/// What follows a command once it is committed.
#[derive(Default)]
struct Effects {
    /// A saga that was accepted here, under our lease.
    start: Option<SagaImage>,
    /// A saga is due before the next poll.
    due: bool,
    events: bool,
    seen: Vec<(OrderKey, Option<Arc<Seen>>)>,
}

pub struct OrderBatch {
    pub context: Context,
    pub hints: Hints,
    pub bell: Doorbell,
    /// Set once the relay runs; until then the relay's own poll finds the events.
    pub relay: OnceLock<Relay>,
    pub event_log: EventLog,
}

impl Batch for OrderBatch {
    type Command = Command;
    type Reply = Reply;

    fn key(command: &Command) -> String {
        command.key()
    }

    async fn decide(&self, tx: &mut Tx, commands: &[Command]) -> Result<Vec<Reply>, DbError> {
        let mut books = load::books(&self.context, tx, commands).await?;
        let replies = commands.iter().map(|command| self.decide_one(&mut books, command)).collect();
        books.flush(tx).await?;
        Ok(replies)
    }

    fn committed(&self, _: &[Command], replies: &[Reply]) {
        let (mut due, mut events) = (false, false);
        for Effects { start, due: one_due, events: one_events, seen } in
            replies.iter().map(|reply| &reply.effects)
        {
            if let Some(image) = start {
                self.bell.hand_over(image.clone());
            }
            for (key, seen) in seen {
                self.hints.tell(key, seen.clone());
            }
            due |= one_due;
            events |= one_events;
        }
        if due {
            self.bell.wake();
        }
        if events {
            self.event_log.wake();
            if let Some(relay) = self.relay.get() {
                relay.wake();
            }
        }
    }
}

impl OrderBatch {
    fn decide_one(&self, books: &mut Books, command: &Command) -> Reply {
        books.begin();
        let events_before = books.events();
        let mut after = After::default();
        let answer = match command {
            Command::Ask(asked, use_case) => self.asked(books, asked, use_case.as_ref(), &mut after),
            Command::Advance(advance) => {
                Answer::Advanced(carry::advance(&self.context, books, advance).map(Box::new))
            }
            Command::Deliver(arrival) => Answer::Delivered(arrivals::deliver(books, arrival, &mut after)),
            Command::Queue(queue) => {
                decide::queue::judge(books, queue);
                Answer::Noted
            }
        };
        if matches!(answer, Answer::Refused(_) | Answer::Delivered(Delivery::Later)) {
            books.rollback();
        }
        let touched = books.touched(events_before);
        let effects = Effects {
            start: after.start,
            due: after.due,
            events: touched.events,
            seen: self.seen(books, touched),
        };
        Reply { answer, effects }
    }

    fn asked(
        &self,
        books: &mut Books,
        asked: &Asked,
        use_case: &dyn AnyUseCase,
        after: &mut After,
    ) -> Answer {
        match books.requests.check(&asked.key, &asked.fingerprint) {
            Request::Fresh => {}
            Request::Seen(resource) => return Answer::AcceptedBefore(resource),
            Request::Reused(refusal) => return Answer::Refused(refusal),
        }
        if let Err(absent) = decide::visible::check(books, asked, use_case.about()) {
            return Answer::Refused(absent);
        }
        match use_case.decide(&mut Work { context: &self.context, books, asked, after }) {
            Ok(decided) => {
                let (id, fingerprint) = (books.ids.mint(), asked.fingerprint.clone());
                let accepted = Accepted { id, fingerprint, resource_id: decided.resource_id, at: books.now };
                books.requests.store(asked.key.clone(), accepted);
                Answer::Accepted(decided.answer)
            }
            Err(refusal) => Answer::Refused(refusal),
        }
    }

    /// Pictures of the changed orders, for callers who wait in this process. Orders that nobody waits for get none.
    fn seen(&self, books: &Books, touched: Touched) -> Vec<(OrderKey, Option<Arc<Seen>>)> {
        let Touched { orders, changes, .. } = touched;
        orders
            .into_iter()
            .map(|key| {
                let seen = self.hints.is_watched(&key).then(|| {
                    let order = books.orders.get(&key).expect("only orders at hand are touched");
                    let changes = changes
                        .iter()
                        .filter_map(|change| books.changes.get(change))
                        .filter(|change| change.order_id == key.1)
                        .map(|change| views::of_books(&self.context.registry, books, order, change))
                        .collect();
                    Arc::new(Seen { order: order.clone(), changes })
                });
                (key, seen)
            })
            .collect()
    }
}

//! The one group commit of this service. Requests, saga rounds and events that arrive together are decided one by one
//! on one overlay and written by one transaction, whatever orders they are about.

use std::sync::{Arc, OnceLock};

use saga::{Advance, Doorbell, Lease, LeaseLost, Registry, SagaImage};
use storage::{Accepted, Batch, DbError, Delivery, Relay, Request, RequestKey, Tx};
use types::{
    AttentionId, ChangeOrderId, Clock, Fingerprint, Grants, Ids, OrderId, Reach, Reason, Refusal, Role,
    SagaId, Tenant,
};

use super::arrivals::Arrival;
use super::books::{Books, Touched};
use super::desk::{self, DeskAnswer, DeskWish};
use super::event_log::EventLog;
use super::hints::{Hints, Seen};
use super::policies::{self, Shelves};
use super::queue::Queue;
use super::remedies::{self, RemedyWish};
use super::returns::{self, ReturnWish};
use super::{accept, arrivals, attention, carry, findings, load, steer, views, visible};
use crate::domain::attention::AttentionItem;
use crate::domain::change::{ChangeRequest, ChangeView};
use crate::domain::findings::Findings;
use crate::domain::order::{Actor, Order};
use crate::domain::placing::NewOrder;
use crate::domain::policy::{Document, Edition, Selector};
use crate::domain::quote::{Presented, QuoteKey};
use crate::domain::reason::CancelReason;
use crate::domain::returns::Return;
use crate::ports::Ports;
use crate::store::keys::OrderKey;

/// Who asks for what, and under which name, so that asking again does nothing twice.
pub struct Asked {
    pub tenant: Tenant,
    pub actor: Actor,
    /// Which orders are there for who asks, as far as the role map goes.
    pub reach: Reach,
    pub key: RequestKey,
    pub fingerprint: Fingerprint,
    pub traceparent: Option<String>,
}

pub enum Command {
    Ask(Box<Asked>, Wish),
    Advance(Box<Advance>),
    Deliver(Box<Arrival>),
    Queue(Queue),
}

/// What a caller of the public port may wish for.
pub enum Wish {
    CreateOrder(Box<NewOrder>),
    ConfirmOrder(OrderId),
    StartProcessing(OrderId),
    SubmitChange { request: Box<ChangeRequest>, quote: Option<Presented> },
    WithdrawChange { change_order_id: ChangeOrderId, note: String },
    RetryStep { saga_id: SagaId, note: String },
    AbortBeforePivot { saga_id: SagaId, note: String },
    WritePolicy { policy_id: String, document: Box<Document> },
    ChoosePolicy { policy_id: String, version: i64, selector: Selector },
    OfferReason(Box<CancelReason>),
    PutOnEdition(Box<Edition>),
    GrantRoles(Vec<(Role, Grants)>),
    RaiseFindings(Box<Findings>),
    Acknowledge { attention_id: AttentionId, note: String },
    Desk(DeskWish),
    Remedy(RemedyWish),
    Return(ReturnWish),
}

pub struct Reply {
    pub answer: Answer,
    effects: Effects,
}

pub enum Answer {
    Refused(Refusal),
    /// The request was accepted before, and this is its resource.
    AcceptedBefore(String),
    Order(Box<Order>),
    Change(Box<ChangeView>),
    Saga(Box<SagaImage>),
    Desk(Box<DeskAnswer>),
    Return(Box<Return>),
    Attention(Box<AttentionItem>),
    /// What a policy command has written, by name.
    Written(String),
    Advanced(Result<Box<SagaImage>, LeaseLost>),
    Delivered(Delivery),
    Noted,
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

/// What a decided command asks to be done after its commit.
#[derive(Default)]
pub(super) struct After {
    pub start: Option<SagaImage>,
    pub due: bool,
}

pub struct OrderBatch {
    pub(super) registry: Arc<Registry<Ports, Books>>,
    pub(super) clock: Clock,
    pub(super) ids: Ids,
    /// What a saga that is accepted here begins with.
    pub(super) lease: Lease,
    pub(super) quote_key: QuoteKey,
    pub(super) hints: Hints,
    pub(super) shelves: Shelves,
    pub(super) bell: Doorbell,
    /// Set once the relay runs; until then the relay's own poll finds the events.
    pub(super) relay: OnceLock<Relay>,
    pub(super) event_log: EventLog,
}

impl Batch for OrderBatch {
    type Command = Command;
    type Reply = Reply;

    /// Orders are not among the keys: the overlay shows a command what the one before it has decided, so many
    /// commands of one order share a batch. Only what is decided from its own stored row stands alone.
    fn key(command: &Command) -> String {
        match command {
            Command::Ask(asked, _) => asked.key.text(),
            Command::Advance(advance) => format!("{}/{}", advance.key.tenant, advance.key.id),
            Command::Deliver(arrival) => {
                format!("{}/{}", arrival.envelope.tenant, arrival.envelope.event_id)
            }
            Command::Queue(queue) => format!("{}/outbox", queue.tenant),
        }
    }

    async fn decide(&self, tx: &mut Tx, commands: &[Command]) -> Result<Vec<Reply>, DbError> {
        let mut books = load::books(self, tx, commands).await?;
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
            Command::Ask(asked, wish) => self.asked(books, asked, wish, &mut after),
            Command::Advance(advance) => Answer::Advanced(carry::advance(self, books, advance).map(Box::new)),
            Command::Deliver(arrival) => Answer::Delivered(arrivals::deliver(books, arrival, &mut after)),
            Command::Queue(queue) => {
                queue.judge(books);
                Answer::Noted
            }
        };
        if matches!(answer, Answer::Refused(_) | Answer::Delivered(Delivery::Later)) {
            saga::Books::rollback(books);
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

    fn asked(&self, books: &mut Books, asked: &Asked, wish: &Wish, after: &mut After) -> Answer {
        match books.requests.check(&asked.key, &asked.fingerprint) {
            Request::Fresh => {}
            Request::Seen(resource) => return Answer::AcceptedBefore(resource),
            Request::Reused(resource) => {
                let message = format!("request_id {} was used for another request", asked.key.request_id);
                let refusal = Refusal::new(Reason::IdempotencyKeyReused, message).field("request_id");
                return Answer::Refused(refusal.detail("resource_id", resource));
            }
        }
        if let Err(absent) = visible::check(books, asked, wish) {
            return Answer::Refused(absent);
        }
        let done = match wish {
            Wish::CreateOrder(new) => accept::create(self, books, asked, new, after),
            Wish::ConfirmOrder(order_id) => accept::confirm(books, asked, order_id),
            Wish::StartProcessing(order_id) => accept::start_processing(books, asked, order_id),
            Wish::SubmitChange { request, quote } => {
                accept::submit(self, books, asked, request, quote.as_ref(), after)
            }
            Wish::WithdrawChange { change_order_id, note } => {
                steer::withdraw(self, books, asked, change_order_id, note, after)
            }
            Wish::RetryStep { saga_id, note } => steer::retry(books, asked, saga_id, note, after),
            Wish::AbortBeforePivot { saga_id, note } => steer::abort(books, asked, saga_id, note, after),
            Wish::WritePolicy { policy_id, document } => policies::write(books, asked, policy_id, document),
            Wish::ChoosePolicy { policy_id, version, selector } => {
                policies::choose(books, asked, policy_id, *version, selector)
            }
            Wish::OfferReason(reason) => policies::offer(books, asked, reason),
            Wish::PutOnEdition(edition) => Ok(policies::put_on(books, asked, edition)),
            Wish::GrantRoles(granted) => policies::grant(books, asked, granted),
            Wish::RaiseFindings(findings) => Ok(findings::raise(books, asked, findings)),
            Wish::Acknowledge { attention_id, note } => {
                attention::acknowledge(books, asked, attention_id, note)
            }
            Wish::Desk(wish) => desk::decide(books, asked, wish),
            Wish::Remedy(wish) => remedies::decide(self, books, asked, wish, after),
            Wish::Return(wish) => returns::decide(self, books, asked, wish, after),
        };
        match done {
            Ok((answer, resource)) => {
                let (id, fingerprint) = (books.ids.mint(), asked.fingerprint.clone());
                let accepted = Accepted { id, fingerprint, resource_id: resource, at: books.now };
                books.requests.store(asked.key.clone(), accepted);
                answer
            }
            Err(refusal) => Answer::Refused(refusal),
        }
    }

    /// Pictures of what changed, for those who wait for it in this process. Without anybody waiting none is made.
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
                        .map(|change| views::of_books(self, books, order, change))
                        .collect();
                    Arc::new(Seen { order: order.clone(), changes })
                });
                (key, seen)
            })
            .collect()
    }
}

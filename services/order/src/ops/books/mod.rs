//! The overlay: everything that one batch touches, changed in memory by the commands and written set-based at the end. A refused command
//! is rolled back here and leaves nothing behind.

pub mod attention;
pub mod decisions;
pub mod desk;
pub mod policies;
pub mod views;
pub mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use saga::{LocalError, SagaBooks, SagaRow};
use storage::{DbError, Inbox, NewEvent, Overlay, RequestKeys, Table, Tx, outbox};
use types::{ChangeOrderId, Ids, SagaId, Tenant, Timestamp};

use crate::domain::attention::AttentionItem;
use crate::domain::change::ChangeOrder;
use crate::domain::history::{Entry, Fact, Happened, Recorded};
use crate::domain::order::{ExternalReference, Order, Placement};
use crate::domain::returns::Return;
use crate::ops::books::decisions::Decisions;
use crate::ops::books::desk::Desk;
use crate::ops::books::policies::PolicyBook;
use crate::ops::plans;
use crate::store::attention::AttentionKey;
use crate::store::groups::Bearer;
use crate::store::keys::{ChangeKey, OrderKey};
use crate::store::returns::ReturnKey;
use crate::store::{attention as stored_attention, changes, labels, orders, returns, shrunk, timeline};
use crate::wire::{self, movement};

/// The aggregate type of every event this service sends.
const AGGREGATE: &str = "order";

pub struct Books {
    /// The instant of everything this batch decides.
    pub now: Timestamp,
    pub ids: Ids,
    pub requests: RequestKeys,
    pub inbox: Inbox,
    pub sagas: SagaBooks,
    pub orders: Table<OrderKey, Order>,
    pub changes: Table<ChangeKey, ChangeOrder>,
    pub attention: Table<AttentionKey, AttentionItem>,
    /// Returns that a command names, and the open returns of orders that get another one.
    pub returns: Table<ReturnKey, Return>,
    /// Which orders bear the names and numbers that new orders ask for.
    pub references: Table<(Tenant, ExternalReference), Bearer>,
    pub numbers: Table<(Tenant, String), Bearer>,
    /// The place sagas of orders that were being placed when the batch began.
    pub placing: BTreeMap<OrderKey, SagaId>,
    /// All changes of the orders that are needed with their history, as of the beginning of the batch.
    pub histories: BTreeMap<OrderKey, Vec<ChangeOrderId>>,
    pub policies: PolicyBook,
    pub decisions: Decisions,
    /// Messages and folders.
    pub desk: Desk,
    told: Told,
}

/// Timeline entries and events, in order. They are numbered when the batch is written, because only then is it certain which remain.
#[derive(Default)]
struct Told {
    entries: Vec<(OrderKey, Entry)>,
    events: Vec<(OrderKey, Event)>,
    /// Events of aggregates other than orders, with sequence numbers of their own.
    beside: Vec<NewEvent>,
    entries_marked: usize,
    events_marked: usize,
    beside_marked: usize,
    /// What the current command has changed.
    touched: BTreeSet<OrderKey>,
    touched_changes: BTreeSet<ChangeKey>,
}

struct Event {
    kind: &'static str,
    payload: Vec<u8>,
    traceparent: Option<String>,
}

/// What one command has changed, for callers who wait.
#[derive(Debug, Default)]
pub struct Touched {
    pub orders: BTreeSet<OrderKey>,
    pub changes: BTreeSet<ChangeKey>,
    pub events: bool,
}

impl Books {
    pub fn new(now: Timestamp, ids: Ids, requests: RequestKeys, inbox: Inbox, sagas: SagaBooks) -> Self {
        Self {
            now,
            ids,
            requests,
            inbox,
            sagas,
            orders: Table::new(),
            changes: Table::new(),
            attention: Table::new(),
            returns: Table::new(),
            references: Table::new(),
            numbers: Table::new(),
            placing: BTreeMap::new(),
            histories: BTreeMap::new(),
            desk: Desk::default(),
            policies: PolicyBook::default(),
            decisions: Decisions::default(),
            told: Told::default(),
        }
    }

    /// What a saga is about: its order, and its change if it carries one.
    pub fn subject(&self, row: &SagaRow) -> Result<(Order, Option<ChangeOrder>), LocalError> {
        let tenant = &row.key.tenant;
        let order_id = plans::order_of(&row.params).ok_or_else(|| defect("the plan names no order"))?;
        let order = self.orders.get(&(tenant.clone(), order_id)).cloned();
        let order = order.ok_or_else(|| defect("the saga's order does not exist"))?;
        let change_id = match row.subject_type.as_str() {
            plans::SUBJECT_CHANGE => Some(ChangeOrderId::parse(&row.subject_id).map_err(defect)?),
            // A change may wait for the place saga to compensate.
            _ => order.change_in_progress.clone().filter(|_| order.placement == Placement::Placing),
        };
        let change = match change_id {
            None => None,
            Some(id) => {
                let change = self.changes.get(&(tenant.clone(), id)).cloned();
                Some(change.ok_or_else(|| defect("the saga's change does not exist"))?)
            }
        };
        Ok((order, change))
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Puts an order and a change back into the overlay, with the timeline entries and facts of what happened.
    pub fn put(
        &mut self,
        order: Order,
        change: Option<ChangeOrder>,
        happened: Happened,
        traceparent: Option<&str>,
    ) {
        let key = orders::key(&order);
        self.told.touched.insert(key.clone());
        let Happened { entries, facts } = happened;
        for entry in entries {
            self.told.entries.push((key.clone(), entry));
        }
        self.tell_all(&key, &order, facts, traceparent);
        if self.orders.contains(&key) {
            self.orders.update(&key, |row| *row = order).expect("the order was just found");
        } else {
            self.orders.insert(key, order);
        }
        if let Some(change) = change {
            self.put_change(change);
        }
    }

    fn put_change(&mut self, change: ChangeOrder) {
        let key = changes::key(&change);
        self.told.touched_changes.insert(key.clone());
        if self.changes.contains(&key) {
            self.changes.update(&key, |row| *row = change).expect("the change was just found");
        } else {
            self.changes.insert(key, change);
        }
    }

    /// Puts a return into the overlay.
    pub fn put_return(&mut self, returned: Return) {
        let key = returns::key(&returned);
        if self.returns.contains(&key) {
            self.returns.update(&key, |row| *row = returned).expect("the return was just found");
        } else {
            self.returns.insert(key, returned);
        }
    }

    /// The return whose units a saga takes back.
    pub fn return_of(&self, row: &SagaRow) -> Result<Return, LocalError> {
        let return_id = plans::return_of(&row.params).ok_or_else(|| defect("the plan names no return"))?;
        let found = self.returns.get(&(row.key.tenant.clone(), return_id)).cloned();
        found.ok_or_else(|| defect("the saga's return does not exist"))
    }

    /// Adds an entry to an order's timeline.
    pub fn note(&mut self, key: &OrderKey, entry: Entry) {
        self.told.touched.insert(key.clone());
        self.told.entries.push((key.clone(), entry));
    }

    /// Inserts entries before those that the current command has added since `at`.
    pub fn note_at(&mut self, at: usize, key: &OrderKey, entries: impl IntoIterator<Item = Entry>) {
        self.told.touched.insert(key.clone());
        self.told.entries.splice(at..at, entries.into_iter().map(|entry| (key.clone(), entry)));
    }

    pub fn noted(&self) -> usize {
        self.told.entries.len()
    }

    /// Turns the facts of one decision into events. The first event carries everything that the decision moved, the others move nothing. A move
    /// without a fact becomes a progress event, so that whoever follows the events never loses track of the order.
    fn tell_all(&mut self, key: &OrderKey, order: &Order, mut facts: Vec<Fact>, traceparent: Option<&str>) {
        let before = self.orders.get(key);
        if facts.is_empty() && before.is_some_and(|before| movement::is_moved(before, order)) {
            facts.push(Fact::OrderProgressed { order: order.summary(), before: order.state() });
        }
        let is_first = order.event_seq == 0 && !self.told.events.iter().any(|(of, _)| of == key);
        let mut before = before.filter(|_| !is_first);
        for fact in &facts {
            let movement = match before {
                None => movement::first(order),
                Some(before) => movement::between(before, order),
            };
            let (kind, payload) = wire::event(fact, movement);
            let event = Event { kind, payload, traceparent: traceparent.map(str::to_owned) };
            self.told.events.push((key.clone(), event));
            before = Some(order);
        }
    }

    /// Begins a command: everything up to here stays if the command is refused.
    pub fn begin(&mut self) {
        self.mark();
        self.told.touched.clear();
        self.told.touched_changes.clear();
    }

    /// What the current command has changed.
    pub fn touched(&mut self, events_before: usize) -> Touched {
        Touched {
            orders: std::mem::take(&mut self.told.touched),
            changes: std::mem::take(&mut self.told.touched_changes),
            events: self.told.events.len() > events_before,
        }
    }

    pub fn events(&self) -> usize {
        self.told.events.len()
    }

    /// Adds an event of an aggregate other than an order.
    pub fn tell_beside(&mut self, event: NewEvent) {
        self.told.beside.push(event);
    }

    /// Writes everything, parents before the rows that refer to them.
    pub async fn flush(mut self, tx: &mut Tx) -> Result<(), DbError> {
        let mut beside = std::mem::take(&mut self.told.beside);
        let (entries, mut events) = self.number();
        events.append(&mut beside);
        self.sagas.flush(tx).await?;
        orders::flush(tx, &self.orders).await?;
        labels::flush(tx, &self.orders).await?;
        changes::flush(tx, &self.changes).await?;
        shrunk::flush(tx, &self.changes).await?;
        returns::flush(tx, &self.returns).await?;
        timeline::append(tx, &entries).await?;
        self.decisions.flush(tx).await?;
        stored_attention::flush(tx, &self.attention).await?;
        self.desk.flush(tx).await?;
        self.policies.flush(tx).await?;
        self.inbox.flush(tx).await?;
        outbox::append(tx, &events).await?;
        self.requests.flush(tx).await
    }

    /// Gives every entry and every event the next number of its order.
    fn number(&mut self) -> (Vec<(OrderKey, Recorded)>, Vec<NewEvent>) {
        let told = std::mem::take(&mut self.told);
        let mut last: BTreeMap<OrderKey, (i64, i64)> = BTreeMap::new();
        let orders = &self.orders;
        let numbers =
            |last: &mut BTreeMap<OrderKey, (i64, i64)>, key: &OrderKey, entries: i64, events: i64| {
                let numbers = last.entry(key.clone()).or_insert_with(|| {
                    let order = orders.get(key).expect("only orders at hand are told of");
                    (order.timeline_seq, order.event_seq)
                });
                numbers.0 += entries;
                numbers.1 += events;
                *numbers
            };

        let mut entries = Vec::with_capacity(told.entries.len());
        for (key, entry) in told.entries {
            let (sequence, _) = numbers(&mut last, &key, 1, 0);
            entries.push((key, Recorded { sequence, entry }));
        }
        let mut events = Vec::with_capacity(told.events.len());
        for (key, event) in told.events {
            let (_, aggregate_seq) = numbers(&mut last, &key, 0, 1);
            events.push(NewEvent {
                tenant: key.0,
                event_id: self.ids.mint(),
                aggregate_type: AGGREGATE,
                aggregate_id: key.1.into(),
                aggregate_seq,
                kind: event.kind,
                payload: event.payload,
                traceparent: event.traceparent,
                occurred_at: self.now,
            });
        }
        for (key, (timeline_seq, event_seq)) in last {
            let numbered = self.orders.update(&key, |order| {
                order.timeline_seq = timeline_seq;
                order.event_seq = event_seq;
            });
            numbered.expect("the order was found when it was told of");
        }
        (entries, events)
    }
}

impl saga::Books for Books {
    fn sagas(&mut self) -> &mut SagaBooks {
        &mut self.sagas
    }
}

impl Overlay for Books {
    fn parts(&mut self) -> Vec<&mut dyn Overlay> {
        let Self {
            now: _,
            ids: _,
            requests,
            inbox,
            sagas,
            orders,
            changes,
            attention,
            returns,
            references,
            numbers,
            placing: _,
            histories: _,
            // A command writes a policy last, when nothing can refuse it any more.
            policies: _,
            decisions,
            desk,
            told,
        } = self;
        vec![
            requests, inbox, sagas, orders, changes, attention, returns, references, numbers, decisions,
            desk, told,
        ]
    }
}

impl Overlay for Told {
    fn parts(&mut self) -> Vec<&mut dyn Overlay> {
        Vec::new()
    }

    fn mark(&mut self) {
        self.entries_marked = self.entries.len();
        self.events_marked = self.events.len();
        self.beside_marked = self.beside.len();
    }

    fn rollback(&mut self) {
        self.entries.truncate(self.entries_marked);
        self.events.truncate(self.events_marked);
        self.beside.truncate(self.beside_marked);
        self.touched.clear();
        self.touched_changes.clear();
    }
}

/// A contradiction between the saga and the books: a person has to look.
#[expect(clippy::needless_pass_by_value, reason = "used as `.map_err(defect)`")]
pub fn defect(problem: impl ToString) -> LocalError {
    LocalError(problem.to_string())
}

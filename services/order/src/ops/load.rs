//! What a batch reads before it decides: set-based, and locked in one order everywhere, sagas before orders, so that
//! two replicas never wait for each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use saga::SagaKey;
use storage::{DbError, Envelope, Inbox, RequestKey, RequestKeys, Tx};
use types::{ChangeOrderId, MessageId, SagaId, Tenant, Timestamp};

use super::batch::{Command, OrderBatch, Wish};
use super::books::Books;
use super::desk::{Desk, Needed};
use super::plans;
use super::policies::PolicyBook;
use super::remedies::{self, RemedyWish};
use super::returns;
use crate::domain::change::ChangeType;
use crate::domain::findings::SUBJECT;
use crate::domain::order::{ExternalReference, Placement};
use crate::domain::reissue;
use crate::store::attention::AttentionKey;
use crate::store::keys::{ChangeKey, OrderKey};
use crate::store::returns as stored_returns;
use crate::store::{attention, changes, groups, orders, sagas, timeline};

/// The keys of everything that the commands of a batch touch.
#[derive(Default)]
struct Wanted {
    requests: Vec<RequestKey>,
    sagas: BTreeSet<SagaKey>,
    orders: BTreeSet<OrderKey>,
    changes: BTreeSet<ChangeKey>,
    /// Changes whose order and saga are not known yet.
    found_by_change: BTreeSet<ChangeKey>,
    /// Orders that are to be cancelled whole, and may still be in the placing.
    whole: BTreeSet<OrderKey>,
    envelopes: Vec<Envelope>,
    references: BTreeSet<(Tenant, ExternalReference)>,
    numbers: BTreeSet<(Tenant, String)>,
    desk: Needed,
    remedies: remedies::Needed,
    returns: returns::Needed,
    /// Whose policies are decided by or written.
    tenants: BTreeSet<Tenant>,
    /// What attention may be open about without an order: type and id.
    subjects: BTreeSet<(Tenant, String, String)>,
    /// Items that are closed by name.
    items: BTreeSet<AttentionKey>,
}

pub(super) async fn books(batch: &OrderBatch, tx: &mut Tx, commands: &[Command]) -> Result<Books, DbError> {
    let mut wanted = Wanted::of(commands);
    let placing = find_owners(tx, &mut wanted).await?;
    let requests = RequestKeys::load(tx, &wanted.requests).await?;

    let mut saga_books = batch.registry.books();
    let keys: Vec<SagaKey> = wanted.sagas.iter().cloned().collect();
    saga_books.load(tx, &keys).await?;
    for row in keys.iter().filter_map(|key| saga_books.get(key)) {
        let tenant = &row.key.tenant;
        wanted.orders.extend(plans::order_of(&row.params).map(|order_id| (tenant.clone(), order_id)));
        wanted.returns.returns.extend(plans::return_of(&row.params).map(|id| (tenant.clone(), id)));
        if row.subject_type == plans::SUBJECT_CHANGE {
            wanted.changes.extend(ChangeOrderId::parse(&row.subject_id).map(|id| (tenant.clone(), id)));
        }
    }

    let inbox = Inbox::load(tx, &wanted.envelopes).await?;
    let mut books = Books::new(batch.clock.now(), batch.ids.clone(), requests, inbox, saga_books);
    books.placing = placing;
    books.desk = Desk::load(tx, &wanted.desk).await?;
    books.policies = PolicyBook::new(batch.shelves.load(tx, &wanted.tenants).await?);
    load_orders(tx, &mut books, &mut wanted).await?;
    load_names(tx, &mut books, &wanted).await?;
    books.now = instant(batch, tx, &books).await?;
    Ok(books)
}

/// The instant of all that is decided now: read when everything is locked, because another replica may have committed
/// while we waited, and never before what its clock has told of the same orders.
async fn instant(batch: &OrderBatch, tx: &mut Tx, books: &Books) -> Result<Timestamp, DbError> {
    let last = timeline::last_instant(tx, books.orders.values()).await?;
    let now = batch.clock.now();
    Ok(last.map_or(now, |last| now.max(last)))
}

/// Which order a change, a return and an item belong to never moves, nor a change's saga, so this is read before
/// anything is locked.
async fn find_owners(tx: &mut Tx, wanted: &mut Wanted) -> Result<BTreeMap<OrderKey, SagaId>, DbError> {
    wanted.found_by_change.append(&mut wanted.remedies.answered);
    for ((tenant, _), owners) in changes::find_owners(tx, &wanted.found_by_change).await? {
        wanted.orders.insert((tenant.clone(), owners.order_id));
        wanted.sagas.insert(SagaKey::new(tenant, owners.saga_id));
    }
    wanted.orders.extend(attention::find_orders(tx, &wanted.items).await?);
    wanted.orders.extend(stored_returns::find_orders(tx, &wanted.returns.returns).await?);
    let placing = sagas::find_placing(tx, &wanted.whole).await?;
    for ((tenant, _), saga_id) in &placing {
        wanted.sagas.insert(SagaKey::new(tenant.clone(), saga_id.clone()));
    }
    Ok(placing)
}

async fn load_orders(tx: &mut Tx, books: &mut Books, wanted: &mut Wanted) -> Result<(), DbError> {
    let mut in_need: BTreeSet<OrderKey> = BTreeSet::new();
    for order in orders::lock(tx, &wanted.orders).await? {
        let key = orders::key(&order);
        // A change that waits for the place saga ends with it.
        if order.placement == Placement::Placing
            && let Some(change) = &order.change_in_progress
        {
            wanted.changes.insert((order.tenant.clone(), change.clone()));
        }
        if order.attention_open > 0 {
            in_need.insert(key.clone());
        }
        books.orders.load(key, order);
    }
    for returned in stored_returns::load_open(tx, &wanted.returns.of_orders).await? {
        wanted.returns.returns.remove(&stored_returns::key(&returned));
        books.returns.load(stored_returns::key(&returned), returned);
    }
    for returned in stored_returns::load(tx, &wanted.returns.returns).await? {
        books.returns.load(stored_returns::key(&returned), returned);
    }
    books.histories = changes::find_of_orders(tx, &wanted.remedies.histories).await?;
    for ((tenant, _), ids) in &books.histories {
        wanted.changes.extend(ids.iter().map(|id| (tenant.clone(), id.clone())));
    }
    for key in &wanted.remedies.reissued {
        let numbers = books.orders.get(key).into_iter().flat_map(|order| reissue::numbers(&order.number));
        wanted.numbers.extend(numbers.map(|number| (key.0.clone(), number)));
    }
    for change in changes::load(tx, &wanted.changes).await? {
        books.changes.load(changes::key(&change), change);
    }
    for (key, item) in attention::load_open(tx, &in_need).await? {
        books.attention.load(key, item);
    }
    for (key, item) in attention::load_open_by_subject(tx, &wanted.subjects).await? {
        books.attention.load(key, item);
    }
    for (key, item) in attention::load(tx, &wanted.items).await? {
        books.attention.load(key, item);
    }
    Ok(())
}

async fn load_names(tx: &mut Tx, books: &mut Books, wanted: &Wanted) -> Result<(), DbError> {
    for (name, bearer) in groups::find_references(tx, &wanted.references).await? {
        books.references.load(name, bearer);
    }
    for (number, bearer) in groups::find_numbers(tx, &wanted.numbers).await? {
        books.numbers.load(number, bearer);
    }
    Ok(())
}

impl Wanted {
    fn of(commands: &[Command]) -> Self {
        let mut wanted = Self::default();
        for command in commands {
            match command {
                Command::Ask(asked, wish) => {
                    wanted.requests.push(asked.key.clone());
                    wanted.add_wish(&asked.tenant, wish);
                }
                Command::Advance(advance) => {
                    wanted.sagas.insert(advance.key.clone());
                }
                Command::Deliver(arrival) => {
                    wanted.envelopes.push(arrival.envelope.clone());
                    arrival.needs(&mut wanted.sagas, &mut wanted.orders, &mut wanted.changes);
                    wanted.subjects.extend(arrival.subject());
                }
                Command::Queue(queue) => {
                    wanted.subjects.insert(queue.subject());
                }
            }
        }
        wanted
    }

    /// Whatever is wished for, the tenant's roles and policies have a say in it.
    fn add_wish(&mut self, tenant: &Tenant, wish: &Wish) {
        self.tenants.insert(tenant.clone());
        match wish {
            Wish::Remedy(wish) => {
                if let RemedyWish::Reissue(wish) = wish {
                    self.references.extend(wish.references.iter().map(|name| (tenant.clone(), name.clone())));
                }
                self.remedies.add(tenant, wish, &mut self.orders, &mut self.changes);
            }
            Wish::Return(wish) => {
                self.returns.add(tenant, wish, &mut self.orders);
            }
            Wish::Desk(wish) => {
                self.desk.add(tenant, wish, &mut self.orders, &mut self.changes);
            }
            Wish::WritePolicy { .. }
            | Wish::ChoosePolicy { .. }
            | Wish::OfferReason(_)
            | Wish::PutOnEdition(_)
            | Wish::GrantRoles(_) => {}
            Wish::RaiseFindings(findings) => {
                self.orders.extend(findings.orders().map(|order_id| (tenant.clone(), order_id)));
                let subjects = findings.subjects();
                self.subjects.extend(subjects.map(|id| (tenant.clone(), SUBJECT.to_owned(), id.clone())));
            }
            Wish::Acknowledge { attention_id, .. } => {
                self.items.insert((tenant.clone(), attention_id.clone()));
            }
            Wish::CreateOrder(new) => {
                self.references.extend(new.references.iter().map(|name| (tenant.clone(), name.clone())));
                self.numbers.extend(new.number.iter().map(|number| (tenant.clone(), number.clone())));
            }
            Wish::ConfirmOrder(order_id) | Wish::StartProcessing(order_id) => {
                self.orders.insert((tenant.clone(), order_id.clone()));
            }
            Wish::SubmitChange { request, .. } => {
                self.desk.add_proof(tenant, MessageId::parse(&request.said.supplier_contact_ref).ok());
                let key = (tenant.clone(), request.order_id.clone());
                if request.change_type() == ChangeType::CancelOrder {
                    self.whole.insert(key.clone());
                }
                self.orders.insert(key);
            }
            Wish::WithdrawChange { change_order_id, .. } => {
                let key = (tenant.clone(), change_order_id.clone());
                self.found_by_change.insert(key.clone());
                self.changes.insert(key);
            }
            Wish::RetryStep { saga_id, .. } | Wish::AbortBeforePivot { saga_id, .. } => {
                self.sagas.insert(SagaKey::new(tenant.clone(), saga_id.clone()));
            }
        }
    }
}

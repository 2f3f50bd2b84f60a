//! One batch: read, decide one by one in order of arrival, write.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use storage::{Batch, DbError, Direction, Relay, Request, Tx};
use types::{Clock, FulfilmentId, Ids, Reason, Refusal};

use super::books::{Books, Cause, Stop};
use super::command::{Action, Command, Reply, RequestCommand, Resource};
use super::{fulfilling, steps, stock_keeping};
use crate::domain::Moment;
use crate::store::stock::Origin;

/// Decides the commands of this process, with the clock and the ids it was given.
pub struct Desk {
    clock: Clock,
    ids: Ids,
    /// Set once the relay runs. What is written before is found by its first poll.
    relay: Arc<OnceLock<Relay>>,
    /// The last batches have written events. Only a hint: a rolled-back batch leaves it set.
    told: AtomicBool,
}

impl Desk {
    pub fn new(clock: Clock, ids: Ids, relay: Arc<OnceLock<Relay>>) -> Self {
        Self { clock, ids, relay, told: AtomicBool::new(false) }
    }
}

impl Batch for Desk {
    type Command = Command;
    type Reply = Reply;

    fn key(command: &Command) -> String {
        command.key()
    }

    async fn decide(&self, tx: &mut Tx, commands: &[Command]) -> Result<Vec<Reply>, DbError> {
        let mut books = Books::load(tx, commands).await?;
        let moment = Moment { ids: &self.ids, at: self.clock.now() };
        let mut replies = Vec::with_capacity(commands.len());
        for command in commands {
            books.mark();
            replies.push(match command {
                Command::Step(step) => Reply::Step(steps::decide(&mut books, step, moment)?),
                Command::Request(request) => Reply::Request(decide_request(&mut books, request, moment)?),
            });
        }
        books.flush(tx).await?;
        if !books.events.is_empty() {
            self.told.store(true, Ordering::Relaxed);
        }
        Ok(replies)
    }

    /// Most batches tell nothing, and a wake-up costs the relay a transaction.
    fn committed(&self, _: &[Command], _: &[Reply]) {
        if self.told.swap(false, Ordering::Relaxed)
            && let Some(relay) = self.relay.get()
        {
            relay.wake();
        }
    }
}

fn decide_request(
    books: &mut Books,
    command: &RequestCommand,
    moment: Moment<'_>,
) -> Result<Result<Resource, Refusal>, DbError> {
    let outcome = match books.requests.check(&command.key, &command.fingerprint) {
        Request::Reused(resource_id) => return Ok(Err(reused(command, &resource_id))),
        Request::Seen(resource_id) => show(books, command, &resource_id),
        Request::Fresh => perform(books, command, moment).inspect(|resource| {
            let (key, fingerprint) = (command.key.clone(), command.fingerprint.clone());
            books.requests.store(key, fingerprint, resource_id(resource), moment.at);
        }),
    };
    match outcome {
        Ok(resource) => Ok(Ok(resource)),
        Err(Stop::Refused(refusal)) => {
            books.rollback();
            Ok(Err(refusal))
        }
        Err(Stop::Broken(error)) => Err(error),
    }
}

fn perform(books: &mut Books, command: &RequestCommand, moment: Moment<'_>) -> Result<Resource, Stop> {
    let origin = Origin {
        saga_id: command.key.request_id.to_string(),
        step: command.key.method.clone(),
        direction: Direction::Do,
    };
    let cause = Cause { origin, moment, traceparent: command.traceparent.as_deref() };
    let tenant = &command.key.tenant;
    match &command.action {
        Action::UpsertWarehouse { id, warehouse } => {
            stock_keeping::upsert_warehouse(books, tenant, id, warehouse)
        }
        Action::SetStock { warehouse_id, sku, on_hand } => {
            stock_keeping::set(books, tenant, (warehouse_id, sku), *on_hand, &cause)
        }
        Action::AdjustStock(adjustments) => stock_keeping::adjust(books, tenant, adjustments, &cause),
        Action::CreateFulfilment { order_id, warehouse_id, lines } => {
            fulfilling::create(books, &(tenant.clone(), order_id.clone()), warehouse_id, lines, &cause)
        }
        Action::SubmitFulfilment { fulfilment_id } => {
            fulfilling::submit(books, tenant, fulfilment_id, &cause)
        }
        Action::ShipFulfilment { fulfilment_id, lines, tracking_number } => {
            fulfilling::ship(books, tenant, fulfilment_id, lines, tracking_number, &cause)
        }
        Action::DeliverFulfilment { fulfilment_id, lines } => {
            fulfilling::deliver(books, tenant, fulfilment_id, lines, &cause)
        }
    }
}

/// A repeated request is answered with its resource as it is now.
fn show(books: &Books, command: &RequestCommand, resource_id: &str) -> Result<Resource, Stop> {
    let tenant = &command.key.tenant;
    match &command.action {
        Action::UpsertWarehouse { id, .. } => {
            let warehouse = books.warehouses(tenant).named(id)?;
            Ok(Resource::Warehouse(id.clone(), warehouse.clone()))
        }
        Action::SetStock { warehouse_id, sku, .. } => {
            Ok(stock_keeping::show(books, tenant, [(warehouse_id, sku)]))
        }
        Action::AdjustStock(adjustments) => {
            let places: BTreeSet<_> =
                adjustments.iter().map(|adjustment| (&adjustment.warehouse_id, &adjustment.sku)).collect();
            Ok(stock_keeping::show(books, tenant, places))
        }
        Action::CreateFulfilment { order_id, .. } => {
            let id = FulfilmentId::parse(resource_id)
                .map_err(|problem| DbError::malformed("inventory.show_fulfilment", problem))?;
            fulfilling::show(books, &(tenant.clone(), order_id.clone()), &id)
        }
        Action::SubmitFulfilment { fulfilment_id }
        | Action::ShipFulfilment { fulfilment_id, .. }
        | Action::DeliverFulfilment { fulfilment_id, .. } => {
            fulfilling::show_named(books, tenant, fulfilment_id)
        }
    }
}

/// What a repeat needs beside the request itself; a correction of several rows has no single name.
fn resource_id(resource: &Resource) -> String {
    match resource {
        Resource::Warehouse(id, _) => id.as_str().to_owned(),
        Resource::Stock(rows) => rows.first().map_or_else(String::new, |row| row.sku.as_str().to_owned()),
        Resource::Fulfilment(shown) => shown.id.to_string(),
    }
}

fn reused(command: &RequestCommand, resource_id: &str) -> Refusal {
    let message = "the request_id was used for another request";
    Refusal::new(Reason::IdempotencyKeyReused, message)
        .field("request_id")
        .detail("method", &command.key.method)
        .detail("resource_id", resource_id)
}

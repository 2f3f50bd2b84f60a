//! Mutations of clients, each once: a repeat is answered with its resource as it is now.

use std::collections::BTreeSet;

use storage::{Accepted, DbError, Direction, Overlay, Request};
use types::{FulfilmentId, LabelId, PartnerTaskId, Refusal, StoredRequestId};

use super::books::{Books, Cause, Stop};
use super::command::{Action, Packing, RequestCommand, Resource};
use super::{fulfilling, integrations, labelling, partner_requests, stock_keeping};
use crate::domain::Moment;
use crate::store::stock::Origin;

pub fn decide(
    books: &mut Books,
    command: &RequestCommand,
    moment: Moment<'_>,
) -> Result<Result<Resource, Refusal>, DbError> {
    let outcome = match books.requests.check(&command.key, &command.fingerprint) {
        Request::Reused(refusal) => return Ok(Err(refusal)),
        Request::Seen(resource_id) => show(books, command, &resource_id),
        Request::Fresh => {
            let id: StoredRequestId = moment.ids.mint();
            perform(books, command, &id, moment).inspect(|resource| {
                let (fingerprint, resource_id) = (command.fingerprint.clone(), resource_id(resource));
                let accepted = Accepted { id, fingerprint, resource_id, at: moment.at };
                books.requests.store(command.key.clone(), accepted);
            })
        }
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

fn perform(
    books: &mut Books,
    command: &RequestCommand,
    id: &StoredRequestId,
    moment: Moment<'_>,
) -> Result<Resource, Stop> {
    // Outside a saga the stored request stands for one. Its client's name for it would not do: two clients may use one.
    let origin =
        Origin { saga_id: id.to_string(), step: command.key.method.clone(), direction: Direction::Do };
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
        Action::AssignSku { sku, warehouse_id } => {
            stock_keeping::assign(books, tenant, sku, warehouse_id.as_ref())
        }
        Action::CreateFulfilment(packing) => fulfilling::create(books, tenant, packing, &cause),
        Action::UnpackFulfilment { fulfilment_id, lines } => {
            fulfilling::unpack(books, tenant, fulfilment_id, lines, &cause)
        }
        Action::MoveFulfilment { fulfilment_id, warehouse_id, lines } => {
            fulfilling::repack(books, tenant, fulfilment_id, warehouse_id, lines, &cause)
        }
        Action::SubmitFulfilment { fulfilment_id, external_number } => {
            fulfilling::submit(books, tenant, fulfilment_id, external_number, &cause)
        }
        Action::ShipFulfilment { fulfilment_id, lines, tracking_number } => {
            fulfilling::ship(books, tenant, fulfilment_id, lines, tracking_number, &cause)
        }
        Action::DeliverFulfilment { fulfilment_id, lines } => {
            fulfilling::deliver(books, tenant, fulfilment_id, lines, &cause)
        }
        Action::ReportShipment { fulfilment_id, lines, tracking_number, of } => {
            partner_requests::has_asked(books, tenant, fulfilment_id, of.as_deref())?;
            fulfilling::report(books, tenant, fulfilment_id, lines, tracking_number, &cause)
        }
        Action::AttachLabel(label) => labelling::attach(books, tenant, label, &cause),
        Action::VoidLabel { label_id } => labelling::void(books, tenant, label_id, &cause),
        Action::RestockLabel { label_id, warehouse_id } => {
            labelling::restock(books, tenant, label_id, warehouse_id, &cause)
        }
        Action::UpsertIntegration { key, integration } => {
            integrations::upsert(books, tenant, key, integration)
        }
        Action::PartnerWord { task_id, word, note, by, of } => {
            partner_requests::is_of(books, tenant, task_id, of.as_deref())?;
            partner_requests::word(books, tenant, task_id, *word, (by, note), &cause)
        }
        Action::AskedByHand { task_id, note } => {
            partner_requests::asked(books, tenant, task_id, note, &cause)
        }
        Action::TellCart { order_id, notice } => {
            partner_requests::tell_cart(books, &(tenant.clone(), order_id.clone()), notice, &cause)
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
        Action::AssignSku { sku, .. } => Ok(Resource::Assignment(sku.clone(), books.assigned(tenant, sku))),
        Action::CreateFulfilment(Packing { order_id, .. }) => {
            let id = named_fulfilment(resource_id)?;
            fulfilling::show(books, &(tenant.clone(), order_id.clone()), &id)
        }
        Action::MoveFulfilment { fulfilment_id, .. } => {
            let (key, _) = fulfilling::find(books, tenant, fulfilment_id)?;
            fulfilling::show(books, &key, &named_fulfilment(resource_id)?)
        }
        Action::UnpackFulfilment { fulfilment_id, .. }
        | Action::SubmitFulfilment { fulfilment_id, .. }
        | Action::ShipFulfilment { fulfilment_id, .. }
        | Action::DeliverFulfilment { fulfilment_id, .. } => {
            fulfilling::show_named(books, tenant, fulfilment_id)
        }
        Action::ReportShipment { fulfilment_id, tracking_number, .. } => {
            fulfilling::show_report(books, tenant, fulfilment_id, tracking_number)
        }
        Action::AttachLabel(label) => {
            let id = LabelId::parse(resource_id)
                .map_err(|problem| DbError::malformed("inventory.show_label", problem))?;
            labelling::show_attached(books, tenant, &label.fulfilment_id, &id)
        }
        Action::VoidLabel { label_id } | Action::RestockLabel { label_id, .. } => {
            labelling::show(books, tenant, label_id)
        }
        Action::UpsertIntegration { key, .. } => integrations::show(books, tenant, key),
        Action::PartnerWord { task_id, .. } | Action::AskedByHand { task_id, .. } => {
            partner_requests::show(books, tenant, task_id)
        }
        Action::TellCart { order_id, .. } => {
            let id = PartnerTaskId::parse(resource_id)
                .map_err(|problem| DbError::malformed("inventory.show_task", problem))?;
            partner_requests::shown(books, &(tenant.clone(), order_id.clone()), &id)
        }
    }
}

/// What a repeat needs beside the request itself; a correction of several rows has no single name.
fn resource_id(resource: &Resource) -> String {
    match resource {
        Resource::Warehouse(id, _) => id.as_str().to_owned(),
        Resource::Stock(rows) => rows.first().map_or_else(String::new, |row| row.sku.as_str().to_owned()),
        Resource::Fulfilment(shown) => shown.id.to_string(),
        Resource::Report(id, _) => id.to_string(),
        Resource::Label(shown) => shown.id.to_string(),
        Resource::Integration(shown) => shown.key.as_str().to_owned(),
        Resource::Assignment(sku, _) => sku.as_str().to_owned(),
        Resource::Task(shown) => shown.id.to_string(),
    }
}

fn named_fulfilment(resource_id: &str) -> Result<FulfilmentId, DbError> {
    FulfilmentId::parse(resource_id)
        .map_err(|problem| DbError::malformed("inventory.show_fulfilment", problem))
}

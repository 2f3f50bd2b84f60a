//! The unit of work that a use case decides in, and what most use cases do in it.

use std::sync::Arc;

use saga::{Lease, NewSaga, SagaImage};
use types::{ChangeOrderId, OrderId, PaymentId, Refusal, ReturnId};

use super::Resource;
use crate::domain::change::{ChangeOrder, ChangeView};
use crate::domain::history::Happened;
use crate::domain::lifecycle::Author;
use crate::domain::order::Order;
use crate::domain::placing::NewTender;
use crate::domain::policy::{Policy, Shelf};
use crate::domain::returns::Return;
use crate::ops::books::{Books, views};
use crate::ops::command::{After, Asked};
use crate::ops::decide::{self, Context};

/// The unit of work of one request: who asks, the overlay that the request is decided on, and what follows the commit.
pub struct Work<'a> {
    pub context: &'a Context,
    pub books: &'a mut Books,
    pub asked: &'a Asked,
    pub after: &'a mut After,
}

impl Work<'_> {
    /// The tenant's policies, reasons, edition and roles.
    pub fn shelf(&self) -> Arc<Shelf> {
        self.books.policies.shelf(&self.asked.tenant)
    }

    pub fn order(&self, order_id: &OrderId) -> Result<Order, Refusal> {
        let order = self.books.orders.get(&(self.asked.tenant.clone(), order_id.clone())).cloned();
        order.ok_or_else(|| Refusal::not_found("Order", order_id.as_str()))
    }

    /// A change and its order.
    pub fn change(&self, change_order_id: &ChangeOrderId) -> Result<(Order, ChangeOrder), Refusal> {
        let not_found = || Refusal::not_found("ChangeOrder", change_order_id.as_str());
        let change = self.books.changes.get(&(self.asked.tenant.clone(), change_order_id.clone())).cloned();
        let change = change.ok_or_else(not_found)?;
        let order = self.books.orders.get(&(self.asked.tenant.clone(), change.order_id.clone())).cloned();
        Ok((order.ok_or_else(not_found)?, change))
    }

    /// A return and its order.
    pub fn returned(&self, return_id: &ReturnId) -> Result<(Order, Return), Refusal> {
        let not_found = || Refusal::not_found("Return", return_id.as_str());
        let returned = self.books.returns.get(&(self.asked.tenant.clone(), return_id.clone())).cloned();
        let returned = returned.ok_or_else(not_found)?;
        let order = self.books.orders.get(&(self.asked.tenant.clone(), returned.order_id.clone())).cloned();
        Ok((order.ok_or_else(not_found)?, returned))
    }

    pub fn changes_of(&self, order: &Order) -> Vec<ChangeOrder> {
        decide::changes_of(self.books, order)
    }

    /// The author of a change: who asks, the policy, and fresh ids for the change and its saga.
    pub fn author<'p>(&self, policy: &'p Policy) -> Author<'p> {
        Author {
            policy,
            change_order_id: self.books.ids.mint(),
            saga_id: self.books.ids.mint(),
            actor: self.asked.actor.clone(),
            now: self.books.now,
        }
    }

    /// Mints the ids of payments. A plan holds them before its first step.
    pub fn payments(&self, tenders: &[NewTender]) -> Vec<(PaymentId, NewTender)> {
        tenders.iter().map(|tender| (self.books.ids.mint(), tender.clone())).collect()
    }

    /// The lease and the trace that a new saga begins with.
    pub fn saga_begins(&self) -> (Lease, Option<String>) {
        (self.context.lease.clone(), self.asked.traceparent.clone())
    }

    /// Writes an accepted change and starts its saga.
    pub fn begin(
        &mut self,
        order: &Order,
        change: &ChangeOrder,
        happened: Happened,
        saga: NewSaga,
    ) -> ChangeView {
        self.put(order.clone(), Some(change.clone()), happened);
        self.start(saga);
        self.view(order, change)
    }

    /// Starts a saga in this commit; this process runs it.
    pub fn start(&mut self, saga: NewSaga) {
        self.after.start = Some(self.books.sagas.start(saga));
    }

    /// Writes a change that does not hold its order.
    pub fn write_change(&mut self, mut order: Order, change: &ChangeOrder, happened: Happened) -> ChangeView {
        order.version += 1;
        self.put(order.clone(), Some(change.clone()), happened);
        self.view(&order, change)
    }

    pub fn write_return(&mut self, mut order: Order, returned: Return, happened: Happened) -> Return {
        order.version += 1;
        self.put(order, None, happened);
        self.books.put_return(returned.clone());
        returned
    }

    pub fn put(&mut self, order: Order, change: Option<ChangeOrder>, happened: Happened) {
        self.books.put(order, change, happened, self.asked.traceparent.as_deref());
    }

    pub fn view(&self, order: &Order, change: &ChangeOrder) -> ChangeView {
        views::of_books(&self.context.registry, self.books, order, change)
    }
}

impl Resource for Order {
    fn resource_id(&self) -> String {
        self.order_id.to_string()
    }
}

impl Resource for ChangeView {
    fn resource_id(&self) -> String {
        self.change.change_order_id.to_string()
    }
}

impl Resource for Return {
    fn resource_id(&self) -> String {
        self.return_id.to_string()
    }
}

impl Resource for SagaImage {
    fn resource_id(&self) -> String {
        self.row.key.id.to_string()
    }
}

//! What is loaded into the overlay before anything is decided: the keys of everything that the commands of a batch touch.

use std::collections::BTreeSet;

use saga::SagaKey;
use storage::{Envelope, RequestKey};
use types::{ChangeOrderId, OrderId, ReturnId, Tenant};

use crate::domain::order::ExternalReference;
use crate::ops::books::desk::DeskKeys;
use crate::ops::command::{Arrival, Named, Queue};
use crate::store::attention::AttentionKey;
use crate::store::keys::{ChangeKey, OrderKey};
use crate::store::returns::ReturnKey;

/// The keys of everything that the commands of a batch touch.
#[derive(Default)]
pub struct Wanted {
    pub requests: Vec<RequestKey>,
    pub sagas: BTreeSet<SagaKey>,
    pub orders: BTreeSet<OrderKey>,
    pub changes: BTreeSet<ChangeKey>,
    /// Changes whose order and saga still have to be looked up.
    pub found_by_change: BTreeSet<ChangeKey>,
    /// Orders that are to be cancelled as a whole. One that is still being placed needs its place saga.
    pub whole: BTreeSet<OrderKey>,
    pub envelopes: Vec<Envelope>,
    pub references: BTreeSet<(Tenant, ExternalReference)>,
    pub numbers: BTreeSet<(Tenant, String)>,
    pub desk: DeskKeys,
    /// Orders that are needed with all their changes.
    pub histories: BTreeSet<OrderKey>,
    /// Orders that are reissued: the next free number is derived from theirs.
    pub reissued: BTreeSet<OrderKey>,
    pub returns: BTreeSet<ReturnKey>,
    /// Orders that are needed with their open returns.
    pub open_returns_of: BTreeSet<OrderKey>,
    /// Tenants whose policies are needed or written.
    pub tenants: BTreeSet<Tenant>,
    /// Subjects of attention items that belong to no order: type and id.
    pub subjects: BTreeSet<(Tenant, String, String)>,
    /// Attention items that are closed by their id.
    pub items: BTreeSet<AttentionKey>,
}

impl Wanted {
    pub fn order(&mut self, tenant: &Tenant, order_id: &OrderId) {
        self.orders.insert((tenant.clone(), order_id.clone()));
    }

    /// What a request names, with its order.
    pub fn named(&mut self, tenant: &Tenant, named: &Named<'_>) {
        match named {
            Named::Order(order_id) => self.order(tenant, order_id),
            Named::Change(change_order_id) => self.change_and_order(tenant, change_order_id),
            Named::Return(return_id) => self.returned(tenant, return_id),
        }
    }

    /// An order with all its changes.
    pub fn order_and_changes(&mut self, tenant: &Tenant, order_id: &OrderId) {
        self.order(tenant, order_id);
        self.histories.insert((tenant.clone(), order_id.clone()));
    }

    /// A change with its order and its saga.
    pub fn change_and_order(&mut self, tenant: &Tenant, change_order_id: &ChangeOrderId) {
        let key = (tenant.clone(), change_order_id.clone());
        self.found_by_change.insert(key.clone());
        self.changes.insert(key);
    }

    /// A return with its order.
    pub fn returned(&mut self, tenant: &Tenant, return_id: &ReturnId) {
        self.returns.insert((tenant.clone(), return_id.clone()));
    }

    /// The orders that bear these names.
    pub fn references(&mut self, tenant: &Tenant, names: &[ExternalReference]) {
        self.references.extend(names.iter().map(|name| (tenant.clone(), name.clone())));
    }

    pub fn arrival(&mut self, arrival: &Arrival) {
        self.envelopes.push(arrival.envelope.clone());
        arrival.needs(&mut self.sagas, &mut self.orders, &mut self.changes);
        self.subjects.extend(arrival.subject());
    }

    pub fn queue(&mut self, queue: &Queue) {
        self.subjects.insert(queue.subject());
    }
}

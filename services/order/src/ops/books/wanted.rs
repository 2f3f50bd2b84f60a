//! What the overlay is filled with before anything is decided: the keys of everything that the commands of a batch touch.

use std::collections::BTreeSet;

use saga::SagaKey;
use storage::{Envelope, RequestKey};
use types::{ChangeOrderId, OrderId, ReturnId, Tenant};

use crate::domain::order::ExternalReference;
use crate::ops::books::desk::DeskKeys;
use crate::ops::command::{Arrival, Queue};
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
    /// Changes whose order and saga are not known yet.
    pub found_by_change: BTreeSet<ChangeKey>,
    /// Orders that are to be cancelled whole, and may still be in the placing.
    pub whole: BTreeSet<OrderKey>,
    pub envelopes: Vec<Envelope>,
    pub references: BTreeSet<(Tenant, ExternalReference)>,
    pub numbers: BTreeSet<(Tenant, String)>,
    pub desk: DeskKeys,
    /// Orders all of whose changes have to be at hand.
    pub histories: BTreeSet<OrderKey>,
    /// Orders that are made again, under a number like theirs.
    pub reissued: BTreeSet<OrderKey>,
    pub returns: BTreeSet<ReturnKey>,
    /// Orders whose open returns have to be at hand.
    pub open_returns_of: BTreeSet<OrderKey>,
    /// Whose policies are decided by or written.
    pub tenants: BTreeSet<Tenant>,
    /// What attention may be open about without an order: type and id.
    pub subjects: BTreeSet<(Tenant, String, String)>,
    /// Items that are closed by name.
    pub items: BTreeSet<AttentionKey>,
}

impl Wanted {
    pub fn order(&mut self, tenant: &Tenant, order_id: &OrderId) {
        self.orders.insert((tenant.clone(), order_id.clone()));
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

    /// Who bears these names.
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

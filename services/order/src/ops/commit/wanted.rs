//! The keys of everything that the commands of a batch touch.

use std::collections::BTreeSet;

use saga::SagaKey;
use storage::{Envelope, RequestKey};
use types::{MessageId, OrderId, Tenant};

use crate::domain::change::ChangeType;
use crate::domain::findings::SUBJECT;
use crate::domain::order::ExternalReference;
use crate::ops::books::desk::DeskKeys;
use crate::ops::command::{Command, DeskWish, RemedyWish, ReturnWish, Wish};
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
    pub fn of(commands: &[Command]) -> Self {
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
                self.add_remedy(tenant, wish);
            }
            Wish::Return(ReturnWish::Open(opening)) => {
                let key = (tenant.clone(), opening.order_id.clone());
                self.orders.insert(key.clone());
                self.open_returns_of.insert(key);
            }
            Wish::Return(ReturnWish::Move { return_id, .. }) => {
                self.returns.insert((tenant.clone(), return_id.clone()));
            }
            Wish::Desk(wish) => self.add_desk(tenant, wish),
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
                let proof = MessageId::parse(&request.said.supplier_contact_ref).ok();
                self.desk.messages.extend(proof.map(|id| (tenant.clone(), id)));
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

    fn add_remedy(&mut self, tenant: &Tenant, wish: &RemedyWish) {
        let order = |order_id: &OrderId| (tenant.clone(), order_id.clone());
        match wish {
            RemedyWish::Reissue(wish) => {
                self.orders.insert(order(&wish.order_id));
                self.reissued.insert(order(&wish.order_id));
            }
            RemedyWish::Pay(request) => {
                self.orders.insert(order(&request.order_id));
            }
            RemedyWish::Restore(request) => self.add_history(order(&request.order_id)),
            RemedyWish::Refund(request) | RemedyWish::PayOut(request) => {
                self.add_history(order(&request.order_id));
            }
            RemedyWish::ShortShip(request) => {
                self.orders.insert(order(&request.order_id));
            }
            RemedyWish::WarnOfExpiry(order_id) | RemedyWish::ExpireUnpaid(order_id) => {
                self.orders.insert(order(order_id));
            }
            RemedyWish::ReceiveWithdrawal { order_id, .. } => self.add_history(order(order_id)),
            RemedyWish::Propose { order_id, counter_of, .. } => {
                self.orders.insert(order(order_id));
                self.changes.extend(counter_of.iter().map(|change| (tenant.clone(), change.clone())));
            }
            RemedyWish::Approve { change_order_id, .. }
            | RemedyWish::Decline { change_order_id, .. }
            | RemedyWish::Expire(change_order_id) => {
                let key = (tenant.clone(), change_order_id.clone());
                self.changes.insert(key.clone());
                self.found_by_change.insert(key);
            }
        }
    }

    fn add_history(&mut self, key: OrderKey) {
        self.orders.insert(key.clone());
        self.histories.insert(key);
    }

    fn add_desk(&mut self, tenant: &Tenant, wish: &DeskWish) {
        match wish {
            DeskWish::AddNote(new) => {
                self.orders.insert((tenant.clone(), new.order_id.clone()));
                self.changes.extend(new.change_order_id.iter().map(|id| (tenant.clone(), id.clone())));
            }
            DeskWish::UpsertFolder(_) | DeskWish::DeleteFolder(_) => {
                self.desk.folders_of.insert(tenant.clone());
            }
            DeskWish::MoveOrder { order_id, .. } => {
                let key = (tenant.clone(), order_id.clone());
                self.orders.insert(key.clone());
                self.desk.placed.insert(key);
                self.desk.folders_of.insert(tenant.clone());
            }
        }
    }
}

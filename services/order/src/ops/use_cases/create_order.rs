//! CreateOrder: accepts an order as PLACING, together with the saga that places it.

use prost::Message as _;
use proto::events::v1::ContactNamed;
use storage::NewEvent;
use types::{Fingerprint, Reason, Refusal, Tenant};

use super::{UseCase, Work};
use crate::domain::order::Order;
use crate::domain::placing::{self, NewOrder};
use crate::ops::books::wanted::Wanted;
use crate::ops::plans;
use crate::store::groups::Bearer;

/// The kind of aggregate that whom an order's messages go to is told as; its id is the order's.
const CONTACT: &str = "contact";

pub struct CreateOrder(pub NewOrder);

impl UseCase for CreateOrder {
    const METHOD: &'static str = "CreateOrder";
    type Answer = Order;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.0.content.as_str().as_bytes()])
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.references(tenant, &self.0.references);
        wanted.numbers.extend(self.0.number.iter().map(|number| (tenant.clone(), number.clone())));
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Order, Refusal> {
        place(work, &self.0)
    }
}

/// Accepts an order under names that nobody else has.
pub fn place(work: &mut Work<'_>, new: &NewOrder) -> Result<Order, Refusal> {
    names_are_free(work, new)?;
    let policies = work.shelf();
    let policy = policies.policy_of(&new.parties.supplier, &new.references);
    let mut new = new.clone();
    new.bundles = policy.document.bundle;
    new.confirm_later |= !policy.document.auto_confirm;
    let (tenant, actor) = (work.asked.tenant.clone(), work.asked.actor.clone());
    let placed = placing::place(new, tenant.clone(), actor, &work.books.ids, work.books.now)?;
    let order = placed.order.clone();
    let bearer = Bearer { order_id: order.order_id.clone(), state: order.state() };
    for name in &order.references {
        work.books.references.insert((tenant.clone(), name.clone()), bearer.clone());
    }
    work.books.numbers.insert((tenant, order.number.clone()), bearer);

    let (lease, traceparent) = work.saga_begins();
    work.start(plans::place(&placed, work.books.ids.mint(), lease, traceparent));
    work.put(placed.order, None, placed.happened);
    name_contact(work, &order);
    Ok(order)
}

/// Whoever ordered is told without anybody having to enter them in an address book.
fn name_contact(work: &mut Work<'_>, order: &Order) {
    if order.parties.client_contact.is_empty() {
        return;
    }
    let event = ContactNamed {
        order_id: order.order_id.to_string(),
        contact: order.parties.client_contact.clone(),
        is_client: !order.parties.buyer.is_empty(),
    };
    work.books.tell_beside(NewEvent {
        tenant: order.tenant.clone(),
        event_id: work.books.ids.mint(),
        aggregate_type: CONTACT,
        aggregate_id: order.order_id.to_string(),
        aggregate_seq: 1,
        kind: "countermand.events.v1.ContactNamed",
        payload: event.encode_to_vec(),
        traceparent: work.asked.traceparent.clone(),
        occurred_at: work.books.now,
    });
}

fn names_are_free(work: &Work<'_>, new: &NewOrder) -> Result<(), Refusal> {
    // The state tells whoever imports the same order again what has become of it; nothing brings it back.
    let taken = |message: String, bearer: &Bearer| {
        let refusal = Refusal::new(Reason::ExternalReferenceTaken, message);
        let state = bearer.state.as_str().to_ascii_uppercase();
        Err(refusal.detail("order_id", &bearer.order_id).detail("state", state))
    };
    let (books, tenant) = (&work.books, &work.asked.tenant);
    for name in &new.references {
        if let Some(bearer) = books.references.get(&(tenant.clone(), name.clone())) {
            return taken(format!("{} {} is the name of another order", name.system, name.reference), bearer);
        }
    }
    let bearer = new.number.as_ref().and_then(|number| {
        books.numbers.get(&(tenant.clone(), number.clone())).map(|bearer| (number, bearer))
    });
    match bearer {
        Some((number, bearer)) => taken(format!("another order has the number {number}"), bearer),
        None => Ok(()),
    }
}

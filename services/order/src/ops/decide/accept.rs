//! What a caller asks for is accepted in one commit, or refused and leaves no trace.

use prost::Message as _;
use proto::events::v1::ContactNamed;
use saga::SagaKey;
use storage::NewEvent;
use types::{ChangeOrderId, MessageId, OrderId, Reason, Refusal, SagaId};

use crate::domain::change::{ChangeOrder, ChangeRequest, ChangeType};
use crate::domain::conversation;
use crate::domain::history::Happened;
use crate::domain::lifecycle::{self, Submission};
use crate::domain::order::{Actor, Order, Placement};
use crate::domain::placing::{self, NewOrder};
use crate::domain::policy::Policy;
use crate::domain::quote::Presented;
use crate::ops::books::attention::Raised;
use crate::ops::books::{Books, decisions, views};
use crate::ops::command::{After, Answer, Asked, Done};
use crate::ops::decide::carry;
use crate::ops::decide::context::{Context, find};
use crate::ops::plans;
use crate::store::groups::Bearer;
use crate::store::keys::OrderKey;

/// The kind of aggregate that whom an order's messages go to is told as; its id is the order's.
const CONTACT: &str = "contact";

/// Accepts an order as PLACING, together with the saga that places it.
pub fn create(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    new: &NewOrder,
    after: &mut After,
) -> Done {
    names_are_free(books, asked, new)?;
    let shelf = books.policies.shelf(&asked.tenant);
    let policy = shelf.policy_of(&new.parties.supplier, &new.references);
    let mut new = new.clone();
    new.bundles = policy.document.bundle;
    new.confirm_later |= !policy.document.auto_confirm;
    let placed = placing::place(new, asked.tenant.clone(), asked.actor.clone(), &books.ids, books.now)?;
    let order = placed.order.clone();
    let bearer = Bearer { order_id: order.order_id.clone(), state: order.state() };
    for name in &order.references {
        books.references.insert((asked.tenant.clone(), name.clone()), bearer.clone());
    }
    books.numbers.insert((asked.tenant.clone(), order.number.clone()), bearer);

    let saga = plans::place(&placed, books.ids.mint(), context.lease.clone(), asked.traceparent.clone());
    after.start = Some(books.sagas.start(saga));
    books.put(placed.order, None, placed.happened, asked.traceparent.as_deref());
    name_contact(books, asked, &order);
    let resource = order.order_id.to_string();
    Ok((Answer::Order(Box::new(order)), resource))
}

/// Whoever ordered is told without anybody having to enter them in an address book.
fn name_contact(books: &mut Books, asked: &Asked, order: &Order) {
    if order.parties.client_contact.is_empty() {
        return;
    }
    let event = ContactNamed {
        order_id: order.order_id.to_string(),
        contact: order.parties.client_contact.clone(),
        is_client: !order.parties.buyer.is_empty(),
    };
    books.tell_beside(NewEvent {
        tenant: order.tenant.clone(),
        event_id: books.ids.mint(),
        aggregate_type: CONTACT,
        aggregate_id: order.order_id.to_string(),
        aggregate_seq: 1,
        kind: "countermand.events.v1.ContactNamed",
        payload: event.encode_to_vec(),
        traceparent: asked.traceparent.clone(),
        occurred_at: books.now,
    });
}

fn names_are_free(books: &Books, asked: &Asked, new: &NewOrder) -> Result<(), Refusal> {
    // The state tells whoever imports the same order again what has become of it; nothing brings it back.
    let taken = |message: String, bearer: &Bearer| {
        let refusal = Refusal::new(Reason::ExternalReferenceTaken, message);
        let state = bearer.state.as_str().to_ascii_uppercase();
        Err(refusal.detail("order_id", &bearer.order_id).detail("state", state))
    };
    for name in &new.references {
        if let Some(bearer) = books.references.get(&(asked.tenant.clone(), name.clone())) {
            return taken(format!("{} {} is the name of another order", name.system, name.reference), bearer);
        }
    }
    match &new.number {
        Some(number) => match books.numbers.get(&(asked.tenant.clone(), number.clone())) {
            Some(bearer) => taken(format!("another order has the number {number}"), bearer),
            None => Ok(()),
        },
        None => Ok(()),
    }
}

pub fn confirm(books: &mut Books, asked: &Asked, order_id: &OrderId) -> Done {
    on_order(books, asked, order_id, lifecycle::confirm)
}

pub fn start_processing(books: &mut Books, asked: &Asked, order_id: &OrderId) -> Done {
    on_order(books, asked, order_id, lifecycle::start_processing)
}

/// A transition of an order that needs nothing but the order.
fn on_order(
    books: &mut Books,
    asked: &Asked,
    order_id: &OrderId,
    transition: fn(&mut Order, Actor, types::Timestamp) -> Result<Happened, Refusal>,
) -> Done {
    let mut order = find(books, asked, order_id)?;
    let happened = transition(&mut order, asked.actor.clone(), books.now)?;
    books.put(order.clone(), None, happened, asked.traceparent.as_deref());
    Ok((Answer::Order(Box::new(order)), order_id.to_string()))
}

/// Accepts a change with the saga that carries it out. While its order is still in the placing, the place saga is
/// asked to put everything back instead, and carries the change with it.
pub fn submit(
    context: &Context,
    books: &mut Books,
    asked: &Asked,
    request: &ChangeRequest,
    quote: Option<&Presented>,
    after: &mut After,
) -> Done {
    let mut order = find(books, asked, &request.order_id)?;
    // Anything but the whole is refused below while the order is in the placing.
    let placing = order.placement == Placement::Placing && request.change_type() == ChangeType::CancelOrder;
    let saga_id = if placing { place_saga(books, &order)? } else { books.ids.mint() };
    let shelf = books.policies.shelf(&asked.tenant);
    let submission = Submission {
        request,
        policy: shelf.of(&order),
        catalogue: &shelf.catalogue,
        quote: quote.map(|presented| (&context.quote_key, presented)),
        change_order_id: books.ids.mint(),
        saga_id,
        actor: asked.actor.clone(),
        now: books.now,
    };
    prove_contact(books, &order, request, submission.policy, &asked.actor)?;
    speaks_for_the_house(asked, request)?;
    let before = order.clone();
    let (change, happened) = lifecycle::accept(&mut order, submission).inspect_err(|refusal| {
        books.decisions.extend(decisions::refused(&before, request, &shelf, asked, refusal, books.now));
    })?;
    shelf.edition.check_change(&before, request, &change.lines, &change.terms.skipped)?;
    books.decisions.extend(Some(decisions::allowed(&before, request, &change)));
    books.put(order.clone(), Some(change.clone()), happened, asked.traceparent.as_deref());
    if placing {
        unwind_placing(books, &order, &change.change_order_id, &change.saga_id)?;
        after.due = true;
    } else {
        let saga = plans::cancel(&order, &change, context.lease.clone(), asked.traceparent.clone());
        after.start = Some(books.sagas.start(saga));
    }
    if change.terms.forced {
        attend_forced(books, &change);
    }
    let view = views::of_books(&context.registry, books, &order, &change);
    let resource = change.change_order_id.to_string();
    Ok((Answer::Change(Box::new(view)), resource))
}

/// What stays among our own people, and who is told nothing, is said by those who see all orders: a party of the order would
/// keep the other side from hearing of its cancellation.
fn speaks_for_the_house(asked: &Asked, request: &ChangeRequest) -> Result<(), Refusal> {
    let said = [
        ("change.staff_note", !request.said.staff_note.is_empty()),
        ("change.without_mail_to", !request.said.without_mail_to.is_empty()),
    ];
    match said.iter().find(|(_, is_said)| *is_said && !asked.reach.is_tenant()) {
        None => Ok(()),
        Some((field, _)) => {
            let message = format!("{field} is for roles that see every order of the tenant");
            let refusal = Refusal::new(Reason::PermissionDenied, message).field(*field);
            Err(refusal.detail("role", &asked.actor.role))
        }
    }
}

/// What is named as proof that the supplier was spoken to has to be one.
fn prove_contact(
    books: &Books,
    order: &Order,
    request: &ChangeRequest,
    policy: &Policy,
    actor: &Actor,
) -> Result<(), Refusal> {
    let named = request.said.supplier_contact_ref.as_str();
    if named.is_empty() {
        return Ok(());
    }
    let known = MessageId::parse(named).ok();
    let message = known.and_then(|id| books.desk.message(&order.tenant, &id));
    conversation::proves_contact(order, message, actor, policy)
        .map_err(|refusal| refusal.field("change.supplier_contact_ref").detail("supplier_contact_ref", named))
}

/// Somebody looks at what was forced, whatever comes of it.
fn attend_forced(books: &mut Books, change: &ChangeOrder) {
    let message = format!("{} forced change {}", change.requested_by.user, change.number);
    books.raise(Raised {
        tenant: change.tenant.clone(),
        order_id: Some(change.order_id.clone()),
        change_order_id: Some(change.change_order_id.clone()),
        subject_type: plans::SUBJECT_CHANGE.to_owned(),
        subject_id: change.change_order_id.to_string(),
        cause: Refusal::new(Reason::ConfirmationRequired, message).detail("rule_id", &change.rule),
        allowed_actions: Vec::new(),
    });
}

fn place_saga(books: &Books, order: &Order) -> Result<SagaId, Refusal> {
    let key: OrderKey = (order.tenant.clone(), order.order_id.clone());
    // Without one the order was opened or failed while this request was on its way: the next try will see it so.
    books.placing.get(&key).cloned().ok_or_else(|| {
        Refusal::new(Reason::ConcurrentUpdate, "the order was being placed a moment ago; try again")
    })
}

fn unwind_placing(
    books: &mut Books,
    order: &Order,
    change_order_id: &ChangeOrderId,
    saga_id: &SagaId,
) -> Result<(), Refusal> {
    let key = SagaKey::new(order.tenant.clone(), saga_id.clone());
    if books.sagas.get(&key).is_some_and(|row| row.unwind_cause.is_some()) {
        // Stock or payment has refused already; the change ends with what is being put back.
        return Ok(());
    }
    let message = format!("the order was cancelled by {change_order_id} before it was placed");
    carry::turn_back(books, &key, Refusal::new(Reason::CancelledWhilePlacing, message))
}

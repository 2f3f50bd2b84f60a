//! SubmitChangeOrder: accepts a cancellation and starts its saga in the same commit. If the order is still being placed, no saga starts:
//! the place saga is asked to compensate, and the change ends together with it.

use saga::SagaKey;
use types::{ChangeOrderId, Fingerprint, MessageId, Reason, Refusal, SagaId, Tenant};

use super::{UseCase, Work};
use crate::domain::change::{ChangeOrder, ChangeRequest, ChangeType, ChangeView};
use crate::domain::conversation;
use crate::domain::lifecycle::{self, Submission};
use crate::domain::order::{Order, Placement};
use crate::domain::policy::Policy;
use crate::domain::quote::Presented;
use crate::ops::books::attention::Raised;
use crate::ops::books::decisions;
use crate::ops::books::wanted::Wanted;
use crate::ops::command::Named;
use crate::ops::decide::carry;
use crate::ops::plans;
use crate::store::keys::OrderKey;

pub struct SubmitChange {
    pub request: ChangeRequest,
    pub quote: Option<Presented>,
}

impl UseCase for SubmitChange {
    const METHOD: &'static str = "SubmitChangeOrder";
    type Answer = ChangeView;

    fn content(&self) -> Fingerprint {
        let quote = self.quote.as_ref().map_or("", |presented| &presented.quote_id);
        Fingerprint::of(&[self.request.content.as_str().as_bytes(), quote.as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Order(&self.request.order_id))
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        let proof = MessageId::parse(&self.request.said.supplier_contact_ref).ok();
        wanted.desk.messages.extend(proof.map(|id| (tenant.clone(), id)));
        if self.request.change_type() == ChangeType::CancelOrder {
            wanted.whole.insert((tenant.clone(), self.request.order_id.clone()));
        }
        wanted.order(tenant, &self.request.order_id);
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<ChangeView, Refusal> {
        let request = &self.request;
        let mut order = work.order(&request.order_id)?;
        // While the order is being placed, anything but the whole order is refused below.
        let placing =
            order.placement == Placement::Placing && request.change_type() == ChangeType::CancelOrder;
        let saga_id = if placing { place_saga(work, &order)? } else { work.books.ids.mint() };
        let policies = work.shelf();
        let submission = Submission {
            request,
            policy: policies.of(&order),
            catalogue: &policies.catalogue,
            quote: self.quote.as_ref().map(|presented| (&work.context.quote_key, presented)),
            change_order_id: work.books.ids.mint(),
            saga_id,
            actor: work.asked.actor.clone(),
            now: work.books.now,
        };
        prove_contact(work, &order, request, submission.policy)?;
        speaks_for_the_house(work, request)?;
        let before = order.clone();
        let (change, happened) = lifecycle::accept(&mut order, submission).inspect_err(|refusal| {
            let refused =
                decisions::refused(&before, request, &policies, work.asked, refusal, work.books.now);
            work.books.decisions.extend(refused);
        })?;
        policies.edition.check_change(&before, request, &change.lines, &change.terms.skipped)?;
        work.books.decisions.extend(Some(decisions::allowed(&before, request, &change)));
        work.put(order.clone(), Some(change.clone()), happened);
        if placing {
            unwind_placing(work, &order, &change.change_order_id, &change.saga_id)?;
            work.after.due = true;
        } else {
            let (lease, traceparent) = work.saga_begins();
            work.start(plans::cancel(&order, &change, lease, traceparent));
        }
        if change.terms.forced {
            attend_forced(work, &change);
        }
        Ok(work.view(&order, &change))
    }
}

/// Only roles that see every order may write a staff note or leave out a mail: a party of the order could otherwise keep the other side
/// from hearing of the cancellation.
fn speaks_for_the_house(work: &Work<'_>, request: &ChangeRequest) -> Result<(), Refusal> {
    let said = [
        ("change.staff_note", !request.said.staff_note.is_empty()),
        ("change.without_mail_to", !request.said.without_mail_to.is_empty()),
    ];
    match said.iter().find(|(_, is_said)| *is_said && !work.asked.reach.is_tenant()) {
        None => Ok(()),
        Some((field, _)) => {
            let message = format!("{field} is for roles that see every order of the tenant");
            let refusal = Refusal::new(Reason::PermissionDenied, message).field(*field);
            Err(refusal.detail("role", &work.asked.actor.role))
        }
    }
}

/// The message that is named as proof of contact with the supplier has to be one.
fn prove_contact(
    work: &Work<'_>,
    order: &Order,
    request: &ChangeRequest,
    policy: &Policy,
) -> Result<(), Refusal> {
    let named = request.said.supplier_contact_ref.as_str();
    if named.is_empty() {
        return Ok(());
    }
    let known = MessageId::parse(named).ok();
    let message = known.and_then(|id| work.books.desk.message(&order.tenant, &id));
    conversation::proves_contact(order, message, &work.asked.actor, policy)
        .map_err(|refusal| refusal.field("change.supplier_contact_ref").detail("supplier_contact_ref", named))
}

/// A person looks at every forced change, whatever comes of it.
fn attend_forced(work: &mut Work<'_>, change: &ChangeOrder) {
    let message = format!("{} forced change {}", change.requested_by.user, change.number);
    work.books.raise(Raised {
        tenant: change.tenant.clone(),
        order_id: Some(change.order_id.clone()),
        change_order_id: Some(change.change_order_id.clone()),
        subject_type: plans::SUBJECT_CHANGE.to_owned(),
        subject_id: change.change_order_id.to_string(),
        cause: Refusal::new(Reason::ConfirmationRequired, message).detail("rule_id", &change.rule),
        allowed_actions: Vec::new(),
    });
}

fn place_saga(work: &Work<'_>, order: &Order) -> Result<SagaId, Refusal> {
    let key: OrderKey = (order.tenant.clone(), order.order_id.clone());
    // Without a place saga the order has opened or failed meanwhile: the next try will see that.
    work.books.placing.get(&key).cloned().ok_or_else(|| {
        Refusal::new(Reason::ConcurrentUpdate, "the order was being placed a moment ago; try again")
    })
}

fn unwind_placing(
    work: &mut Work<'_>,
    order: &Order,
    change_order_id: &ChangeOrderId,
    saga_id: &SagaId,
) -> Result<(), Refusal> {
    let key = SagaKey::new(order.tenant.clone(), saga_id.clone());
    if work.books.sagas.get(&key).is_some_and(|row| row.unwind_cause.is_some()) {
        // Stock or payment has refused already; the change ends when the saga has compensated.
        return Ok(());
    }
    let message = format!("the order was cancelled by {change_order_id} before it was placed");
    carry::turn_back(work.books, &key, Refusal::new(Reason::CancelledWhilePlacing, message))
}

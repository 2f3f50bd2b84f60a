//! Events of the participants. Each takes effect once, in the order of its aggregate.

use proto::events::v1::RefundEnded;
use saga::{SagaKey, Wake};
use storage::{Delivery, Envelope, Intake};
use types::{ChangeOrderId, OrderId, Reason, RefundId, Refusal};

use crate::domain::change::{ChangeOrder, Refund};
use crate::domain::goods::{self, Reported};
use crate::domain::lifecycle;
use crate::domain::order::Order;
use crate::ops::books::Books;
use crate::ops::books::attention::Raised;
use crate::ops::command::{After, Arrival, Body};
use crate::ops::decide::{outside, owed};

/// Applies an event. An event that cannot be understood is accepted and put on the attention list: refusing it would hold up every
/// event after it for ever.
pub fn deliver(books: &mut Books, arrival: &Arrival, after: &mut After) -> Delivery {
    match books.inbox.admit(&arrival.envelope) {
        Intake::Duplicate => return Delivery::Duplicate,
        Intake::Later => return Delivery::Later,
        Intake::New => {}
    }
    let effect = match &arrival.body {
        Ok(body) => take_effect(books, &arrival.envelope, body, after),
        Err(problem) => Err(Trouble::Contradiction(Refusal::new(Reason::MalformedMessage, problem.clone()))),
    };
    match effect {
        Ok(()) => {}
        Err(Trouble::NotNow) => return Delivery::Later,
        Err(Trouble::Contradiction(cause)) => contradict(books, arrival, cause),
    }
    books.inbox.accept(&arrival.envelope);
    Delivery::Accepted
}

enum Trouble {
    /// A running change must end before the event can take effect.
    NotNow,
    /// The event contradicts the order: a person has to look.
    Contradiction(Refusal),
}

fn take_effect(
    books: &mut Books,
    envelope: &Envelope,
    body: &Body,
    after: &mut After,
) -> Result<(), Trouble> {
    let traceparent = envelope.traceparent.as_deref();
    match body {
        Body::StepSettled { saga_id } => {
            let key = SagaKey::new(envelope.tenant.clone(), saga_id.clone());
            match books.sagas.wake(&key) {
                Wake::Due => after.due = true,
                Wake::Remembered | Wake::NotWaiting => {}
                Wake::Unknown => {
                    tracing::warn!(%saga_id, source = envelope.source, "a step of an unknown saga has ended");
                }
            }
            Ok(())
        }
        Body::GoodsProgressed { order_id, lines, tracking_number } => {
            let mut order = find_order(books, envelope, order_id)?;
            match goods::report(&mut order, lines, tracking_number, books.now) {
                Reported::Applied(happened) => books.put(order, None, happened, traceparent),
                Reported::Later => return Err(Trouble::NotNow),
                Reported::Contradicts(refusal) => return Err(Trouble::Contradiction(refusal)),
            }
            Ok(())
        }
        Body::Outside { order_id, news } => {
            let mut order = find_order(books, envelope, order_id)?;
            let happened = outside::record(&mut order, news, books.now);
            let tenant = &envelope.tenant;
            let late = news.leg().and_then(|leg| owed::heard_late(books, tenant, &order, leg, books.now));
            books.put(order.clone(), None, happened, traceparent);
            if let Some((change, happened)) = late {
                books.put(order, Some(change), happened, traceparent);
            }
            Ok(())
        }
        Body::RefundFound { order_id, event } => {
            let mut order = find_order(books, envelope, order_id)?;
            let (amount, kept, now) = (event.amount_minor, event.kept_minor, books.now);
            let happened = lifecycle::record_found(&mut order, amount, kept, now);
            books.put(order, None, happened, traceparent);
            Ok(())
        }
        Body::OwedChanged(told) => {
            let order = find_order(books, envelope, &told.order_id)?;
            owed::record(books, order, told, traceparent);
            Ok(())
        }
        Body::RefundEnded { order_id, change_order_id, refund_id, event } => {
            refund_ended(books, envelope, (order_id, change_order_id, refund_id), event)
        }
        Body::AttentionRaised { order_id, change_order_id, event } => {
            let cause = event.cause.clone().unwrap_or_default();
            let reason = Reason::parse(&cause.reason).unwrap_or(Reason::StateConflict);
            let details = cause.details.into_iter().collect();
            books.raise(Raised {
                tenant: envelope.tenant.clone(),
                order_id: order_id.clone(),
                change_order_id: change_order_id.clone(),
                subject_type: event.subject_type.clone(),
                subject_id: event.subject_id.clone(),
                cause: Refusal { reason, message: cause.message, field: None, details },
                allowed_actions: Vec::new(),
            });
            Ok(())
        }
        Body::AttentionCleared { event, .. } => {
            books.close(&envelope.tenant, &event.subject_type, &event.subject_id);
            Ok(())
        }
    }
}

/// A leg of a change's refund has ended, with its change or long after it.
fn refund_ended(
    books: &mut Books,
    envelope: &Envelope,
    (order_id, change_order_id, refund_id): (&OrderId, &ChangeOrderId, &RefundId),
    event: &RefundEnded,
) -> Result<(), Trouble> {
    let traceparent = envelope.traceparent.as_deref();
    let mut order = find_order(books, envelope, order_id)?;
    let mut change = find_change(books, envelope, change_order_id)?;
    let known = change.refunds.iter().find(|refund| refund.refund_id == *refund_id);
    let refund = Refund {
        refund_id: refund_id.clone(),
        state: event.state.clone(),
        amount_minor: event.amount_minor,
        void_of_authorisation: known.is_some_and(|refund| refund.void_of_authorisation),
    };
    let retry_of = RefundId::parse(&event.retry_of).ok();
    let (detail, now) = (&event.detail, books.now);
    let happened = lifecycle::record_refund(&mut order, &mut change, refund, retry_of.as_ref(), detail, now)
        .map_err(|defect| conflict(defect.to_string()))?;
    books.put(order, Some(change), happened, traceparent);
    Ok(())
}

fn contradict(books: &mut Books, arrival: &Arrival, cause: Refusal) {
    let envelope = &arrival.envelope;
    tracing::error!(event_id = %envelope.event_id, kind = envelope.kind, %cause, "an event says what cannot be");
    books.raise(Raised {
        tenant: envelope.tenant.clone(),
        order_id: OrderId::parse(&envelope.aggregate_id).ok(),
        change_order_id: None,
        subject_type: "event".to_owned(),
        subject_id: envelope.event_id.to_string(),
        cause,
        allowed_actions: Vec::new(),
    });
}

fn find_order(books: &Books, envelope: &Envelope, order_id: &OrderId) -> Result<Order, Trouble> {
    let order = books.orders.get(&(envelope.tenant.clone(), order_id.clone())).cloned();
    order.ok_or_else(|| conflict(format!("order {order_id} does not exist")))
}

fn find_change(
    books: &Books,
    envelope: &Envelope,
    change_order_id: &ChangeOrderId,
) -> Result<ChangeOrder, Trouble> {
    let change = books.changes.get(&(envelope.tenant.clone(), change_order_id.clone())).cloned();
    change.ok_or_else(|| conflict(format!("change {change_order_id} does not exist")))
}

fn conflict(message: String) -> Trouble {
    Trouble::Contradiction(Refusal::new(Reason::StateConflict, message))
}

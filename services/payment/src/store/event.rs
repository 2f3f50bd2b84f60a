//! The events of a batch, as the order service will read them.

use prost::Message as _;
use proto::events::v1 as wire;
use storage::outbox::{self, NewEvent};
use storage::{DbError, Table, Tx};
use types::{Ids, Reason, Refusal, Timestamp};

use super::OrderKey;
use super::gateway_event::Received;
use crate::domain::{Account, Event};

const AGGREGATE_TYPE: &str = "order";

/// Events of a gateway's webhooks that match no payment belong to no order.
const GATEWAY_EVENT: &str = "gateway_event";

/// What every event of a batch carries.
pub struct Stamp<'a> {
    pub ids: &'a Ids,
    pub now: Timestamp,
}

pub async fn append(
    tx: &mut Tx,
    accounts: &Table<OrderKey, Account>,
    stamp: &Stamp<'_>,
) -> Result<(), DbError> {
    let mut events = Vec::new();
    for ((tenant, order_id), account) in accounts.iter() {
        for (seq, event) in &account.unsaved.events {
            let (kind, payload) = payload(account, event);
            events.push(NewEvent {
                tenant: tenant.clone(),
                event_id: stamp.ids.mint(),
                aggregate_type: AGGREGATE_TYPE,
                aggregate_id: order_id.to_string(),
                aggregate_seq: *seq,
                kind,
                payload,
                // The saga that is told has its own trace; one commit serves many of them.
                traceparent: None,
                occurred_at: stamp.now,
            });
        }
    }
    outbox::append(tx, &events).await
}

/// Somebody has to look at the webhooks of a gateway that match none of our payments; one open item says so for all of
/// them.
pub async fn append_unmatched(tx: &mut Tx, received: &Received, stamp: &Stamp<'_>) -> Result<(), DbError> {
    let event = &received.event;
    let cause = Refusal::new(Reason::StateConflict, "a gateway tells of a payment that is none of ours")
        .detail("gateway_event_id", &event.event_id)
        .detail("gateway_reference", &event.gateway_reference)
        .detail("payment_reference", &event.payment_reference);
    let raised = wire::AttentionRaised {
        subject_type: "gateway".to_owned(),
        subject_id: event.gateway.clone(),
        order_id: String::new(),
        change_order_id: String::new(),
        cause: Some(kit::answer::to_wire(&cause)),
    };
    let event = NewEvent {
        tenant: received.tenant.clone(),
        event_id: stamp.ids.mint(),
        aggregate_type: GATEWAY_EVENT,
        aggregate_id: format!("{}/{}", event.gateway, event.event_id),
        aggregate_seq: 1,
        kind: "countermand.events.v1.AttentionRaised",
        payload: raised.encode_to_vec(),
        traceparent: None,
        occurred_at: stamp.now,
    };
    outbox::append(tx, &[event]).await
}

fn payload(account: &Account, event: &Event) -> (&'static str, Vec<u8>) {
    let order_id = account.order_id.to_string();
    match event {
        Event::StepSettled { saga_id, step } => {
            let event = wire::StepSettled { saga_id: saga_id.clone(), step: step.clone() };
            ("countermand.events.v1.StepSettled", event.encode_to_vec())
        }
        Event::RefundEnded { change_order_id, refund_id, state, amount_minor, detail, retry_of } => {
            let event = wire::RefundEnded {
                order_id,
                change_order_id: change_order_id.as_ref().map(ToString::to_string).unwrap_or_default(),
                refund_id: refund_id.to_string(),
                state: state.as_str().to_owned(),
                amount_minor: *amount_minor,
                detail: detail.clone(),
                retry_of: retry_of.as_ref().map(ToString::to_string).unwrap_or_default(),
            };
            ("countermand.events.v1.RefundEnded", event.encode_to_vec())
        }
        Event::RefundFound { refund_id, amount_minor, gateway_reference, kept_minor } => {
            let event = wire::RefundFound {
                order_id,
                refund_id: refund_id.to_string(),
                amount_minor: *amount_minor,
                gateway_reference: gateway_reference.clone(),
                kept_minor: *kept_minor,
            };
            ("countermand.events.v1.RefundFound", event.encode_to_vec())
        }
        Event::OwedChanged { positions, left } => {
            let left = left.iter().map(|left| wire::LeftOwed {
                change_order_id: left.change_order_id.to_string(),
                owed_minor: left.owed_minor,
                mended: left.mended,
            });
            let event = wire::OwedChanged {
                order_id,
                positions: positions.iter().copied().map(crate::wire::owed).collect(),
                left: left.collect(),
            };
            ("countermand.events.v1.OwedChanged", event.encode_to_vec())
        }
        Event::AttentionRaised { subject, change_order_id, cause } => {
            let event = wire::AttentionRaised {
                subject_type: subject.subject_type.to_owned(),
                subject_id: subject.subject_id.clone(),
                order_id,
                change_order_id: change_order_id.as_ref().map(ToString::to_string).unwrap_or_default(),
                cause: Some(kit::answer::to_wire(cause)),
            };
            ("countermand.events.v1.AttentionRaised", event.encode_to_vec())
        }
        Event::AttentionCleared { subject, change_order_id } => {
            let event = wire::AttentionCleared {
                subject_type: subject.subject_type.to_owned(),
                subject_id: subject.subject_id.clone(),
                order_id,
                change_order_id: change_order_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            };
            ("countermand.events.v1.AttentionCleared", event.encode_to_vec())
        }
    }
}

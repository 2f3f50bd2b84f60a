//! Events between services, as they travel: what a relay delivers to, and what an intake is handed.

use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use proto::events::v1::event_intake_service_client::EventIntakeServiceClient;
use proto::events::v1::{self as wire, DeliverEventsRequest, DeliverEventsResponse, EventEnvelope};
use storage::{Delivery, Envelope};
use types::{EventId, Reason, Refusal, Tenant, Timestamp};

use crate::client::Channel;
use crate::name::{is_name, name};

/// The most events of one call; a relay claims no more.
const EVENTS_MAX: usize = 200;

/// What a relay delivers to: the event intake of another service. One call for all events; an error means that nobody
/// knows what arrived, and all are sent again.
pub fn target(
    receiver: Channel,
) -> impl Fn(Vec<Envelope>) -> BoxFuture<'static, Result<Vec<Delivery>, String>> + Send + Sync + 'static {
    let client = EventIntakeServiceClient::new(receiver);
    move |envelopes| {
        let mut client = client.clone();
        async move {
            let events = envelopes.into_iter().map(event).collect();
            let response = client.deliver_events(DeliverEventsRequest { events }).await;
            let response = response.map_err(|status| format!("{:?}: {}", status.code(), status.message()))?;
            response.into_inner().deliveries().map(delivery).collect()
        }
        .boxed()
    }
}

/// As [`target`], and events about one kind of aggregate also go to others. Such an event is accepted when all have it;
/// until then it comes again later, and holds up nothing but its own aggregate.
pub fn target_and(
    receiver: Channel,
    aggregate_type: &'static str,
    others: Vec<Channel>,
) -> impl Fn(Vec<Envelope>) -> BoxFuture<'static, Result<Vec<Delivery>, String>> + Send + Sync + 'static {
    let first = target(receiver);
    let others: Vec<_> = others.into_iter().map(target).collect();
    move |envelopes| {
        let shared: Vec<(usize, Envelope)> = envelopes
            .iter()
            .enumerate()
            .filter(|(_, envelope)| envelope.aggregate_type == aggregate_type)
            .map(|(place, envelope)| (place, envelope.clone()))
            .collect();
        let first = first(envelopes);
        let (places, shared): (Vec<usize>, Vec<Envelope>) = shared.into_iter().unzip();
        let to_others: Vec<_> =
            if shared.is_empty() { Vec::new() } else { others.iter().map(|to| to(shared.clone())).collect() };
        async move {
            let mut deliveries = first.await?;
            for answer in join_all(to_others).await {
                // One that is silent does not keep the others from what they wait for.
                let later = vec![Delivery::Later; places.len()];
                let answers = answer.ok().filter(|answers| answers.len() == places.len()).unwrap_or(later);
                for (place, answer) in places.iter().zip(answers) {
                    if answer == Delivery::Later {
                        deliveries[*place] = Delivery::Later;
                    }
                }
            }
            Ok(deliveries)
        }
        .boxed()
    }
}

fn event(envelope: Envelope) -> EventEnvelope {
    EventEnvelope {
        event_id: envelope.event_id.into(),
        tenant: envelope.tenant.into(),
        source: envelope.source,
        aggregate_type: envelope.aggregate_type,
        aggregate_id: envelope.aggregate_id,
        aggregate_sequence: envelope.aggregate_seq,
        r#type: envelope.kind,
        payload: envelope.payload,
        traceparent: envelope.traceparent.unwrap_or_default(),
        occurred_at: envelope.occurred_at.to_string(),
    }
}

fn delivery(said: wire::Delivery) -> Result<Delivery, String> {
    match said {
        wire::Delivery::Accepted => Ok(Delivery::Accepted),
        wire::Delivery::Duplicate => Ok(Delivery::Duplicate),
        wire::Delivery::Later => Ok(Delivery::Later),
        wire::Delivery::Unspecified => Err("the receiver's answer for an event says nothing".to_owned()),
    }
}

/// The events of a call to this service's own intake.
pub fn parse(request: DeliverEventsRequest) -> Result<Vec<Envelope>, Refusal> {
    if !(1..=EVENTS_MAX).contains(&request.events.len()) {
        let message = format!("a call delivers 1 to {EVENTS_MAX} events");
        return Err(Refusal::new(Reason::FieldInvalid, message).field("events"));
    }
    request.events.into_iter().enumerate().map(|(place, event)| envelope(place, event)).collect()
}

/// What is answered for each event of a call, in its order.
pub fn answer(deliveries: &[Delivery]) -> DeliverEventsResponse {
    let said = deliveries.iter().map(|delivery| match delivery {
        Delivery::Accepted => wire::Delivery::Accepted.into(),
        Delivery::Duplicate => wire::Delivery::Duplicate.into(),
        Delivery::Later => wire::Delivery::Later.into(),
    });
    DeliverEventsResponse { deliveries: said.collect() }
}

fn envelope(place: usize, event: EventEnvelope) -> Result<Envelope, Refusal> {
    let at = |field: &str, refusal: Refusal| refusal.field(format!("events[{place}].{field}"));
    if event.aggregate_sequence < 1 {
        let refusal = Refusal::new(Reason::FieldInvalid, "the sequence of an aggregate starts at 1");
        return Err(at("aggregate_sequence", refusal));
    }
    let name = |field: &str, text: &str| name(text).map_err(|refusal| at(field, refusal));
    Ok(Envelope {
        tenant: Tenant::parse(&event.tenant).map_err(|error| at("tenant", error.into()))?,
        event_id: EventId::parse(&event.event_id).map_err(|error| at("event_id", error.into()))?,
        occurred_at: Timestamp::parse(&event.occurred_at).map_err(|error| at("occurred_at", error.into()))?,
        source: name("source", &event.source)?,
        aggregate_type: name("aggregate_type", &event.aggregate_type)?,
        aggregate_id: name("aggregate_id", &event.aggregate_id)?,
        aggregate_seq: event.aggregate_sequence,
        kind: name("type", &event.r#type)?,
        payload: event.payload,
        // A trace never refuses an event; one that is no plain text is not kept.
        traceparent: Some(event.traceparent).filter(|text| is_name(text)),
    })
}

#[cfg(test)]
mod tests {
    use types::{Clock, Ids};

    use super::*;

    fn told() -> Envelope {
        let clock = Clock::System;
        Envelope {
            source: "inventory".to_owned(),
            tenant: Tenant::default(),
            event_id: Ids::random(clock.clone()).mint(),
            aggregate_type: "order".to_owned(),
            aggregate_id: "ord_1".to_owned(),
            aggregate_seq: 1,
            kind: "countermand.events.v1.StepSettled".to_owned(),
            payload: vec![1, 2],
            traceparent: Some("00-1-2-01".to_owned()),
            occurred_at: clock.now(),
        }
    }

    #[test]
    fn an_envelope_arrives_as_it_was_sent() {
        let told = told();

        assert_eq!(parse(DeliverEventsRequest { events: vec![event(told.clone())] }), Ok(vec![told]));
    }

    #[test]
    fn what_is_wrong_with_an_event_is_said_by_its_place_and_field() {
        let good = event(told());
        let wrong = [
            ("tenant", EventEnvelope { tenant: "No Such".to_owned(), ..good.clone() }),
            ("event_id", EventEnvelope { event_id: "ord_1".to_owned(), ..good.clone() }),
            ("occurred_at", EventEnvelope { occurred_at: "yesterday".to_owned(), ..good.clone() }),
            ("source", EventEnvelope { source: String::new(), ..good.clone() }),
            ("aggregate_id", EventEnvelope { aggregate_id: "a b".to_owned(), ..good.clone() }),
            ("aggregate_sequence", EventEnvelope { aggregate_sequence: 0, ..good.clone() }),
        ];
        for (field, wrong) in wrong {
            let refused = parse(DeliverEventsRequest { events: vec![good.clone(), wrong] }).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some(format!("events[1].{field}").as_str()));
        }
    }

    #[test]
    fn a_call_has_events_and_not_too_many() {
        let many = vec![event(told()); EVENTS_MAX + 1];

        for events in [Vec::new(), many] {
            assert_eq!(parse(DeliverEventsRequest { events }).unwrap_err().field.as_deref(), Some("events"));
        }
    }
}

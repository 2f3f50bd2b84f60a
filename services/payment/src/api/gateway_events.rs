//! What gateways told by webhook, listed for operators.

use kit::page::{Listing, Page};
use kit::{Failure, Seal};
use proto::payment::v1 as wire;
use types::{Reason, Refusal, Tenant};

use crate::ops::reads::{EventState as State, Reads, Received};

pub async fn list(
    reads: &Reads,
    seal: &Seal,
    tenant: &Tenant,
    request: &wire::ListGatewayEventsRequest,
) -> Result<wire::ListGatewayEventsResponse, Failure> {
    let wanted = wanted(request.state)?;
    let wanted = wanted.map_or("", State::as_str);
    let listing = Listing::new("ListGatewayEvents", tenant, &wanted);
    let page = Page::parse(seal, listing, request.page_size, &request.page_token)?;
    let after = page.after(2)?.map_or(("", ""), |key| (key[0].as_str(), key[1].as_str()));
    let mut found = reads.gateway_events(tenant, wanted, after, page.limit()).await?;
    let next_page_token =
        page.finish(&mut found, |event| vec![event.event.gateway.clone(), event.event.event_id.clone()]);
    let events = found.into_iter().map(event).collect();
    Ok(wire::ListGatewayEventsResponse { events, next_page_token })
}

fn wanted(number: i32) -> Result<Option<State>, Refusal> {
    if number == 0 {
        return Ok(None);
    }
    let wire = wire::GatewayEventState::try_from(number).ok();
    let known = State::ALL.into_iter().find(|known| wire == Some(state(*known)));
    known.map(Some).ok_or_else(|| {
        let refusal = Refusal::new(Reason::FieldInvalid, format!("{number} is not a state of events"));
        refusal.field("state")
    })
}

fn state(state: State) -> wire::GatewayEventState {
    match state {
        State::Received => wire::GatewayEventState::Received,
        State::Done => wire::GatewayEventState::Done,
        State::Unmatched => wire::GatewayEventState::Unmatched,
        State::Failed => wire::GatewayEventState::Failed,
    }
}

fn event(received: Received) -> wire::GatewayEvent {
    let event = received.event;
    wire::GatewayEvent {
        gateway: event.gateway,
        event_id: event.event_id,
        kind: event.kind.as_str().to_owned(),
        payment_reference: event.payment_reference,
        refund_reference: event.gateway_reference,
        state: state(received.state).into(),
        detail: received.detail,
        received_at: received.received_at.to_string(),
    }
}

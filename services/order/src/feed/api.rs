//! EventStreamService: all events of the tenant in one order, as CloudEvents.
//!
//! A token is the position of the event it came with, signed for the tenant. It is not bound to the filter: whoever asks for
//! more types than before goes on where they were.

use std::collections::VecDeque;

use futures::stream::try_unfold;
use kit::server::{REQUEST_BYTES_MAX, Routes};
use kit::{Failure, Principal, Seal};
use proto::order::v1 as wire;
use proto::order::v1::event_stream_service_server::{EventStreamService, EventStreamServiceServer};
use tonic::{Request, Response, Status};
use types::{Reason, Refusal, Tenant};

use crate::api::convert::order_id;
use crate::api::waiting::Messages;
use crate::ops::{EventFilter, EventReader, Found, Orders, Start};
use crate::wire::cloud_event;

const TYPES_MAX: usize = 50;
const PACKAGE: &str = "countermand.events.v1.";
/// What tokens of the stream are told apart by from others that the seal closes.
const PURPOSE: &str = "stream";

/// Adds what other programs may call.
pub fn routes(routes: Routes, orders: &Orders) -> Routes {
    let api = EventStreamServiceServer::new(EventStreamApi { orders: orders.clone() });
    routes.add_service(api.max_decoding_message_size(REQUEST_BYTES_MAX))
}

struct EventStreamApi {
    orders: Orders,
}

#[tonic::async_trait]
impl EventStreamService for EventStreamApi {
    type SubscribeStream = Messages<wire::SubscribeResponse>;

    async fn subscribe(
        &self,
        request: Request<wire::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        Ok(Response::new(answer(&self.orders, request).await?))
    }
}

async fn answer(
    orders: &Orders,
    request: Request<wire::SubscribeRequest>,
) -> Result<Messages<wire::SubscribeResponse>, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let places = Places { seal: orders.seal().clone(), tenant: caller.tenant.clone() };
    let start = start(&places, &request)?;
    let order_id = match request.order_id.as_str() {
        "" => None,
        text => Some(order_id("order_id", text)?),
    };
    let filter = EventFilter { order_id, kinds: kinds(&request.types)? };
    let reader = orders.read_events(&caller, filter, start).await?;
    let subscriber = Subscriber { reader, ready: VecDeque::new(), until_now: request.until_now, places };
    Ok(Box::pin(try_unfold(subscriber, Subscriber::next)))
}

/// Holds what was read and not sent. More is read when the caller has taken it all, so a slow one costs no memory.
struct Subscriber {
    reader: EventReader,
    ready: VecDeque<wire::SubscribeResponse>,
    until_now: bool,
    places: Places,
}

/// Positions in the stream of a tenant, as tokens.
struct Places {
    seal: Seal,
    tenant: Tenant,
}

impl Places {
    fn token(&self, position: i64) -> String {
        self.seal.close(&[PURPOSE, self.tenant.as_str()], &position.to_string())
    }

    fn position(&self, token: &str) -> Option<i64> {
        self.seal.open(&[PURPOSE, self.tenant.as_str()], token)?.parse().ok()
    }
}

impl Subscriber {
    async fn next(mut self) -> Result<Option<(wire::SubscribeResponse, Self)>, Status> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Ok(Some((ready, self)));
            }
            match self.reader.next().await? {
                Found::Events(events) => self.ready.extend(events.into_iter().map(|told| {
                    let resume_token = self.places.token(told.position);
                    wire::SubscribeResponse { event: Some(cloud_event(told)), resume_token }
                })),
                Found::NothingHere => {}
                Found::End if self.until_now => return Ok(None),
                Found::End => self.reader.something_new().await,
            }
        }
    }
}

fn start(places: &Places, request: &wire::SubscribeRequest) -> Result<Start, Refusal> {
    let refuse = |reason: Reason, message: &str| Err(Refusal::new(reason, message).field("resume_token"));
    match (request.resume_token.as_str(), request.only_new) {
        ("", true) => Ok(Start::Now),
        ("", false) => Ok(Start::After(0)),
        (_, true) => refuse(Reason::FieldInvalid, "a token and only_new exclude each other"),
        (token, false) => match places.position(token) {
            Some(position) => Ok(Start::After(position)),
            None => refuse(Reason::PageTokenInvalid, "the token is not one of this stream"),
        },
    }
}

/// Full names. A name that no message has would wait in vain for ever.
fn kinds(types: &[String]) -> Result<Vec<String>, Refusal> {
    if types.len() > TYPES_MAX {
        let message = format!("at most {TYPES_MAX} types, not {}", types.len());
        return Err(Refusal::new(Reason::FieldInvalid, message).field("types"));
    }
    let full = |(at, name): (usize, &String)| {
        let full = format!("{PACKAGE}{}", name.strip_prefix(PACKAGE).unwrap_or(name));
        if crate::wire::EVENT_TYPES.contains(&full.as_str()) {
            return Ok(full);
        }
        let message = format!("no event has the type {name:?}");
        Err(Refusal::new(Reason::FieldInvalid, message).field(format!("types[{at}]")))
    };
    types.iter().enumerate().map(full).collect()
}

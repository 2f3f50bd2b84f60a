//! WebhookService: endpoints, and what became of their deliveries. For operators.

use std::time::Duration;

use kit::page::{Listing, Page};
use kit::{Failure, Principal, Seal};
use proto::notification::v1 as wire;
use proto::notification::v1::webhook_service_server::WebhookService;
use storage::RequestKey;
use tonic::{Request, Response, Status};
use types::{DeliveryId, Fingerprint, Reason, Refusal, RequestId, WebhookId, text};

use super::webhook_rendering::{delivery, endpoint};
use crate::domain::DeliveryState;
use crate::domain::webhook::{OVERLAP, OVERLAP_MAX};
use crate::ops::webhooks::{Asked, Wanted, Webhooks};
use crate::ports::cloud_event::is_event_type;
use crate::ports::webhook::Poster;

const DESCRIPTION_LENGTH_MAX: usize = 200;
const TYPES_MAX: usize = 50;
const PACKAGE: &str = "countermand.events.v1.";

pub struct WebhookApi {
    webhooks: Webhooks,
    poster: Poster,
    seal: Seal,
}

impl WebhookApi {
    pub fn new(webhooks: Webhooks, poster: Poster, seal: Seal) -> Self {
        Self { webhooks, poster, seal }
    }

    async fn upsert(
        &self,
        caller: &Principal,
        request: wire::UpsertEndpointRequest,
    ) -> Result<wire::UpsertEndpointResponse, Failure> {
        let wanted = Wanted {
            url: self.url(&request.url)?,
            description: text::line(DESCRIPTION_LENGTH_MAX, &request.description)
                .map_err(|error| Refusal::from(error).field("description"))?,
            event_types: event_types(&request.event_types)?,
        };
        let types = wanted.event_types.join(" ");
        let content = [&request.webhook_id, &wanted.url, &wanted.description, &types];
        let asked = asked(caller, "UpsertEndpoint", &request.request_id, &content)?;
        let (after, secret) = if request.webhook_id.is_empty() {
            let added = self.webhooks.add(&asked, wanted).await?;
            let secret = added.secret.to_text();
            (added, secret)
        } else {
            let id = webhook_id(&request.webhook_id)?;
            (self.webhooks.change(&asked, id, wanted).await?, String::new())
        };
        Ok(wire::UpsertEndpointResponse { endpoint: Some(endpoint(after)), secret })
    }

    async fn list(
        &self,
        caller: &Principal,
        request: wire::ListEndpointsRequest,
    ) -> Result<wire::ListEndpointsResponse, Failure> {
        let listing = Listing::new("ListEndpoints", &caller.tenant, &());
        let page = Page::parse(&self.seal, listing, request.page_size, &request.page_token)?;
        let after = page.after(1)?.map_or("", |key| key[0].as_str());
        let mut found = self.webhooks.endpoints(&caller.tenant, after, page.limit()).await?;
        let next_page_token = page.finish(&mut found, |endpoint| vec![endpoint.webhook_id.to_string()]);
        let endpoints = found.into_iter().map(endpoint).collect();
        Ok(wire::ListEndpointsResponse { endpoints, next_page_token })
    }

    async fn rotate(
        &self,
        caller: &Principal,
        request: wire::RotateSecretRequest,
    ) -> Result<wire::RotateSecretResponse, Failure> {
        let id = webhook_id(&request.webhook_id)?;
        let overlap = overlap(request.overlap_seconds)?;
        let content = [&request.webhook_id, &overlap.as_secs().to_string()];
        let asked = asked(caller, "RotateSecret", &request.request_id, &content)?;
        let after = self.webhooks.rotate(&asked, id, overlap).await?;
        let secret = after.secret.to_text();
        Ok(wire::RotateSecretResponse { endpoint: Some(endpoint(after)), secret })
    }

    async fn disable(
        &self,
        caller: &Principal,
        request: wire::DisableEndpointRequest,
    ) -> Result<wire::DisableEndpointResponse, Failure> {
        let id = webhook_id(&request.webhook_id)?;
        let asked = asked(caller, "DisableEndpoint", &request.request_id, &[&request.webhook_id])?;
        let after = self.webhooks.disable(&asked, id).await?;
        Ok(wire::DisableEndpointResponse { endpoint: Some(endpoint(after)) })
    }

    async fn list_deliveries(
        &self,
        caller: &Principal,
        request: wire::ListWebhookDeliveriesRequest,
    ) -> Result<wire::ListWebhookDeliveriesResponse, Failure> {
        let id = webhook_id(&request.webhook_id)?;
        let state = match request.state.as_str() {
            "" => None,
            text => Some(DeliveryState::parse(text).ok_or_else(|| {
                let known = DeliveryState::ALL.map(DeliveryState::as_str).join(", ");
                Failure::invalid("state", Reason::FieldInvalid, format!("a state is one of {known}"))
            })?),
        };
        let chosen = (&request.webhook_id, &request.state);
        let listing = Listing::new("ListWebhookDeliveries", &caller.tenant, &chosen);
        let page = Page::parse(&self.seal, listing, request.page_size, &request.page_token)?;
        let after = page.after(1)?.map_or("", |key| key[0].as_str());
        let mut found = self.webhooks.deliveries(&caller.tenant, &id, state, after, page.limit()).await?;
        let next_page_token = page.finish(&mut found, |(delivery, _)| vec![delivery.delivery_id.to_string()]);
        let deliveries = found.into_iter().map(delivery).collect();
        Ok(wire::ListWebhookDeliveriesResponse { deliveries, next_page_token })
    }

    async fn redeliver(
        &self,
        caller: &Principal,
        request: wire::RedeliverRequest,
    ) -> Result<wire::RedeliverResponse, Failure> {
        let id = DeliveryId::parse(&request.delivery_id)
            .map_err(|error| Refusal::from(error).field("delivery_id"))?;
        let asked = asked(caller, "Redeliver", &request.request_id, &[&request.delivery_id])?;
        let logged = self.webhooks.redeliver(&asked, id).await?;
        Ok(wire::RedeliverResponse { delivery: Some(delivery(logged)) })
    }

    /// In its normal form: the same address in two spellings is stored and compared as one.
    fn url(&self, url: &str) -> Result<String, Failure> {
        match self.poster.check(url) {
            Ok(url) => Ok(url.into()),
            Err(refused) => Err(Failure::invalid("url", Reason::FieldInvalid, refused.to_string())),
        }
    }
}

#[tonic::async_trait]
impl WebhookService for WebhookApi {
    async fn upsert_endpoint(
        &self,
        request: Request<wire::UpsertEndpointRequest>,
    ) -> Result<Response<wire::UpsertEndpointResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(self.upsert(&caller, request.into_inner()).await?))
    }

    async fn list_endpoints(
        &self,
        request: Request<wire::ListEndpointsRequest>,
    ) -> Result<Response<wire::ListEndpointsResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(self.list(&caller, request.into_inner()).await?))
    }

    async fn rotate_secret(
        &self,
        request: Request<wire::RotateSecretRequest>,
    ) -> Result<Response<wire::RotateSecretResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(self.rotate(&caller, request.into_inner()).await?))
    }

    async fn disable_endpoint(
        &self,
        request: Request<wire::DisableEndpointRequest>,
    ) -> Result<Response<wire::DisableEndpointResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(self.disable(&caller, request.into_inner()).await?))
    }

    async fn list_webhook_deliveries(
        &self,
        request: Request<wire::ListWebhookDeliveriesRequest>,
    ) -> Result<Response<wire::ListWebhookDeliveriesResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(self.list_deliveries(&caller, request.into_inner()).await?))
    }

    async fn redeliver(
        &self,
        request: Request<wire::RedeliverRequest>,
    ) -> Result<Response<wire::RedeliverResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(Self::redeliver(self, &caller, request.into_inner()).await?))
    }
}

fn operator<T>(request: &Request<T>) -> Result<Principal, Failure> {
    let caller = Principal::of(request)?.clone();
    Ok(caller)
}

fn asked(caller: &Principal, method: &str, request_id: &str, content: &[&String]) -> Result<Asked, Refusal> {
    let request_id = RequestId::parse(request_id).map_err(Refusal::from)?;
    let content: Vec<&[u8]> = content.iter().map(|part| part.as_bytes()).collect();
    let key = RequestKey {
        tenant: caller.tenant.clone(),
        subject: caller.subject(),
        method: method.to_owned(),
        request_id,
    };
    Ok(Asked { key, fingerprint: Fingerprint::of(&content) })
}

fn webhook_id(text: &str) -> Result<WebhookId, Refusal> {
    WebhookId::parse(text).map_err(|error| Refusal::from(error).field("webhook_id"))
}

fn overlap(seconds: i64) -> Result<Duration, Failure> {
    match u64::try_from(seconds).map(Duration::from_secs) {
        Ok(Duration::ZERO) => Ok(OVERLAP),
        Ok(overlap) if overlap <= OVERLAP_MAX => Ok(overlap),
        Ok(_) | Err(_) => {
            let message = format!("the overlap is 0 to {} seconds", OVERLAP_MAX.as_secs());
            Err(Failure::invalid("overlap_seconds", Reason::FieldInvalid, message))
        }
    }
}

/// Full names. A name that no event has would wait in vain for ever.
fn event_types(given: &[String]) -> Result<Vec<String>, Failure> {
    if given.len() > TYPES_MAX {
        let message = format!("at most {TYPES_MAX} types, not {}", given.len());
        return Err(Failure::invalid("event_types", Reason::FieldInvalid, message));
    }
    let full = |(at, name): (usize, &String)| {
        let full = format!("{PACKAGE}{}", name.strip_prefix(PACKAGE).unwrap_or(name));
        if is_event_type(&full) {
            return Ok(full);
        }
        let message = format!("no event has the type {name:?}");
        Err(Failure::invalid(format!("event_types[{at}]"), Reason::FieldInvalid, message))
    };
    given.iter().enumerate().map(full).collect()
}

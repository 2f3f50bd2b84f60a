//! DeliveryService: what left the house, dead letters, and previews. For operators.

use kit::page::{Listing, Page};
use kit::{Failure, Principal, Seal};
use proto::notification::v1 as wire;
use proto::notification::v1::delivery_service_server::DeliveryService;
use tonic::{Request, Response, Status};
use types::{DeliveryId, OrderId, Reason, Refusal, text};

use super::asking::{asked, operator};
use crate::domain::{Delivery, DeliveryState, Locale, MailTemplate, Outlet};
use crate::ops::desk::DeliveryFilter;
use crate::ops::desk::{Deed, Desk};

const WHY_LENGTH_MAX: usize = 200;

pub struct DeliveryApi {
    desk: Desk,
    seal: Seal,
}

impl DeliveryApi {
    pub fn new(desk: Desk, seal: Seal) -> Self {
        Self { desk, seal }
    }

    async fn list(
        &self,
        caller: &Principal,
        request: wire::ListDeliveriesRequest,
    ) -> Result<wire::ListDeliveriesResponse, Failure> {
        let filter = filter(&request)?;
        let chosen = (filter.state, &request.channel, &request.recipient, &request.order_id);
        let listing = Listing::new("ListDeliveries", &caller.tenant, &chosen);
        let page = Page::parse(&self.seal, listing, request.page_size, &request.page_token)?;
        let after = page.after(1)?.map_or("", |key| key[0].as_str());
        let mut rows = self.desk.deliveries(&caller.tenant, &filter, after, page.limit()).await?;
        let next_page_token = page.finish(&mut rows, |row| vec![row.delivery_id.to_string()]);
        Ok(wire::ListDeliveriesResponse {
            deliveries: rows.into_iter().map(delivery).collect(),
            next_page_token,
        })
    }

    async fn requeue(
        &self,
        caller: &Principal,
        request: wire::RequeueDeliveryRequest,
    ) -> Result<wire::RequeueDeliveryResponse, Failure> {
        let id = delivery_id(&request.delivery_id)?;
        let asked = asked(caller, "RequeueDelivery", &request.request_id, &[&request.delivery_id])?;
        self.desk.perform(&asked, &Deed::Requeue(id.clone())).await?;
        let found = self.desk.delivery(&caller.tenant, &id).await?;
        Ok(wire::RequeueDeliveryResponse { delivery: Some(delivery(found)) })
    }

    async fn discard(
        &self,
        caller: &Principal,
        request: wire::DiscardDeliveryRequest,
    ) -> Result<wire::DiscardDeliveryResponse, Failure> {
        let id = delivery_id(&request.delivery_id)?;
        let why = text::parse_required(WHY_LENGTH_MAX, &request.why)
            .map_err(|error| Refusal::from(error).field("why"))?;
        let asked = asked(caller, "DiscardDelivery", &request.request_id, &[&request.delivery_id, &why])?;
        let why = format!("discarded by {}: {why}", caller.user);
        self.desk.perform(&asked, &Deed::Discard(id.clone(), why)).await?;
        let found = self.desk.delivery(&caller.tenant, &id).await?;
        Ok(wire::DiscardDeliveryResponse { delivery: Some(delivery(found)) })
    }

    async fn preview(
        &self,
        caller: &Principal,
        request: wire::PreviewTemplateRequest,
    ) -> Result<wire::PreviewTemplateResponse, Failure> {
        let template = MailTemplate::parse(&request.template).ok_or_else(|| {
            let known = MailTemplate::ALL.map(MailTemplate::as_str).join(", ");
            Failure::invalid("template", Reason::FieldInvalid, format!("a template is one of {known}"))
        })?;
        let locale = match request.locale.as_str() {
            "" => Locale::En,
            text => super::recipients::locale("locale", text)?,
        };
        let of = match request.delivery_id.as_str() {
            "" => None,
            text => Some(delivery_id(text)?),
        };
        let rendered = self.desk.preview(&caller.tenant, template, locale, of.as_ref()).await?;
        Ok(wire::PreviewTemplateResponse {
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
        })
    }
}

#[tonic::async_trait]
impl DeliveryService for DeliveryApi {
    async fn list_deliveries(
        &self,
        request: Request<wire::ListDeliveriesRequest>,
    ) -> Result<Response<wire::ListDeliveriesResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(self.list(&caller, request.into_inner()).await?))
    }

    async fn requeue_delivery(
        &self,
        request: Request<wire::RequeueDeliveryRequest>,
    ) -> Result<Response<wire::RequeueDeliveryResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(self.requeue(&caller, request.into_inner()).await?))
    }

    async fn discard_delivery(
        &self,
        request: Request<wire::DiscardDeliveryRequest>,
    ) -> Result<Response<wire::DiscardDeliveryResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(self.discard(&caller, request.into_inner()).await?))
    }

    async fn list_templates(
        &self,
        request: Request<wire::ListTemplatesRequest>,
    ) -> Result<Response<wire::ListTemplatesResponse>, Status> {
        operator(&request)?;
        Ok(Response::new(wire::ListTemplatesResponse {
            templates: MailTemplate::ALL.map(|template| template.as_str().to_owned()).into(),
            locales: Locale::ALL.map(|locale| locale.as_str().to_owned()).into(),
        }))
    }

    async fn preview_template(
        &self,
        request: Request<wire::PreviewTemplateRequest>,
    ) -> Result<Response<wire::PreviewTemplateResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(self.preview(&caller, request.into_inner()).await?))
    }
}

fn delivery_id(text: &str) -> Result<DeliveryId, Refusal> {
    DeliveryId::parse(text).map_err(|error| Refusal::from(error).field("delivery_id"))
}

fn filter(request: &wire::ListDeliveriesRequest) -> Result<DeliveryFilter, Failure> {
    use wire::DeliveryState as Wire;
    let state = match Wire::try_from(request.state) {
        Ok(Wire::Unspecified) => None,
        Ok(Wire::Queued) => Some(DeliveryState::Queued),
        Ok(Wire::Sending) => Some(DeliveryState::Sending),
        Ok(Wire::Sent) => Some(DeliveryState::Sent),
        Ok(Wire::Failed) => Some(DeliveryState::Failed),
        Ok(Wire::Dead) => Some(DeliveryState::Dead),
        Ok(Wire::Suppressed) => Some(DeliveryState::Suppressed),
        Ok(Wire::Discarded) => Some(DeliveryState::Discarded),
        Err(_) => return Err(Failure::invalid("state", Reason::FieldInvalid, "no such state")),
    };
    let outlet = match request.channel.as_str() {
        "" => None,
        text => Some(Outlet::parse(text).ok_or_else(|| {
            Failure::invalid("channel", Reason::FieldInvalid, "a channel is email or webhook")
        })?),
    };
    let order_id = match request.order_id.as_str() {
        "" => None,
        text => Some(OrderId::parse(text).map_err(|error| Refusal::from(error).field("order_id"))?),
    };
    Ok(DeliveryFilter { state, outlet, recipient: request.recipient.clone(), order_id })
}

fn delivery(delivery: Delivery) -> wire::Delivery {
    let state = match delivery.progress.state {
        DeliveryState::Queued => wire::DeliveryState::Queued,
        DeliveryState::Sending => wire::DeliveryState::Sending,
        DeliveryState::Sent => wire::DeliveryState::Sent,
        DeliveryState::Failed => wire::DeliveryState::Failed,
        DeliveryState::Dead => wire::DeliveryState::Dead,
        DeliveryState::Suppressed => wire::DeliveryState::Suppressed,
        DeliveryState::Discarded => wire::DeliveryState::Discarded,
    };
    wire::Delivery {
        delivery_id: delivery.delivery_id.into(),
        event_id: delivery.event_id.into(),
        channel: delivery.outlet.as_str().to_owned(),
        recipient: delivery.recipient,
        audience: delivery.audience.as_str().to_owned(),
        template: delivery.template,
        locale: delivery.locale,
        order_id: delivery.order_id.map(String::from).unwrap_or_default(),
        change_order_id: delivery.change_order_id.map(String::from).unwrap_or_default(),
        state: state.into(),
        tries: delivery.progress.tries,
        last_error: delivery.progress.last_error.unwrap_or_default(),
        provider_id: delivery.progress.provider_id.unwrap_or_default(),
        created_at: delivery.created_at.into(),
        ended_at: delivery.progress.ended_at.map(String::from).unwrap_or_default(),
    }
}

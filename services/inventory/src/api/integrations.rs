//! IntegrationService: profiles of partners and carts, and partners' words. On the public port.

use kit::page::{Listing, Page};
use kit::{Failure, Principal, Seal};
use proto::inventory::v1 as wire;
use proto::inventory::v1::integration_service_server::IntegrationService;
use tonic::{Request, Response, Status};
use types::{Reason, Refusal};

use super::{convert, integration_profile as profile, mutation};
use crate::domain::{Method, TaskState, Word};
use crate::ops::{Action, Inventory, Resource, ShownTask};
use crate::ports::connector::Partners;

pub struct IntegrationApi {
    inventory: Inventory,
    partners: Partners,
    seal: Seal,
}

impl IntegrationApi {
    pub fn new(inventory: Inventory, partners: Partners, seal: Seal) -> Self {
        Self { inventory, partners, seal }
    }
}

#[tonic::async_trait]
impl IntegrationService for IntegrationApi {
    async fn upsert_integration(
        &self,
        request: Request<wire::UpsertIntegrationRequest>,
    ) -> Result<Response<wire::UpsertIntegrationResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let (key, integration) = profile::parse(body.integration.as_ref()).map_err(Failure::from)?;
        if let Some(connector) = &integration.connector {
            self.partners.check(&caller.tenant, connector).await.map_err(|flaw| {
                let refusal = Refusal::new(Reason::FieldInvalid, flaw.why);
                Failure::from(refusal.field(format!("integration.connector.{}", flaw.field)))
            })?;
        }
        let action = Action::UpsertIntegration { key, integration };
        let resource =
            mutation::run(&self.inventory, &caller, "UpsertIntegration", &request_id, &body, action).await?;
        let integration = match resource {
            Resource::Integration(shown) => Some(profile::render(&shown)),
            _ => unreachable!("a profile is answered with itself"),
        };
        Ok(Response::new(wire::UpsertIntegrationResponse { integration }))
    }

    async fn list_integrations(
        &self,
        request: Request<wire::ListIntegrationsRequest>,
    ) -> Result<Response<wire::ListIntegrationsResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let key = match request.get_ref().key.as_str() {
            "" => None,
            key => Some(convert::integration_key("key", key).map_err(Failure::from)?),
        };
        let shown = self.inventory.integrations(&tenant, key.as_ref()).await.map_err(Failure::from)?;
        if let (true, Some(key)) = (shown.is_empty(), &key) {
            return Err(Failure::from(Refusal::not_found("integration", key)).into());
        }
        let integrations = shown.iter().map(profile::render).collect();
        Ok(Response::new(wire::ListIntegrationsResponse { integrations }))
    }

    async fn respond_cancellation(
        &self,
        request: Request<wire::RespondCancellationRequest>,
    ) -> Result<Response<wire::RespondCancellationResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let word = match wire::PartnerWord::try_from(body.word) {
            Ok(wire::PartnerWord::Accepted) => Word::Accepted,
            Ok(wire::PartnerWord::Rejected) => Word::Rejected,
            Ok(wire::PartnerWord::Unspecified) | Err(_) => {
                let refusal = Refusal::new(Reason::FieldInvalid, "a word is ACCEPTED or REJECTED");
                return Err(Failure::from(refusal.field("word")).into());
            }
        };
        let action = Action::PartnerWord {
            task_id: convert::task_id(&body.task_id).map_err(Failure::from)?,
            word,
            note: convert::note("note", &body.note).map_err(Failure::from)?,
            by: caller.user.clone(),
            of: own(&caller),
        };
        let resource =
            mutation::run(&self.inventory, &caller, "RespondCancellation", &request_id, &body, action)
                .await?;
        Ok(Response::new(wire::RespondCancellationResponse { task: Some(rendered(resource)) }))
    }

    async fn list_partner_tasks(
        &self,
        request: Request<wire::ListPartnerTasksRequest>,
    ) -> Result<Response<wire::ListPartnerTasksResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let (tenant, own) = (caller.tenant.clone(), own(&caller));
        let is_shown =
            |shown: &ShownTask| own.as_ref().is_none_or(|own| shown.task.integration.as_str() == own);
        let body = request.into_inner();
        if !body.order_id.is_empty() {
            let order_id = convert::order_id("order_id", &body.order_id).map_err(Failure::from)?;
            let shown = self.inventory.tasks(&tenant, &order_id).await.map_err(Failure::from)?;
            let tasks = shown.iter().filter(|shown| is_shown(shown)).map(task).collect();
            return Ok(Response::new(wire::ListPartnerTasksResponse {
                tasks,
                next_page_token: String::new(),
            }));
        }
        let listing = Listing::new("ListPartnerTasks", &tenant, &());
        let page = Page::parse(&self.seal, listing, body.page_size, &body.page_token)?;
        let after = page.after(1)?.map_or("", |key| key[0].as_str());
        let listed = self.inventory.open_tasks(&tenant, after, page.limit()).await;
        let mut rows = listed.map_err(Failure::from)?;
        let next_page_token = page.finish(&mut rows, |shown| vec![shown.id.to_string()]);
        let tasks = rows.iter().filter(|shown| is_shown(shown)).map(task).collect();
        Ok(Response::new(wire::ListPartnerTasksResponse { tasks, next_page_token }))
    }

    async fn resolve_partner_task(
        &self,
        request: Request<wire::ResolvePartnerTaskRequest>,
    ) -> Result<Response<wire::ResolvePartnerTaskResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let task_id = convert::task_id(&body.task_id).map_err(Failure::from)?;
        let note = convert::note("note", &body.note).map_err(Failure::from)?;
        let said = |word| Action::PartnerWord {
            task_id: task_id.clone(),
            word,
            note: note.clone(),
            by: caller.user.clone(),
            of: None,
        };
        let action = match wire::PartnerTaskResolution::try_from(body.resolution) {
            Ok(wire::PartnerTaskResolution::Confirmed) => said(Word::Accepted),
            Ok(wire::PartnerTaskResolution::Refused) => said(Word::Rejected),
            Ok(wire::PartnerTaskResolution::Asked) => Action::AskedByHand { task_id, note },
            Ok(wire::PartnerTaskResolution::Unspecified) | Err(_) => {
                let message = "a resolution is CONFIRMED, REFUSED or ASKED";
                return Err(
                    Failure::from(Refusal::new(Reason::FieldInvalid, message).field("resolution")).into()
                );
            }
        };
        let resource =
            mutation::run(&self.inventory, &caller, "ResolvePartnerTask", &request_id, &body, action).await?;
        Ok(Response::new(wire::ResolvePartnerTaskResponse { task: Some(rendered(resource)) }))
    }

    async fn report_partner_shipment(
        &self,
        request: Request<wire::ReportPartnerShipmentRequest>,
    ) -> Result<Response<wire::ReportPartnerShipmentResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let fulfilment_id = convert::fulfilment_id(&body.fulfillment_id).map_err(Failure::from)?;
        let tracking_number = convert::tracking_number(&body.tracking_number).map_err(Failure::from)?;
        if tracking_number.is_empty() {
            let refusal = Refusal::new(Reason::FieldRequired, "a shipment has a tracking number");
            return Err(Failure::from(refusal.field("tracking_number")).into());
        }
        let lines = convert::selection(&body.lines).map_err(Failure::from)?;
        let action = Action::ReportShipment { fulfilment_id, lines, tracking_number, of: own(&caller) };
        let method = "ReportPartnerShipment";
        let resource = mutation::run(&self.inventory, &caller, method, &request_id, &body, action).await?;
        let response = match resource {
            Resource::Report(fulfilment_id, reported) => wire::ReportPartnerShipmentResponse {
                fulfillment_id: fulfilment_id.to_string(),
                shipped: reported.shipped,
                shipped_after_cancel: reported.shipped_after_cancel,
                noted: reported.noted,
            },
            _ => unreachable!("a report is answered with what it came to"),
        };
        Ok(Response::new(response))
    }
}

/// The integration a caller speaks for, which is the organisation it acts for; none for those who run the place.
fn own(caller: &Principal) -> Option<String> {
    (!caller.sees_everything()).then(|| caller.organisation.clone())
}

fn rendered(resource: Resource) -> wire::PartnerTask {
    match resource {
        Resource::Task(shown) => task(&shown),
        _ => unreachable!("a task is answered with itself"),
    }
}

pub fn task(shown: &ShownTask) -> wire::PartnerTask {
    let task = &shown.task;
    wire::PartnerTask {
        task_id: shown.id.to_string(),
        order_id: shown.order_id.to_string(),
        change_order_id: task.ask.change_order_id.clone(),
        fulfillment_id: task.fulfilment().to_owned(),
        integration: task.integration.to_string(),
        external_number: task.external_number.clone(),
        state: state(task.state).into(),
        method: method(task.method).into(),
        address: task.address.clone(),
        sent: task.sent,
        needs_person: task.needs_person(),
        units: task.units,
        reason_code: task.ask.reason_code.clone(),
        partner_reason: task.partner_reason.clone(),
        note: task.ask.note.clone(),
        deadline_at: task.deadline_at.to_string(),
        requested_at: task.requested_at.to_string(),
        answered_at: task.answered_at.map(|at| at.to_string()).unwrap_or_default(),
        answered_by: task.answered_by.clone(),
        detail: task.detail.clone(),
        answer: task.answer.clone(),
        shipped_after_cancel: task.shipped_after_cancel,
    }
}

fn state(state: TaskState) -> wire::PartnerTaskState {
    match state {
        TaskState::Requested => wire::PartnerTaskState::Requested,
        TaskState::Accepted => wire::PartnerTaskState::Accepted,
        TaskState::Rejected => wire::PartnerTaskState::Rejected,
        TaskState::Expired => wire::PartnerTaskState::Expired,
        TaskState::Unconfirmed => wire::PartnerTaskState::Unconfirmed,
        TaskState::Withdrawn => wire::PartnerTaskState::Withdrawn,
    }
}

pub fn method(method: Method) -> wire::PartnerMethod {
    match method {
        Method::Api => wire::PartnerMethod::Api,
        Method::Email => wire::PartnerMethod::Email,
        Method::Phone => wire::PartnerMethod::Phone,
        Method::ManualPortal => wire::PartnerMethod::ManualPortal,
    }
}

//! LabelService: carrier labels, and voiding them. On the public port.

use kit::{Failure, Principal};
use proto::common::v1 as common;
use proto::inventory::v1 as wire;
use proto::inventory::v1::label_service_server::LabelService;
use tonic::{Request, Response, Status};
use types::{Money, Reason, Refusal, Timestamp, text};

use super::{convert, mutation};
use crate::domain::{Credit, LabelState, VoidRefusal};
use crate::ops::{Action, Bought, Inventory, Resource, ShownLabel};

const TOKEN_MAX: usize = 128;
const CARRIER: &str = "sandbox";

pub struct LabelApi {
    inventory: Inventory,
}

impl LabelApi {
    pub fn new(inventory: Inventory) -> Self {
        Self { inventory }
    }
}

#[tonic::async_trait]
impl LabelService for LabelApi {
    async fn attach_label(
        &self,
        request: Request<wire::AttachLabelRequest>,
    ) -> Result<Response<wire::AttachLabelResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let action = Action::AttachLabel(bought(&body).map_err(Failure::from)?);
        let resource =
            mutation::run(&self.inventory, &caller, "AttachLabel", &request_id, &body, action).await?;
        Ok(Response::new(wire::AttachLabelResponse { label: Some(rendered(resource)) }))
    }

    async fn get_labels(
        &self,
        request: Request<wire::GetLabelsRequest>,
    ) -> Result<Response<wire::GetLabelsResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let order_id = convert::order_id("order_id", &request.get_ref().order_id).map_err(Failure::from)?;
        let labels = self.inventory.labels(&tenant, &order_id).await.map_err(Failure::from)?;
        Ok(Response::new(wire::GetLabelsResponse { labels: labels.iter().map(label).collect() }))
    }

    async fn void_label(
        &self,
        request: Request<wire::VoidLabelRequest>,
    ) -> Result<Response<wire::VoidLabelResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let action =
            Action::VoidLabel { label_id: convert::label_id(&body.label_id).map_err(Failure::from)? };
        let resource =
            mutation::run(&self.inventory, &caller, "VoidLabel", &request_id, &body, action).await?;
        Ok(Response::new(wire::VoidLabelResponse { label: Some(rendered(resource)) }))
    }

    async fn restock_label(
        &self,
        request: Request<wire::RestockLabelRequest>,
    ) -> Result<Response<wire::RestockLabelResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut body = request.into_inner();
        let request_id = std::mem::take(&mut body.request_id);
        let label_id = convert::label_id(&body.label_id).map_err(Failure::from)?;
        let warehouse_id =
            convert::warehouse_id("warehouse_id", &body.warehouse_id).map_err(Failure::from)?;
        let action = Action::RestockLabel { label_id, warehouse_id };
        let resource =
            mutation::run(&self.inventory, &caller, "RestockLabel", &request_id, &body, action).await?;
        Ok(Response::new(wire::RestockLabelResponse { label: Some(rendered(resource)) }))
    }
}

fn bought(given: &wire::AttachLabelRequest) -> Result<Bought, Refusal> {
    if given.carrier != CARRIER {
        let message = format!("the carriers are: {CARRIER}");
        return Err(Refusal::new(Reason::FieldInvalid, message).field("carrier"));
    }
    let token = text::name_required(TOKEN_MAX, &given.token).map_err(convert::at("token"))?;
    let tracking_number = convert::tracking_number(&given.tracking_number)?;
    if tracking_number.is_empty() {
        let refusal = Refusal::new(Reason::FieldRequired, "a label has a tracking number");
        return Err(refusal.field("tracking_number"));
    }
    let cost = given.cost.as_ref();
    let cost = cost.ok_or_else(|| Refusal::new(Reason::FieldRequired, "cost is missing").field("cost"))?;
    let cost = Money::parse(&cost.currency_code, cost.minor_units).map_err(convert::at("cost"))?;
    if cost.is_negative() {
        return Err(Refusal::new(Reason::AmountOutOfRange, "a label costs 0 or more").field("cost"));
    }
    Ok(Bought {
        fulfilment_id: convert::fulfilment_id(&given.fulfillment_id)?,
        carrier: given.carrier.clone(),
        token,
        tracking_number,
        cost,
    })
}

fn rendered(resource: Resource) -> wire::Label {
    match resource {
        Resource::Label(shown) => label(&shown),
        _ => unreachable!("a label is answered with itself"),
    }
}

fn label(shown: &ShownLabel) -> wire::Label {
    let label = &shown.label;
    let at = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    wire::Label {
        label_id: shown.id.to_string(),
        order_id: shown.order_id.to_string(),
        fulfillment_id: label.fulfilment_id.to_string(),
        carrier: label.carrier.clone(),
        tracking_number: label.tracking_number.clone(),
        tracking_void: label.state.is_voided(),
        state: state(label.state).into(),
        credit: label.state.credit().map_or(wire::LabelCredit::Unspecified, credit).into(),
        refusal: label.state.refusal().map_or(wire::LabelRefusal::Unspecified, refusal).into(),
        cost: Some(common::Money {
            currency_code: label.cost.currency().code().to_owned(),
            minor_units: label.cost.minor(),
        }),
        purchased_at: label.purchased_at.to_string(),
        void_requested_at: at(label.void_requested_at),
        void_ended_at: at(label.void_ended_at),
        restock_waiting: shown.restock_waiting,
    }
}

fn state(state: LabelState) -> wire::LabelState {
    match state {
        LabelState::Purchased => wire::LabelState::Purchased,
        LabelState::VoidRequested => wire::LabelState::VoidRequested,
        LabelState::Voided { .. } => wire::LabelState::Voided,
        LabelState::VoidRefused { .. } => wire::LabelState::VoidRefused,
    }
}

fn credit(credit: Credit) -> wire::LabelCredit {
    match credit {
        Credit::Requested => wire::LabelCredit::Requested,
        Credit::Granted => wire::LabelCredit::Granted,
        Credit::Denied => wire::LabelCredit::Denied,
    }
}

fn refusal(refusal: VoidRefusal) -> wire::LabelRefusal {
    match refusal {
        VoidRefusal::Used => wire::LabelRefusal::Used,
        VoidRefusal::Manifested => wire::LabelRefusal::Manifested,
        VoidRefusal::Window => wire::LabelRefusal::Window,
    }
}

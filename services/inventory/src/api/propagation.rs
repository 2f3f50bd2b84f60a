//! PropagationService: carts that are told of cancellations. On the internal port, for the order service alone.

use kit::{Failure, Principal};
use proto::inventory::v1 as wire;
use proto::inventory::v1::propagation_service_server::PropagationService;
use tonic::{Request, Response, Status};
use types::{Grants, Reason, Refusal, Role, Tenant};

use super::{convert, integrations, mutation};
use crate::domain::{CartNotice, IntegrationKey, Integrations, Teller, Untold};
use crate::ops::{Action, Inventory, Resource};

const SYSTEMS_MAX: usize = 100;

pub struct PropagationApi {
    inventory: Inventory,
}

impl PropagationApi {
    pub fn new(inventory: Inventory) -> Self {
        Self { inventory }
    }
}

#[tonic::async_trait]
impl PropagationService for PropagationApi {
    async fn forecast_targets(
        &self,
        request: Request<wire::ForecastTargetsRequest>,
    ) -> Result<Response<wire::ForecastTargetsResponse>, Status> {
        let request = request.into_inner();
        let tenant = tenant(&request.tenant).map_err(Failure::from)?;
        convert::at_most(request.systems.len(), SYSTEMS_MAX, "systems", Reason::FieldInvalid)
            .map_err(Failure::from)?;
        let profiles = self.inventory.profiles(&tenant).await.map_err(Failure::from)?;
        let targets = request.systems.iter().map(|system| forecast(&profiles, system));
        Ok(Response::new(wire::ForecastTargetsResponse { targets: targets.collect() }))
    }

    async fn tell_target(
        &self,
        request: Request<wire::TellTargetRequest>,
    ) -> Result<Response<wire::TellTargetResponse>, Status> {
        let mut request = request.into_inner();
        let tenant = tenant(&request.tenant).map_err(Failure::from)?;
        let request_id = std::mem::take(&mut request.request_id);
        let order_id = convert::order_id("order_id", &request.order_id).map_err(Failure::from)?;
        let notice = notice(&request).map_err(Failure::from)?;
        let action = Action::TellCart { order_id, notice };
        let caller = order_service(tenant);
        let resource =
            mutation::run(&self.inventory, &caller, "TellTarget", &request_id, &request, action).await?;
        let task = match resource {
            Resource::Task(shown) => integrations::task(&shown),
            _ => unreachable!("telling a cart is answered with its task"),
        };
        Ok(Response::new(wire::TellTargetResponse { task: Some(task) }))
    }
}

fn tenant(given: &str) -> Result<Tenant, Refusal> {
    Tenant::parse(given).map_err(|error| Refusal::from(error).field("tenant"))
}

/// Who asks on the internal port.
fn order_service(tenant: Tenant) -> Principal {
    Principal {
        tenant,
        issuer: Principal::OURSELVES.to_owned(),
        user: "order".to_owned(),
        organisation: String::new(),
        role: Role::system(),
        grants: Grants::of_the_house(),
    }
}

fn notice(request: &wire::TellTargetRequest) -> Result<CartNotice, Refusal> {
    let cart = request
        .cart
        .as_ref()
        .ok_or_else(|| Refusal::new(Reason::FieldRequired, "cart is missing").field("cart"))?;
    Ok(CartNotice {
        cart: convert::integration_key("cart.system", &cart.system)?,
        reference: convert::code("cart.reference", &cart.reference)?,
        change_order_id: convert::code("change_order_id", &request.change_order_id)?,
        reason_code: convert::code("reason_code", &request.reason_code)?,
        note: convert::note("note", &request.note)?,
        units: convert::quantity("units", request.units)?.get(),
        teller: Teller::Rule,
    })
}

fn forecast(profiles: &Integrations, system: &str) -> wire::TargetForecast {
    let key = IntegrationKey::parse(system).ok();
    let told = |teller| match &key {
        Some(key) => profiles.told_cart(key, teller),
        None => Err(Untold::NoProfile),
    };
    let (by_change, by_rule) = (told(Teller::Change), told(Teller::Rule));
    let profile = by_change.or(by_rule).ok();
    let method = profile.map(|profile| profile.method(profile.usable(0, std::time::Duration::ZERO)).method);
    wire::TargetForecast {
        system: system.to_owned(),
        told: by_change.is_ok(),
        told_by_rule: by_rule.is_ok(),
        untold: by_change.err().map_or_else(String::new, |untold| untold.as_str().to_owned()),
        method: method.map_or(wire::PartnerMethod::Unspecified, integrations::method).into(),
    }
}

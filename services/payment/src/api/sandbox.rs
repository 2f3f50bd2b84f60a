//! SandboxService: what other systems do at the built-in gateway, played by whoever tries us out.

use kit::Failure;
use proto::payment::v1 as wire;
use proto::payment::v1::sandbox_service_server::SandboxService;
use tonic::{Request, Response, Status};
use types::{OrderId, Reason, Refusal, Tenant};

use super::convert::{self, TOKEN_MAX};
use crate::ports::sandbox::{Charge, ChargeRefused, Sandbox};

/// Charges made by one call.
const CHARGES_MAX: usize = 500;

pub struct SandboxApi {
    /// None where no name of a gateway stands for it.
    sandbox: Option<Sandbox>,
}

impl SandboxApi {
    pub fn new(sandbox: Option<Sandbox>) -> Self {
        Self { sandbox }
    }

    async fn charge(&self, request: &wire::MakeChargesRequest) -> Result<(), Failure> {
        let Some(sandbox) = &self.sandbox else {
            let message = "no gateway here is the sandbox, and real ones charge for themselves";
            return Err(Refusal::new(Reason::StateConflict, message).into());
        };
        if !(1..=CHARGES_MAX).contains(&request.charges.len()) {
            let message = format!("1 to {CHARGES_MAX} charges are made at once");
            return Err(Refusal::new(Reason::FieldInvalid, message).field("charges").into());
        }
        let charges = request.charges.iter().enumerate().map(|(place, charge)| parse(place, charge));
        let charges = charges.collect::<Result<Vec<_>, _>>()?;
        sandbox.charge_elsewhere(&charges).await.map_err(|refused| match refused {
            ChargeRefused::NameTaken(name) => {
                let message = "the sandbox has another charge of this name";
                Refusal::new(Reason::ExternalReferenceTaken, message).detail("reference", name).into()
            }
            ChargeRefused::Database(problem) => problem.into(),
        })
    }
}

#[tonic::async_trait]
impl SandboxService for SandboxApi {
    async fn make_charges(
        &self,
        request: Request<wire::MakeChargesRequest>,
    ) -> Result<Response<wire::MakeChargesResponse>, Status> {
        self.charge(&request.into_inner()).await?;
        Ok(Response::new(wire::MakeChargesResponse {}))
    }
}

fn parse(place: usize, charge: &wire::SandboxCharge) -> Result<Charge, Refusal> {
    let at = |field: &str| format!("charges[{place}].{field}");
    let money = convert::money(&at("authorised_minor"), &charge.currency_code, charge.authorised_minor)?;
    let captured_minor = convert::amount(&at("captured_minor"), charge.captured_minor)?;
    let refunded_minor = convert::amount(&at("refunded_minor"), charge.refunded_minor)?;
    if !money.is_positive() || captured_minor > money.minor() || refunded_minor > captured_minor {
        let message = "a charge is more than nothing, captures no more than that, and gives no more back";
        return Err(Refusal::new(Reason::AmountOutOfRange, message).field(at("authorised_minor")));
    }
    let invalid = |field: &str| Refusal::new(Reason::FieldInvalid, "it is not readable").field(at(field));
    let tenant = Some(charge.tenant.as_str()).filter(|text| !text.is_empty());
    let order_id = Some(charge.order_id.as_str()).filter(|text| !text.is_empty());
    Ok(Charge {
        reference: convert::name(&at("reference"), TOKEN_MAX, &charge.reference)?,
        currency: money.currency(),
        authorised_minor: money.minor(),
        captured_minor,
        refunded_minor,
        tenant: tenant.map(Tenant::parse).transpose().map_err(|_| invalid("tenant"))?,
        order_id: order_id.map(OrderId::parse).transpose().map_err(|_| invalid("order_id"))?,
    })
}

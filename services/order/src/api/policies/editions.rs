//! GetTenantCapabilities, SetTenantCapabilities.

use std::collections::BTreeSet;

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;
use types::{Reason, Refusal};

use crate::api::convert::{missing, request_id, required, unknown_value};
use crate::domain::policy::{Capability, Edition};
use crate::ops::Orders;
use crate::ops::use_cases::SetEdition;
use crate::wire::tenant_capabilities as shown;

const NAME_LENGTH_MAX: usize = 64;

pub async fn get(
    orders: &Orders,
    request: Request<wire::GetTenantCapabilitiesRequest>,
) -> Result<wire::GetTenantCapabilitiesResponse, Failure> {
    let tenant = Principal::of(&request)?.tenant.clone();
    let shelf = orders.shelf(&tenant).await?;
    Ok(wire::GetTenantCapabilitiesResponse { capabilities: Some(shown(&shelf.edition)) })
}

pub async fn set(
    orders: &Orders,
    request: Request<wire::SetTenantCapabilitiesRequest>,
) -> Result<wire::SetTenantCapabilitiesResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();
    let request_id = request_id(&request.request_id)?;
    let edition = Edition {
        name: required("edition", NAME_LENGTH_MAX, &request.edition)?,
        withheld: withheld(&request.withheld)?,
    };
    orders.ask(&caller, request_id, SetEdition(edition)).await?;
    let shelf = orders.shelf(&caller.tenant).await?;
    Ok(wire::SetTenantCapabilitiesResponse { capabilities: Some(shown(&shelf.edition)) })
}

fn withheld(given: &[i32]) -> Result<BTreeSet<Capability>, Refusal> {
    let mut withheld = BTreeSet::new();
    for (index, number) in given.iter().enumerate() {
        let field = format!("withheld[{index}]");
        let capability = match wire::Capability::try_from(*number) {
            Ok(wire::Capability::PartialCancellation) => Capability::PartialCancellation,
            Ok(wire::Capability::CancelAfterShip) => Capability::CancelAfterShip,
            Ok(wire::Capability::Batches) => Capability::Batches,
            Ok(wire::Capability::Proposals) => Capability::Proposals,
            Ok(wire::Capability::Rules) => Capability::Rules,
            Ok(wire::Capability::Restoring) => Capability::Restoring,
            Ok(wire::Capability::Goodwill) => Capability::Goodwill,
            Ok(wire::Capability::Unspecified) => {
                return Err(missing(&field, "say which part of the program is left out"));
            }
            Err(_) => return Err(unknown_value(&field, *number)),
        };
        if !withheld.insert(capability) {
            let message = format!("{} is left out twice", capability.as_str());
            return Err(Refusal::new(Reason::FieldInvalid, message).field(field));
        }
    }
    Ok(withheld)
}

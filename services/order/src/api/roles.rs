//! RoleService: which roles there are, and what each may do.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use proto::order::v1::role_service_server::RoleService;
use tonic::{Request, Response, Status};
use types::{Reason, Refusal};

use super::convert::request_id;
use crate::ops::Orders;
use crate::ops::use_cases::UpsertRoles;

/// The most roles of one call; a map is read by people.
const ROLES_MAX: usize = 64;

pub struct RoleApi {
    orders: Orders,
}

impl RoleApi {
    pub fn new(orders: Orders) -> Self {
        Self { orders }
    }
}

#[tonic::async_trait]
impl RoleService for RoleApi {
    async fn list_roles(
        &self,
        request: Request<wire::ListRolesRequest>,
    ) -> Result<Response<wire::ListRolesResponse>, Status> {
        let caller = Principal::of(&request)?;
        let kept = self.orders.shelf(&caller.tenant).await?;
        Ok(Response::new(wire::ListRolesResponse {
            roles: kit::roles::to_wire(&kept.roles),
            version: kept.roles_version,
        }))
    }

    async fn upsert_roles(
        &self,
        request: Request<wire::UpsertRolesRequest>,
    ) -> Result<Response<wire::UpsertRolesResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let request = request.into_inner();
        let request_id = request_id(&request.request_id).map_err(Failure::from)?;
        if !(1..=ROLES_MAX).contains(&request.roles.len()) {
            let message = format!("a call writes 1 to {ROLES_MAX} roles");
            return Err(Failure::from(Refusal::new(Reason::FieldInvalid, message).field("roles")).into());
        }
        let granted = kit::roles::parse(&request.roles).map_err(Failure::from)?;
        self.orders.upsert_roles(&caller, request_id, UpsertRoles(granted)).await?;
        let kept = self.orders.shelf(&caller.tenant).await?;
        Ok(Response::new(wire::UpsertRolesResponse {
            roles: kit::roles::to_wire(&kept.roles),
            version: kept.roles_version,
        }))
    }
}

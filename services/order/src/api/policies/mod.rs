//! PolicyService: what a tenant allows, and the reasons it offers.

mod editions;
mod reasons;
mod simulate;
mod versions;

use proto::order::v1 as wire;
use proto::order::v1::policy_service_server::PolicyService;
use tonic::{Request, Response, Status};

use crate::ops::Orders;

pub struct PolicyApi {
    orders: Orders,
}

impl PolicyApi {
    pub fn new(orders: Orders) -> Self {
        Self { orders }
    }
}

#[tonic::async_trait]
impl PolicyService for PolicyApi {
    async fn upsert_policy(
        &self,
        request: Request<wire::UpsertPolicyRequest>,
    ) -> Result<Response<wire::UpsertPolicyResponse>, Status> {
        Ok(Response::new(versions::upsert(&self.orders, request).await?))
    }

    async fn get_policy(
        &self,
        request: Request<wire::GetPolicyRequest>,
    ) -> Result<Response<wire::GetPolicyResponse>, Status> {
        Ok(Response::new(versions::get(&self.orders, request).await?))
    }

    async fn list_policies(
        &self,
        request: Request<wire::ListPoliciesRequest>,
    ) -> Result<Response<wire::ListPoliciesResponse>, Status> {
        Ok(Response::new(versions::list(&self.orders, request).await?))
    }

    async fn activate_policy(
        &self,
        request: Request<wire::ActivatePolicyRequest>,
    ) -> Result<Response<wire::ActivatePolicyResponse>, Status> {
        Ok(Response::new(versions::activate(&self.orders, request).await?))
    }

    async fn simulate_policy(
        &self,
        request: Request<wire::SimulatePolicyRequest>,
    ) -> Result<Response<wire::SimulatePolicyResponse>, Status> {
        Ok(Response::new(simulate::answer(&self.orders, request).await?))
    }

    async fn list_reasons(
        &self,
        request: Request<wire::ListReasonsRequest>,
    ) -> Result<Response<wire::ListReasonsResponse>, Status> {
        Ok(Response::new(reasons::list(&self.orders, request).await?))
    }

    async fn get_tenant_capabilities(
        &self,
        request: Request<wire::GetTenantCapabilitiesRequest>,
    ) -> Result<Response<wire::GetTenantCapabilitiesResponse>, Status> {
        Ok(Response::new(editions::get(&self.orders, request).await?))
    }

    async fn set_tenant_capabilities(
        &self,
        request: Request<wire::SetTenantCapabilitiesRequest>,
    ) -> Result<Response<wire::SetTenantCapabilitiesResponse>, Status> {
        Ok(Response::new(editions::set(&self.orders, request).await?))
    }

    async fn upsert_reason(
        &self,
        request: Request<wire::UpsertReasonRequest>,
    ) -> Result<Response<wire::UpsertReasonResponse>, Status> {
        Ok(Response::new(reasons::upsert(&self.orders, request).await?))
    }
}

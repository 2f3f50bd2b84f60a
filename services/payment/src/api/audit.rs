//! AuditService: the books and the sandbox gateway's own record, for `verify`. On the public port.

use kit::books::{Books, Export};
use kit::page::{Listing, Page};
use kit::{Failure, Principal, Seal};
use proto::audit::v1::audit_service_server::AuditService;
use proto::audit::v1::{
    ExportBooksRequest, GatewayEffect, ListGatewayEffectsRequest, ListGatewayEffectsResponse,
};
use tonic::{Request, Response, Status};

use crate::ports::sandbox::{Effect, Sandbox};

pub struct AuditApi {
    books: Books,
    sandbox: Sandbox,
    /// Names of the gateways whose effects are not in the sandbox's record.
    others: Vec<String>,
    seal: Seal,
}

impl AuditApi {
    pub fn new(books: Books, sandbox: Sandbox, others: Vec<String>, seal: Seal) -> Self {
        Self { books, sandbox, others, seal }
    }
}

#[tonic::async_trait]
impl AuditService for AuditApi {
    type ExportBooksStream = Export;

    async fn export_books(
        &self,
        request: Request<ExportBooksRequest>,
    ) -> Result<Response<Self::ExportBooksStream>, Status> {
        Ok(Response::new(self.books.export(&request).await?))
    }

    async fn list_gateway_effects(
        &self,
        request: Request<ListGatewayEffectsRequest>,
    ) -> Result<Response<ListGatewayEffectsResponse>, Status> {
        let caller = Principal::of(&request)?;
        let tenant = caller.tenant.clone();
        let request = request.into_inner();
        let listing = Listing::new("ListGatewayEffects", &tenant, &());
        let page = Page::parse(&self.seal, listing, request.page_size, &request.page_token)?;
        let after = page.after(1)?.map_or("", |key| key[0].as_str());
        let found = self.sandbox.effects(&tenant, after, page.limit()).await;
        let mut found = found.map_err(Failure::from)?;
        let next_page_token = page.finish(&mut found, |effect| vec![effect.key.clone()]);
        let effects = found.into_iter().map(effect).collect();
        let other_gateways = self.others.clone();
        Ok(Response::new(ListGatewayEffectsResponse { effects, next_page_token, other_gateways }))
    }
}

fn effect(effect: Effect) -> GatewayEffect {
    GatewayEffect {
        key: effect.key,
        kind: effect.kind.as_str().to_owned(),
        gateway_reference: effect.gateway_reference,
        currency_code: effect.currency.code().to_owned(),
        amount_minor: effect.amount_minor,
        outcome: effect.outcome.as_str().to_owned(),
        at: effect.at.to_string(),
    }
}

//! RefundService: forecasts and shows refunds, on the public port. It makes none.

use kit::page::Page;
use kit::{Failure, Principal};
use proto::payment::v1 as wire;
use proto::payment::v1::refund_service_server::RefundService;
use storage::Database;
use tonic::{Request, Response, Status};
use types::{ChangeOrderId, OrderId, Reason, RefundId, Refusal, Tenant};

use super::convert;
use super::forecast::forecast;
use crate::domain::refund::State;
use crate::store::read::{self, Filter};
use crate::store::reply;

pub struct RefundApi {
    database: Database,
}

impl RefundApi {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    async fn find(&self, tenant: &Tenant, refund_id: &str) -> Result<wire::Refund, Failure> {
        let refund_id = convert::id("refund_id", refund_id, RefundId::parse)?;
        let mut tx = self.database.read().await?;
        let found = read::find_refund(&mut tx, tenant, &refund_id).await;
        tx.rollback().await;
        found?.map(convert::refund).ok_or_else(|| Failure::not_found("refund", refund_id.as_str()))
    }

    /// The oldest first, so that a page once read stays as it was.
    async fn list(
        &self,
        tenant: &Tenant,
        request: &wire::ListRefundsRequest,
    ) -> Result<wire::ListRefundsResponse, Failure> {
        let filter = Filter {
            order_id: convert::optional_id("order_id", &request.order_id, OrderId::parse)?,
            change_order_id: convert::optional_id(
                "change_order_id",
                &request.change_order_id,
                ChangeOrderId::parse,
            )?,
            states: request.states.iter().map(|number| state(*number)).collect::<Result<_, _>>()?,
        };
        let states = filter.states.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(",");
        let listing = ["ListRefunds", tenant.as_str(), &request.order_id, &request.change_order_id, &states];
        let page = Page::parse(request.page_size, &request.page_token, &listing)?;
        let after = page.after(1)?.map_or("", |key| key[0].as_str());

        let mut tx = self.database.read().await?;
        let found = read::list_refunds(&mut tx, tenant, &filter, after, page.limit()).await;
        tx.rollback().await;
        let mut found = found?;

        let next_page_token = page.finish(&mut found, |found| vec![found.refund.refund_id.to_string()]);
        let refunds = found.into_iter().map(convert::refund).collect();
        Ok(wire::ListRefundsResponse { refunds, next_page_token })
    }
}

#[tonic::async_trait]
impl RefundService for RefundApi {
    async fn quote_refund(
        &self,
        request: Request<wire::QuoteRefundRequest>,
    ) -> Result<Response<wire::QuoteRefundResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let wire::QuoteRefundRequest { order_id, new_total_minor } = request.into_inner();
        let wire::ForecastRefundResponse { currency_code, legs, shortfall_minor } =
            forecast(&self.database, &tenant, &order_id, new_total_minor).await?;
        Ok(Response::new(wire::QuoteRefundResponse { currency_code, legs, shortfall_minor }))
    }

    async fn get_refund(
        &self,
        request: Request<wire::GetRefundRequest>,
    ) -> Result<Response<wire::GetRefundResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let refund = Some(self.find(&tenant, &request.into_inner().refund_id).await?);
        Ok(Response::new(wire::GetRefundResponse { refund }))
    }

    async fn list_refunds(
        &self,
        request: Request<wire::ListRefundsRequest>,
    ) -> Result<Response<wire::ListRefundsResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        Ok(Response::new(self.list(&tenant, &request.into_inner()).await?))
    }
}

fn state(number: i32) -> Result<State, Refusal> {
    let wire = wire::RefundState::try_from(number).ok();
    let known = State::ALL.into_iter().find(|state| wire == Some(reply::state(*state)));
    known.ok_or_else(|| {
        let refusal = Refusal::new(Reason::FieldInvalid, format!("{number} is not a refund state"));
        refusal.field("states")
    })
}

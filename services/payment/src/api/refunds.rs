//! RefundService: forecasts, shows and mends refunds, on the public port. First tries it makes none.

use kit::page::{Listing, Page};
use kit::{Failure, Principal, Seal};
use prost::Message as _;
use proto::payment::v1 as wire;
use proto::payment::v1::refund_service_server::RefundService;
use tonic::{Request, Response, Status};
use types::{ChangeOrderId, Fingerprint, OrderId, PaymentId, Reason, RefundId, Refusal, Tenant, text};

use super::convert;
use super::forecast::forecast;
use super::payments::request_key;
use super::terms;
use crate::domain::Recorded;
use crate::domain::refund::{Resolution, State};
use crate::ops::cashier::Cashier;
use crate::ops::command::{Mend, Mending};
use crate::ops::reads::{Filter, Found, Reads};
use crate::wire as reply;

/// The longest note of a resolution.
const NOTE_MAX: usize = 500;

pub struct RefundApi {
    reads: Reads,
    cashier: Cashier,
    seal: Seal,
}

/// A request that mends a refund.
struct Asked {
    method: &'static str,
    request_id: String,
    /// Without its request id.
    body: Vec<u8>,
}

impl RefundApi {
    pub fn new(reads: Reads, cashier: Cashier, seal: Seal) -> Self {
        Self { reads, cashier, seal }
    }

    async fn find(&self, tenant: &Tenant, refund_id: &str) -> Result<wire::Refund, Failure> {
        let refund_id = convert::id("refund_id", refund_id, RefundId::parse)?;
        let found = self.reads.refund(tenant, &refund_id).await?;
        let account = self.reads.account(tenant, &found.order_id).await?;
        Ok(convert::refund(&account, account.refunds.get(&refund_id).unwrap_or(&found.refund)))
    }

    /// Which order a refund belongs to never changes, so that it may be read before the commit.
    async fn mend(&self, caller: &Principal, how: Mending, to: Asked) -> Result<wire::Refund, Failure> {
        let tenant = &caller.tenant;
        let order_id = match &how {
            Mending::Retry { refund_id, .. } | Mending::Resolve { refund_id, .. } => {
                self.reads.refund(tenant, refund_id).await?.order_id
            }
            Mending::Record(recorded) => self.reads.order_of_payment(tenant, &recorded.payment_id).await?,
        };
        let mend = Mend {
            key: request_key(caller, to.method, &to.request_id)?,
            fingerprint: Fingerprint::of(&[&to.body]),
            order_id,
            how,
        };
        let mended = self.cashier.mend(mend).await??;
        self.find(&caller.tenant, mended.as_str()).await
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
        let chosen = (&request.order_id, &request.change_order_id, &states);
        let listing = Listing::new("ListRefunds", tenant, &chosen);
        let page = Page::parse(&self.seal, listing, request.page_size, &request.page_token)?;
        let after = page.after(1)?.map_or("", |key| key[0].as_str());
        let mut found = self.reads.refunds(tenant, &filter, after, page.limit()).await?;
        let next_page_token = page.finish(&mut found, |found| vec![found.refund.refund_id.to_string()]);
        let refunds = self.explained(tenant, found).await?;
        Ok(wire::ListRefundsResponse { refunds, next_page_token })
    }

    /// A refund is explained by its whole change, so that the accounts are read once each.
    async fn explained(&self, tenant: &Tenant, found: Vec<Found>) -> Result<Vec<wire::Refund>, Failure> {
        let orders = found.iter().map(|found| (tenant.clone(), found.order_id.clone()));
        let accounts = self.reads.accounts(orders).await?;
        let rendered = found.iter().filter_map(|found| {
            let account = accounts.get(&(tenant.clone(), found.order_id.clone()))?;
            Some(convert::refund(account, &found.refund))
        });
        Ok(rendered.collect())
    }
}

#[tonic::async_trait]
impl RefundService for RefundApi {
    async fn quote_refund(
        &self,
        request: Request<wire::QuoteRefundRequest>,
    ) -> Result<Response<wire::QuoteRefundResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let request = request.into_inner();
        let terms =
            terms::foreseen(request.strategy, &request.tenders, false, None).map_err(Failure::from)?;
        let (order_id, new_total) = (&request.order_id, request.new_total_minor);
        let wire::ForecastRefundResponse { currency_code, legs, shortfall_minor } =
            forecast(&self.reads, &tenant, order_id, new_total, &terms).await?;
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

    async fn retry_refund(
        &self,
        request: Request<wire::RetryRefundRequest>,
    ) -> Result<Response<wire::RetryRefundResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let payment_id = convert::optional_id("payment_id", &request.payment_id, PaymentId::parse)
            .map_err(Failure::from)?;
        let refund_id =
            convert::id("refund_id", &request.refund_id, RefundId::parse).map_err(Failure::from)?;
        let asked = Asked { method: "RetryRefund", request_id, body: request.encode_to_vec() };
        let refund = Some(self.mend(&caller, Mending::Retry { refund_id, payment_id }, asked).await?);
        Ok(Response::new(wire::RetryRefundResponse { refund }))
    }

    async fn resolve_refund(
        &self,
        request: Request<wire::ResolveRefundRequest>,
    ) -> Result<Response<wire::ResolveRefundResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let resolution = Resolution {
            reference: convert::name("reference", convert::TOKEN_MAX, &request.reference)
                .map_err(Failure::from)?,
            note: note(&request.note).map_err(Failure::from)?,
        };
        let refund_id =
            convert::id("refund_id", &request.refund_id, RefundId::parse).map_err(Failure::from)?;
        let asked = Asked { method: "ResolveRefund", request_id, body: request.encode_to_vec() };
        let refund = Some(self.mend(&caller, Mending::Resolve { refund_id, resolution }, asked).await?);
        Ok(Response::new(wire::ResolveRefundResponse { refund }))
    }

    async fn record_refund(
        &self,
        request: Request<wire::RecordRefundRequest>,
    ) -> Result<Response<wire::RecordRefundResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let recorded = recorded(&request).map_err(Failure::from)?;
        let asked = Asked { method: "RecordRefund", request_id, body: request.encode_to_vec() };
        let refund = Some(self.mend(&caller, Mending::Record(recorded), asked).await?);
        Ok(Response::new(wire::RecordRefundResponse { refund }))
    }
}

fn recorded(request: &wire::RecordRefundRequest) -> Result<Recorded, Refusal> {
    let amount_minor = convert::amount("amount_minor", request.amount_minor)?;
    if amount_minor == 0 {
        let refusal = Refusal::new(Reason::AmountOutOfRange, "a refund is more than nothing");
        return Err(refusal.field("amount_minor"));
    }
    Ok(Recorded {
        payment_id: convert::id("payment_id", &request.payment_id, PaymentId::parse)?,
        amount_minor,
        gateway_reference: convert::name(
            "gateway_reference",
            convert::TOKEN_MAX,
            &request.gateway_reference,
        )?,
    })
}

fn note(text: &str) -> Result<String, Refusal> {
    text::parse(NOTE_MAX, text).map_err(|error| Refusal::from(error).field("note"))
}

fn state(number: i32) -> Result<State, Refusal> {
    let wire = wire::RefundState::try_from(number).ok();
    let known = State::ALL.into_iter().find(|state| wire == Some(reply::state(*state)));
    known.ok_or_else(|| {
        let refusal = Refusal::new(Reason::FieldInvalid, format!("{number} is not a refund state"));
        refusal.field("states")
    })
}

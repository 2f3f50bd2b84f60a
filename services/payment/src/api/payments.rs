//! PaymentService: tenders, captures and an order's money position, on the public port.

use kit::{Failure, Principal, Seal};
use prost::Message as _;
use proto::payment::v1 as wire;
use proto::payment::v1::payment_service_server::PaymentService;
use storage::RequestKey;
use tonic::{Request, Response, Status};
use types::{Clock, Fingerprint, Ids, OrderId, PaymentId, Permission, Reason, Refusal, RequestId, Tenant};

use super::convert::{self, GATEWAY_MAX, TOKEN_MAX};
use super::position::position;
use super::{gateway_events, shared};
use crate::domain::payment::Kind;
use crate::domain::shared::GATEWAY as SHARED;
use crate::domain::{Account, CaptureAsked};
use crate::ops::cashier::Cashier;
use crate::ops::command::{Authorise, Capture, Command};
use crate::ops::observer::{Look, LookError, Observer};
use crate::ops::reads::Reads;
use crate::ops::sharing::Sharing;

pub struct PaymentApi {
    reads: Reads,
    sharing: Sharing,
    cashier: Cashier,
    observer: Observer,
    clock: Clock,
    ids: Ids,
    seal: Seal,
}

impl PaymentApi {
    pub fn new(
        (reads, sharing): (Reads, Sharing),
        cashier: Cashier,
        observer: Observer,
        (clock, ids): (Clock, Ids),
        seal: Seal,
    ) -> Self {
        Self { reads, sharing, cashier, observer, clock, ids, seal }
    }

    async fn authorize(
        &self,
        caller: &Principal,
        mut request: wire::AuthorizePaymentRequest,
    ) -> Result<wire::Payment, Failure> {
        let key = request_key(caller, "AuthorizePayment", &std::mem::take(&mut request.request_id))?;
        let money = convert::money("amount_minor", &request.currency_code, request.amount_minor)?;
        if !money.is_positive() {
            let refusal = Refusal::new(Reason::AmountOutOfRange, "an authorisation is more than nothing");
            return Err(refusal.field("amount_minor").into());
        }
        if Kind::named(&request.gateway) != Kind::Gateway || request.gateway == SHARED {
            // No gateway is asked for it: it rests on the caller's word.
            caller.must_hold(Permission::PaymentAdopt)?;
        }
        let command = Command::Authorise(Authorise {
            key,
            fingerprint: Fingerprint::of(&[&request.encode_to_vec()]),
            order_id: convert::id("order_id", &request.order_id, OrderId::parse)?,
            currency: money.currency(),
            gateway: convert::name("gateway", GATEWAY_MAX, &request.gateway)?,
            token: convert::name("payment_token", TOKEN_MAX, &request.payment_token)?,
            amount_minor: money.minor(),
        });
        self.perform(&caller.tenant, command).await
    }

    async fn capture(
        &self,
        caller: &Principal,
        mut request: wire::CapturePaymentRequest,
    ) -> Result<wire::Payment, Failure> {
        let key = request_key(caller, "CapturePayment", &std::mem::take(&mut request.request_id))?;
        let asked = match convert::amount("amount_minor", request.amount_minor)? {
            0 => CaptureAsked::All,
            amount => CaptureAsked::Amount(amount),
        };
        let command = Command::Capture(Capture {
            key,
            fingerprint: Fingerprint::of(&[&request.encode_to_vec()]),
            payment_id: convert::id("payment_id", &request.payment_id, PaymentId::parse)?,
            asked,
        });
        self.perform(&caller.tenant, command).await
    }

    /// Commits, waits a moment for the gateway, and answers the payment as it is then.
    async fn perform(&self, tenant: &Tenant, command: Command) -> Result<wire::Payment, Failure> {
        let (order_id, payment_id) = self.cashier.run_request(command).await??;
        let waiter = self.cashier.join(tenant, &payment_id);
        let mut account = self.reads.account(tenant, &order_id).await?;
        if account.is_moving(&payment_id) {
            // Whether it came in time or not, what is answered is what the books say now.
            drop(waiter.wait(self.cashier.patience).await);
            account = self.reads.account(tenant, &order_id).await?;
        }
        Ok(convert::payment(&account, account.payment(&payment_id)))
    }

    async fn find(&self, tenant: &Tenant, payment_id: &PaymentId) -> Result<wire::Payment, Failure> {
        let order_id = self.reads.order_of_payment(tenant, payment_id).await?;
        let account = self.reads.account(tenant, &order_id).await?;
        Ok(convert::payment(&account, account.payment(payment_id)))
    }

    /// What is in flight keeps its own schedule: a reconciliation that must wait for it has done all
    /// it can.
    async fn reconcile(&self, tenant: &Tenant, payment_id: &PaymentId) -> Result<bool, Failure> {
        let order_id = self.reads.order_of_payment(tenant, payment_id).await?;
        match self.observer.look(tenant, &order_id, payment_id).await {
            Ok(Look::Done { changed }) => Ok(changed),
            Ok(Look::Later | Look::Nothing) => Ok(false),
            Err(LookError::Unanswered(problem)) => {
                Err(Refusal::new(Reason::OutcomeUnknown, problem.to_string()).into())
            }
            Err(LookError::Database(problem)) => Err(problem.into()),
            Err(LookError::Write(problem)) => Err(problem.into()),
        }
    }

    async fn account(&self, tenant: &Tenant, order_id: &str) -> Result<Account, Failure> {
        let order_id = convert::id("order_id", order_id, OrderId::parse)?;
        self.reads.account(tenant, &order_id).await
    }
}

#[tonic::async_trait]
impl PaymentService for PaymentApi {
    async fn authorize_payment(
        &self,
        request: Request<wire::AuthorizePaymentRequest>,
    ) -> Result<Response<wire::AuthorizePaymentResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let payment = Some(self.authorize(&caller, request.into_inner()).await?);
        Ok(Response::new(wire::AuthorizePaymentResponse { payment }))
    }

    async fn capture_payment(
        &self,
        request: Request<wire::CapturePaymentRequest>,
    ) -> Result<Response<wire::CapturePaymentResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let payment = Some(self.capture(&caller, request.into_inner()).await?);
        Ok(Response::new(wire::CapturePaymentResponse { payment }))
    }

    async fn get_payment(
        &self,
        request: Request<wire::GetPaymentRequest>,
    ) -> Result<Response<wire::GetPaymentResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let payment_id = convert::id("payment_id", &request.into_inner().payment_id, PaymentId::parse)
            .map_err(Failure::from)?;
        let payment = Some(self.find(&tenant, &payment_id).await?);
        Ok(Response::new(wire::GetPaymentResponse { payment }))
    }

    async fn list_payments(
        &self,
        request: Request<wire::ListPaymentsRequest>,
    ) -> Result<Response<wire::ListPaymentsResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let account = self.account(&tenant, &request.into_inner().order_id).await?;
        let mut payments: Vec<_> = account.payments.values().collect();
        payments.sort_by_key(|payment| payment.line_no);
        let payments = payments.into_iter().map(|payment| convert::payment(&account, payment)).collect();
        Ok(Response::new(wire::ListPaymentsResponse { payments }))
    }

    async fn get_money_position(
        &self,
        request: Request<wire::GetMoneyPositionRequest>,
    ) -> Result<Response<wire::GetMoneyPositionResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let account = self.account(&tenant, &request.into_inner().order_id).await?;
        Ok(Response::new(wire::GetMoneyPositionResponse { position: Some(position(&account)) }))
    }

    async fn reconcile_payment(
        &self,
        request: Request<wire::ReconcilePaymentRequest>,
    ) -> Result<Response<wire::ReconcilePaymentResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let payment_id = convert::id("payment_id", &request.into_inner().payment_id, PaymentId::parse)
            .map_err(Failure::from)?;
        let changed = self.reconcile(&tenant, &payment_id).await?;
        let payment = Some(self.find(&tenant, &payment_id).await?);
        Ok(Response::new(wire::ReconcilePaymentResponse { payment, changed }))
    }

    async fn record_shared_payment(
        &self,
        request: Request<wire::RecordSharedPaymentRequest>,
    ) -> Result<Response<wire::RecordSharedPaymentResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let minted = (self.ids.mint(), self.clock.now());
        let wanted = shared::parse(&request.into_inner(), minted).map_err(Failure::from)?;
        let recorded = self.sharing.record(&tenant, wanted).await?;
        let shares = self.reads.shares(&tenant, &recorded.shared_payment_id).await?;
        let shared_payment = Some(shared::shown(shares));
        Ok(Response::new(wire::RecordSharedPaymentResponse { shared_payment }))
    }

    async fn get_shared_payment(
        &self,
        request: Request<wire::GetSharedPaymentRequest>,
    ) -> Result<Response<wire::GetSharedPaymentResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        let id = &request.into_inner().shared_payment_id;
        let id = convert::id("shared_payment_id", id, PaymentId::parse).map_err(Failure::from)?;
        let shared_payment = Some(shared::shown(self.reads.shares(&tenant, &id).await?));
        Ok(Response::new(wire::GetSharedPaymentResponse { shared_payment }))
    }

    async fn list_gateway_events(
        &self,
        request: Request<wire::ListGatewayEventsRequest>,
    ) -> Result<Response<wire::ListGatewayEventsResponse>, Status> {
        let tenant = Principal::of(&request)?.tenant.clone();
        Ok(Response::new(
            gateway_events::list(&self.reads, &self.seal, &tenant, &request.into_inner()).await?,
        ))
    }
}

pub(super) fn request_key(caller: &Principal, method: &str, request_id: &str) -> Result<RequestKey, Refusal> {
    let request_id = RequestId::parse(request_id)?;
    Ok(RequestKey {
        tenant: caller.tenant.clone(),
        subject: caller.subject(),
        method: method.to_owned(),
        request_id,
    })
}

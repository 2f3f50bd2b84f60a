//! RefundStepsService: the saga's money steps, on the internal port.

use kit::{Failure, telemetry};
use proto::common::v1 as common;
use proto::payment::v1 as wire;
use proto::payment::v1::refund_step_result::Answer;
use proto::payment::v1::refund_steps_service_server::RefundStepsService;
use storage::WriteError;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;
use types::{Refusal, Tenant};

use super::forecast::forecast;
use super::{step, terms};
use crate::ops::cashier::Cashier;
use crate::ops::command::StepAnswer;
use crate::ops::reads::Reads;
use crate::wire as reply;

pub struct StepsApi {
    cashier: Cashier,
    reads: Reads,
}

impl StepsApi {
    /// A batch of openings with many tenders each.
    pub const REQUEST_BYTES_MAX: usize = 1024 * 1024;

    pub fn new(cashier: Cashier, reads: Reads) -> Self {
        Self { cashier, reads }
    }

    /// What is wrong with the step itself is an answer too: it will not become right.
    async fn answer(&self, request: &wire::RunRefundStepRequest) -> Result<StepAnswer, WriteError> {
        match step::parse(request) {
            Ok(step) => self.cashier.run_step(step).await,
            Err(refusal) => Ok(StepAnswer::Refused(refusal)),
        }
    }

    async fn result(&self, request: &wire::RunRefundStepRequest) -> wire::RefundStepResult {
        let span = telemetry::step_span(request.context.as_ref());
        let answer = match self.answer(request).instrument(span).await {
            Ok(StepAnswer::Applied(bytes)) => match reply::decode(&bytes) {
                Ok(reply) => Answer::Applied(reply),
                Err(problem) => Answer::Unknown(Failure::from(problem).to_string()),
            },
            Ok(StepAnswer::Pending) => Answer::Pending(pending()),
            Ok(StepAnswer::Refused(refusal)) => Answer::Refused(kit::answer::to_wire(&refusal)),
            Err(problem) => Answer::Unknown(Failure::from(problem).to_string()),
        };
        wire::RefundStepResult { answer: Some(answer) }
    }
}

#[tonic::async_trait]
impl RefundStepsService for StepsApi {
    async fn run_refund_step(
        &self,
        request: Request<wire::RunRefundStepRequest>,
    ) -> Result<Response<wire::RunRefundStepResponse>, Status> {
        use wire::run_refund_step_response::Answer;
        let answer = self.answer(&request.into_inner()).await;
        let answer = match answer.map_err(Failure::from)? {
            StepAnswer::Applied(bytes) => Answer::Applied(reply::decode(&bytes).map_err(Failure::from)?),
            StepAnswer::Pending => Answer::Pending(pending()),
            StepAnswer::Refused(refusal) => return Err(Failure::from(refusal).into()),
        };
        Ok(Response::new(wire::RunRefundStepResponse { answer: Some(answer) }))
    }

    async fn run_refund_steps(
        &self,
        request: Request<wire::RunRefundStepsRequest>,
    ) -> Result<Response<wire::RunRefundStepsResponse>, Status> {
        let steps = request.into_inner().steps;
        kit::step::check_batch(steps.iter().map(|step| step.context.as_ref())).map_err(Failure::from)?;
        // Submitted together, so that they share a commit.
        let results = futures::future::join_all(steps.iter().map(|step| self.result(step))).await;
        Ok(Response::new(wire::RunRefundStepsResponse { results }))
    }

    async fn forecast_refund(
        &self,
        request: Request<wire::ForecastRefundRequest>,
    ) -> Result<Response<wire::ForecastRefundResponse>, Status> {
        let request = request.into_inner();
        let tenant = Tenant::parse(&request.tenant)
            .map_err(|error| Failure::from(Refusal::from(error).field("tenant")))?;
        let pay_out = request.pay_out.as_ref();
        let terms = terms::foreseen(request.strategy, &request.tenders, request.allow_over_refund, pay_out)
            .map_err(Failure::from)?;
        let (order_id, new_total) = (&request.order_id, request.new_total_minor);
        Ok(Response::new(forecast(&self.reads, &tenant, order_id, new_total, &terms).await?))
    }
}

fn pending() -> common::StepPending {
    common::StepPending { waiting_for: "the payment gateway".to_owned() }
}

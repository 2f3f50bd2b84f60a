//! RefundStepsService: the saga's money steps, on the internal port.

use std::collections::HashSet;

use kit::{Failure, telemetry};
use proto::common::v1 as common;
use proto::payment::v1 as wire;
use proto::payment::v1::refund_step_result::Answer;
use proto::payment::v1::refund_steps_service_server::RefundStepsService;
use storage::{Database, WriteError};
use tonic::{Request, Response, Status};
use tracing::Instrument as _;
use types::{Reason, Refusal, Tenant};

use super::forecast::forecast;
use super::step;
use crate::ops::cashier::Cashier;
use crate::ops::command::StepAnswer;
use crate::store::event::refusal;
use crate::store::reply;

const STEPS_MAX: usize = 64;

pub struct StepsApi {
    cashier: Cashier,
    database: Database,
}

impl StepsApi {
    /// A batch of openings with many tenders each.
    pub const REQUEST_BYTES_MAX: usize = 1024 * 1024;

    pub fn new(cashier: Cashier, database: Database) -> Self {
        Self { cashier, database }
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
            Ok(StepAnswer::Refused(cause)) => Answer::Refused(refusal(&cause)),
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
        refuse_unfit(&steps)?;
        // Submitted together, so that they share a commit.
        let results = futures::future::join_all(steps.iter().map(|step| self.result(step))).await;
        Ok(Response::new(wire::RunRefundStepsResponse { results }))
    }

    async fn forecast_refund(
        &self,
        request: Request<wire::ForecastRefundRequest>,
    ) -> Result<Response<wire::ForecastRefundResponse>, Status> {
        let wire::ForecastRefundRequest { tenant, order_id, new_total_minor } = request.into_inner();
        let tenant =
            Tenant::parse(&tenant).map_err(|error| Failure::from(Refusal::from(error).field("tenant")))?;
        Ok(Response::new(forecast(&self.database, &tenant, &order_id, new_total_minor).await?))
    }
}

fn refuse_unfit(steps: &[wire::RunRefundStepRequest]) -> Result<(), Failure> {
    if !(1..=STEPS_MAX).contains(&steps.len()) {
        let message = format!("a batch has 1 to {STEPS_MAX} steps");
        return Err(Failure::invalid("steps", Reason::FieldInvalid, message));
    }
    let keys = steps.iter().filter_map(|step| step.context.as_ref());
    let mut seen = HashSet::new();
    for context in keys {
        if !seen.insert((&context.tenant, &context.saga_id, &context.step, context.direction)) {
            let message = "a batch has at most one step of the same saga, name and direction";
            return Err(Failure::invalid("steps", Reason::FieldInvalid, message));
        }
    }
    Ok(())
}

fn pending() -> common::StepPending {
    common::StepPending { waiting_for: "the payment gateway".to_owned() }
}

//! GoodsStepsService: the steps of sagas, singly and in batches. On the internal port.

use futures::future::join_all;
use kit::{Failure, step, telemetry};
use proto::common::v1::StepPending;
use proto::inventory::v1::goods_step_result::Answer;
use proto::inventory::v1::goods_steps_service_server::GoodsStepsService;
use proto::inventory::v1::{
    ForecastReservationRequest, ForecastReservationResponse, GoodsStepResult, ReservationForecast,
    RunGoodsStepRequest, RunGoodsStepResponse, RunGoodsStepsRequest, RunGoodsStepsResponse,
    run_goods_step_response,
};
use tonic::{Request, Response, Status};
use tracing::Instrument as _;
use types::{Refusal, Tenant};

use super::{convert, step_command};
use crate::ops::{Inventory, StepAnswer};

pub struct GoodsStepsApi {
    inventory: Inventory,
}

impl GoodsStepsApi {
    /// A full batch of the largest orders: 64 steps of 1,000 lines of at most 256 bytes.
    pub const REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;

    pub fn new(inventory: Inventory) -> Self {
        Self { inventory }
    }

    /// One step of a batch: it has an answer of its own, whatever the others come to.
    async fn answer(&self, request: &RunGoodsStepRequest) -> Answer {
        self.carry_out(request).instrument(telemetry::step_span(request.context.as_ref())).await
    }

    async fn carry_out(&self, request: &RunGoodsStepRequest) -> Answer {
        let command = match step_command::parse(request) {
            Ok(command) => command,
            Err(refusal) => return Answer::Refused(kit::answer::to_wire(&refusal)),
        };
        match self.inventory.step(command).await {
            Ok(StepAnswer::Applied(reply)) => Answer::Applied(reply),
            Ok(StepAnswer::Pending) => Answer::Pending(pending()),
            Ok(StepAnswer::Refused(refusal)) => Answer::Refused(kit::answer::to_wire(&refusal)),
            Err(error) => Answer::Unknown(Failure::from(error).to_string()),
        }
    }
}

fn pending() -> StepPending {
    StepPending { waiting_for: "a carrier's or a partner's word".to_owned() }
}

#[tonic::async_trait]
impl GoodsStepsService for GoodsStepsApi {
    async fn run_goods_step(
        &self,
        request: Request<RunGoodsStepRequest>,
    ) -> Result<Response<RunGoodsStepResponse>, Status> {
        let command = step_command::parse(request.get_ref()).map_err(Failure::from)?;
        let answer = self.inventory.step(command).await.map_err(Failure::from)?;
        match answer {
            StepAnswer::Applied(reply) => {
                let answer = Some(run_goods_step_response::Answer::Applied(reply));
                Ok(Response::new(RunGoodsStepResponse { answer }))
            }
            StepAnswer::Pending => {
                let answer = Some(run_goods_step_response::Answer::Pending(pending()));
                Ok(Response::new(RunGoodsStepResponse { answer }))
            }
            StepAnswer::Refused(refusal) => Err(Failure::from(refusal).into()),
        }
    }

    async fn forecast_reservation(
        &self,
        request: Request<ForecastReservationRequest>,
    ) -> Result<Response<ForecastReservationResponse>, Status> {
        let request = request.into_inner();
        let tenant = Tenant::parse(&request.tenant)
            .map_err(|error| Failure::from(Refusal::from(error).field("tenant")))?;
        let wanted = step_command::wanted(&request.lines, &request.reshipped).map_err(Failure::from)?;
        let order_id = match request.order_id.as_str() {
            "" => None,
            id => Some(convert::order_id("order_id", id).map_err(Failure::from)?),
        };
        let found = self.inventory.forecast(&tenant, &wanted, order_id.as_ref()).await;
        let found = found.map_err(Failure::from)?;
        let named = wanted.lines.iter().map(|line| &line.line_id);
        let named = named.chain(wanted.reshipped.iter().map(|line| &line.line_id));
        let lines = named.zip(found).map(|(line_id, found)| ReservationForecast {
            line_id: line_id.to_string(),
            available: found.available,
            enough: found.enough,
        });
        Ok(Response::new(ForecastReservationResponse { lines: lines.collect() }))
    }

    async fn run_goods_steps(
        &self,
        request: Request<RunGoodsStepsRequest>,
    ) -> Result<Response<RunGoodsStepsResponse>, Status> {
        let steps = request.into_inner().steps;
        step::check_batch(steps.iter().map(|step| step.context.as_ref())).map_err(Failure::from)?;
        // Submitted together, so that they share a commit.
        let answers = join_all(steps.iter().map(|step| self.answer(step))).await;
        let results = answers.into_iter().map(|answer| GoodsStepResult { answer: Some(answer) }).collect();
        Ok(Response::new(RunGoodsStepsResponse { results }))
    }
}

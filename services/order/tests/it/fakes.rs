//! Participants in memory behind the real step protocol. They do as they are told step by step, and otherwise apply
//! everything; what they were asked is kept.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use kit::client::Channel;
use kit::server::{Bound, Routes, Server};
use proto::common::v1::{Refusal, StepContext, StepDirection, StepPending};
use proto::events::v1::event_intake_service_server::{EventIntakeService, EventIntakeServiceServer};
use proto::events::v1::{DeliverEventsRequest, DeliverEventsResponse, Delivery, EventEnvelope};
use proto::inventory::v1::goods_command::Command;
use proto::inventory::v1::goods_steps_service_server::{GoodsStepsService, GoodsStepsServiceServer};
use proto::inventory::v1::{
    ForecastReservationRequest, ForecastReservationResponse, GoodsLineSplit, GoodsReply, GoodsStepResult,
    ReservationForecast, ReserveStockLine, RunGoodsStepRequest, RunGoodsStepResponse, RunGoodsStepsRequest,
    RunGoodsStepsResponse, goods_step_result,
};
use proto::payment::v1::refund_command::Command as Money;
use proto::payment::v1::refund_steps_service_server::{RefundStepsService, RefundStepsServiceServer};
use proto::payment::v1::{
    ForecastRefundRequest, ForecastRefundResponse, OwedPosition, RefundKind, RefundReply, RefundState,
    RefundStepResult, RunRefundStepRequest, RunRefundStepResponse, RunRefundStepsRequest,
    RunRefundStepsResponse, SettledLeg, refund_step_result,
};
use tonic::{Request, Response, Status};
use types::{Clock, Ids, Reason, RefundId};

/// How a participant behaves at one asking of one step.
#[derive(Debug, Clone)]
pub enum Act {
    Apply,
    Refuse(Reason),
    /// Applies the step and loses the answer.
    LoseAnswer,
    Pending,
    /// hold_goods: this many units stand with a partner.
    WithPartner(i64),
    /// hold_goods: this many units of the first line are gone.
    LeaveOut(i64),
    /// authorise_payments: this much is to be paid later.
    Missing(i64),
    /// settle_refund: the leg is declined, and its amount stays owed.
    Decline,
}

/// One call as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub saga_id: String,
    /// The step, or `undo step`.
    pub step: String,
    pub epoch: i64,
}

#[derive(Clone, Default)]
pub struct Script {
    acts: Arc<Mutex<BTreeMap<String, VecDeque<Act>>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Script {
    /// The next askings of a step behave so, one act each; the last act stays.
    pub fn play(&self, step: &str, acts: impl IntoIterator<Item = Act>) {
        self.acts.lock().unwrap().insert(step.to_owned(), acts.into_iter().collect());
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The names of the steps in the order in which they were first asked.
    pub fn steps(&self, saga_id: &str) -> Vec<String> {
        let mut steps: Vec<String> = Vec::new();
        for asked in self.asked().into_iter().filter(|asked| asked.saga_id == saga_id) {
            if !steps.contains(&asked.step) {
                steps.push(asked.step);
            }
        }
        steps
    }

    fn next(&self, context: Option<&StepContext>) -> Act {
        let context = context.expect("every step call carries its context");
        let step = match context.direction() {
            StepDirection::Undo => format!("undo {}", context.step),
            StepDirection::Do | StepDirection::Unspecified => context.step.clone(),
        };
        let asked = Asked { saga_id: context.saga_id.clone(), step: step.clone(), epoch: context.epoch };
        self.asked.lock().unwrap().push(asked);
        let mut acts = self.acts.lock().unwrap();
        match acts.get_mut(&step) {
            Some(acts) if acts.len() > 1 => acts.pop_front().expect("it has more than one act"),
            Some(acts) => acts.front().cloned().unwrap_or(Act::Apply),
            None => Act::Apply,
        }
    }
}

/// All participants of the order service.
#[derive(Clone)]
pub struct Fakes {
    pub script: Script,
    pub heard: Arc<Mutex<Vec<EventEnvelope>>>,
    deaf: Arc<AtomicBool>,
    bound: Arc<Bound>,
}

impl Fakes {
    pub async fn start() -> Self {
        let (script, heard) = (Script::default(), Arc::new(Mutex::new(Vec::new())));
        let deaf = Arc::new(AtomicBool::new(false));
        let routes = Routes::new()
            .add_service(GoodsStepsServiceServer::new(Goods { script: script.clone() }))
            .add_service(RefundStepsServiceServer::new(Refunds {
                script: script.clone(),
                ids: Ids::random(Clock::System),
                decisions: Arc::default(),
            }))
            .add_service(EventIntakeServiceServer::new(Notification {
                heard: Arc::clone(&heard),
                deaf: Arc::clone(&deaf),
            }));
        let address = "127.0.0.1:0".parse().unwrap();
        let bound = Server::builder("fakes").internal(address, routes).bind().await.unwrap();
        Self { script, heard, deaf, bound: Arc::new(bound) }
    }

    pub fn channel(&self) -> Channel {
        self.bound.internal_channel()
    }

    /// Whether events are taken in.
    pub fn hear(&self, hears: bool) {
        self.deaf.store(!hears, Ordering::SeqCst);
    }

    pub fn kinds_heard(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|event| event.r#type.rsplit('.').next().unwrap().to_owned()).collect()
    }
}

struct Goods {
    script: Script,
}

fn goods_result(act: &Act, step: &RunGoodsStepRequest) -> GoodsStepResult {
    let answer = match act {
        Act::Apply | Act::Decline | Act::Missing(_) => {
            goods_step_result::Answer::Applied(GoodsReply::default())
        }
        Act::LeaveOut(units) => goods_step_result::Answer::Applied(left_out(*units, step)),
        Act::WithPartner(units) => {
            goods_step_result::Answer::Applied(GoodsReply { with_partner: *units, ..GoodsReply::default() })
        }
        Act::Refuse(reason) => goods_step_result::Answer::Refused(refusal(*reason)),
        Act::LoseAnswer => goods_step_result::Answer::Unknown("the answer was lost".to_owned()),
        Act::Pending => goods_step_result::Answer::Pending(StepPending::default()),
    };
    GoodsStepResult { answer: Some(answer) }
}

fn left_out(units: i64, step: &RunGoodsStepRequest) -> GoodsReply {
    let command = step.command.as_ref().and_then(|command| command.command.as_ref());
    let Some(Command::HoldGoods(hold)) = command else { return GoodsReply::default() };
    let line = GoodsLineSplit {
        line_id: hold.lines[0].line_id.clone(),
        unallocated: hold.lines[0].quantity - units,
        refused: units,
        refused_reason: Reason::QuantityExceedsAvailable.as_str().to_owned(),
        ..GoodsLineSplit::default()
    };
    GoodsReply { lines: vec![line], ..GoodsReply::default() }
}

#[tonic::async_trait]
impl GoodsStepsService for Goods {
    async fn run_goods_step(
        &self,
        _: Request<RunGoodsStepRequest>,
    ) -> Result<Response<RunGoodsStepResponse>, Status> {
        Err(Status::unimplemented("the fake is asked in batches"))
    }

    async fn forecast_reservation(
        &self,
        request: Request<ForecastReservationRequest>,
    ) -> Result<Response<ForecastReservationResponse>, Status> {
        Ok(Response::new(everything(&request.get_ref().lines)))
    }

    async fn run_goods_steps(
        &self,
        request: Request<RunGoodsStepsRequest>,
    ) -> Result<Response<RunGoodsStepsResponse>, Status> {
        let steps = request.into_inner().steps;
        let results =
            steps.iter().map(|step| goods_result(&self.script.next(step.context.as_ref()), step)).collect();
        Ok(Response::new(RunGoodsStepsResponse { results }))
    }
}

/// Has whatever is wanted.
fn everything(lines: &[ReserveStockLine]) -> ForecastReservationResponse {
    let found = lines.iter().map(|line| ReservationForecast {
        line_id: line.line_id.clone(),
        available: line.quantity,
        enough: true,
    });
    ForecastReservationResponse { lines: found.collect() }
}

struct Refunds {
    script: Script,
    ids: Ids,
    /// The decision that each saga's change makes, as it was told.
    decisions: Arc<Mutex<BTreeMap<String, i64>>>,
}

impl Refunds {
    fn result(&self, step: &RunRefundStepRequest) -> RefundStepResult {
        let answer = match self.script.next(step.context.as_ref()) {
            Act::Apply | Act::WithPartner(_) | Act::LeaveOut(_) => {
                refund_step_result::Answer::Applied(self.reply(step, false))
            }
            Act::Missing(missing_minor) => {
                refund_step_result::Answer::Applied(RefundReply { missing_minor, ..self.reply(step, false) })
            }
            Act::Decline => refund_step_result::Answer::Applied(self.reply(step, true)),
            Act::Refuse(reason) => refund_step_result::Answer::Refused(refusal(reason)),
            Act::LoseAnswer => refund_step_result::Answer::Unknown("the answer was lost".to_owned()),
            Act::Pending => refund_step_result::Answer::Pending(StepPending::default()),
        };
        RefundStepResult { answer: Some(answer) }
    }

    /// A settled refund has one leg of 100 minor units, whatever was reserved: the order service shows what it is told.
    fn reply(&self, step: &RunRefundStepRequest, declined: bool) -> RefundReply {
        let command = step.command.as_ref().and_then(|command| command.command.as_ref());
        let (state, owed_minor) =
            if declined { (RefundState::Declined, 100) } else { (RefundState::Succeeded, 0) };
        let saga = step.context.as_ref().map(|context| context.saga_id.clone()).unwrap_or_default();
        let decision = match command {
            Some(Money::ReserveRefund(reserve)) => Some(reserve.worth_version),
            Some(Money::AuthorisePayments(authorise)) => Some(authorise.worth_version),
            _ => None,
        };
        let mut decisions = self.decisions.lock().unwrap();
        if let Some(decision) = decision {
            decisions.insert(saga.clone(), decision);
        }
        let owed = decisions.get(&saga).map(|&worth_version| OwedPosition {
            sequence: i64::from(owed_minor > 0),
            worth_version,
            owed_minor,
        });
        match command {
            Some(Money::SettleRefund(_)) => {
                let leg = SettledLeg {
                    refund_id: self.ids.mint::<RefundId>().to_string(),
                    kind: RefundKind::Refund.into(),
                    state: state.into(),
                    amount_minor: 100,
                    detail: "the card is closed".to_owned(),
                    ..SettledLeg::default()
                };
                RefundReply { legs: vec![leg], owed_minor, owed, ..RefundReply::default() }
            }
            _ => RefundReply { owed: owed.filter(|_| !declined), ..RefundReply::default() },
        }
    }
}

#[tonic::async_trait]
impl RefundStepsService for Refunds {
    async fn run_refund_step(
        &self,
        _: Request<RunRefundStepRequest>,
    ) -> Result<Response<RunRefundStepResponse>, Status> {
        Err(Status::unimplemented("the fake is asked in batches"))
    }

    async fn run_refund_steps(
        &self,
        request: Request<RunRefundStepsRequest>,
    ) -> Result<Response<RunRefundStepsResponse>, Status> {
        let steps = request.into_inner().steps;
        let results = steps.iter().map(|step| self.result(step)).collect();
        Ok(Response::new(RunRefundStepsResponse { results }))
    }

    async fn forecast_refund(
        &self,
        _: Request<ForecastRefundRequest>,
    ) -> Result<Response<ForecastRefundResponse>, Status> {
        Err(Status::unimplemented("the fake forecasts nothing"))
    }
}

struct Notification {
    heard: Arc<Mutex<Vec<EventEnvelope>>>,
    deaf: Arc<AtomicBool>,
}

#[tonic::async_trait]
impl EventIntakeService for Notification {
    async fn deliver_events(
        &self,
        request: Request<DeliverEventsRequest>,
    ) -> Result<Response<DeliverEventsResponse>, Status> {
        if self.deaf.load(Ordering::SeqCst) {
            return Err(Status::unavailable("the fake does not hear"));
        }
        let events = request.into_inner().events;
        let deliveries = events.iter().map(|_| Delivery::Accepted.into()).collect();
        self.heard.lock().unwrap().extend(events);
        Ok(Response::new(DeliverEventsResponse { deliveries }))
    }
}

fn refusal(reason: Reason) -> Refusal {
    Refusal {
        reason: reason.as_str().to_owned(),
        message: "the participant says no".to_owned(),
        details: BTreeMap::new().into_iter().collect(),
    }
}

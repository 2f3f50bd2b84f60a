//! RuleService.

mod input;

use kit::answer::to_wire;
use kit::page::{Listing, Page};
use kit::server::{REQUEST_BYTES_MAX, Routes};
use kit::{Failure, Principal};
use proto::order::v1 as wire;
use proto::order::v1::rule_service_server::{RuleService, RuleServiceServer};
use tonic::{Request, Response, Status};
use types::{Reason, Refusal};

use self::input::{condition, rule_id, shown, trigger, wish};
use crate::api::convert::{REFERENCE_LENGTH_MAX, missing, optional, order_id, page_of, request_id, token_of};
use crate::rules::domain::{Outcome, Run};
use crate::rules::{Rules, Simulated, Simulation};

/// Most orders one simulation looks at, and how many it does unless told otherwise.
const SIMULATED_MAX: i32 = 1_000;
const SIMULATED: i32 = 100;

/// Adds what operators may call.
pub fn routes(routes: Routes, rules: &Rules) -> Routes {
    let api = RuleServiceServer::new(RuleApi { rules: rules.clone() });
    routes.add_service(api.max_decoding_message_size(REQUEST_BYTES_MAX))
}

struct RuleApi {
    rules: Rules,
}

impl RuleApi {
    async fn upsert(
        &self,
        request: Request<wire::UpsertRuleRequest>,
    ) -> Result<wire::UpsertRuleResponse, Failure> {
        let caller = Principal::of(&request)?.clone();
        let request = request.into_inner();

        let request_id = request_id(&request.request_id)?;
        let given = request.rule.ok_or_else(|| missing("rule", "there is no rule to keep"))?;
        let rule = self.rules.upsert_rule(&caller, request_id, wish(&given)?).await?;
        Ok(wire::UpsertRuleResponse { rule: Some(shown(&rule)) })
    }

    async fn list(
        &self,
        request: Request<wire::ListRulesRequest>,
    ) -> Result<wire::ListRulesResponse, Failure> {
        let caller = Principal::of(&request)?;
        let rules = self.rules.rules(&caller.tenant).await?;
        Ok(wire::ListRulesResponse { rules: rules.iter().map(shown).collect() })
    }

    async fn list_runs(
        &self,
        request: Request<wire::ListRuleRunsRequest>,
    ) -> Result<wire::ListRuleRunsResponse, Failure> {
        let caller = Principal::of(&request)?.clone();
        let request = request.into_inner();

        let rule_id = rule_id("rule_id", &request.rule_id)?;
        if !request.order_id.is_empty() {
            order_id("order_id", &request.order_id)?;
        }
        let listing = Listing::new("ListRuleRuns", &caller.tenant, &(&rule_id, &request.order_id));
        let page = Page::parse(self.rules.orders.seal(), listing, request.page_size, &request.page_token)?;
        let asked = page_of(&page)?;
        let found = self.rules.rule_runs(&caller, rule_id.as_ref(), &request.order_id, &asked).await?;
        Ok(wire::ListRuleRunsResponse {
            runs: found.items.iter().map(run).collect(),
            next_page_token: token_of(&page, found.next),
        })
    }

    async fn simulate(
        &self,
        request: Request<wire::SimulateRuleRequest>,
    ) -> Result<wire::SimulateRuleResponse, Failure> {
        let caller = Principal::of(&request)?.clone();
        let request = request.into_inner();

        let given = request.rule.ok_or_else(|| missing("rule", "there is no rule to try"))?;
        let count = match request.count {
            0 => SIMULATED,
            count @ 1..=SIMULATED_MAX => count,
            count => {
                let message = format!("a simulation looks at 1 to {SIMULATED_MAX}, not {count}");
                return Err(Refusal::new(Reason::FieldInvalid, message).field("count").into());
            }
        };
        let asked = Simulation {
            trigger: trigger(given.trigger)?,
            condition: condition(&given.condition)?,
            folder: optional("folder", REFERENCE_LENGTH_MAX, &request.folder)?,
            count: i64::from(count),
        };
        let found = self.rules.simulate_rule(&caller, &asked).await?;
        let simulated = |run: &Simulated| wire::SimulatedRun {
            order_id: run.order_id.to_string(),
            order_number: run.order_number.clone(),
            change_order_id: run.change_order_id.as_ref().map_or_else(String::new, ToString::to_string),
            outcome: outcome(run.outcome).into(),
            cause: run.cause.as_ref().map(to_wire),
        };
        Ok(wire::SimulateRuleResponse {
            evaluated: found.evaluated,
            met: found.met,
            failed: found.failed,
            runs: found.runs.iter().map(simulated).collect(),
        })
    }
}

#[tonic::async_trait]
impl RuleService for RuleApi {
    async fn upsert_rule(
        &self,
        request: Request<wire::UpsertRuleRequest>,
    ) -> Result<Response<wire::UpsertRuleResponse>, Status> {
        Ok(Response::new(self.upsert(request).await?))
    }

    async fn list_rules(
        &self,
        request: Request<wire::ListRulesRequest>,
    ) -> Result<Response<wire::ListRulesResponse>, Status> {
        Ok(Response::new(self.list(request).await?))
    }

    async fn list_rule_runs(
        &self,
        request: Request<wire::ListRuleRunsRequest>,
    ) -> Result<Response<wire::ListRuleRunsResponse>, Status> {
        Ok(Response::new(self.list_runs(request).await?))
    }

    async fn simulate_rule(
        &self,
        request: Request<wire::SimulateRuleRequest>,
    ) -> Result<Response<wire::SimulateRuleResponse>, Status> {
        Ok(Response::new(self.simulate(request).await?))
    }
}

fn run(run: &Run) -> wire::RuleRun {
    wire::RuleRun {
        rule_id: run.rule_id.to_string(),
        rule_version: run.rule_version,
        event_id: run.event_id.to_string(),
        order_id: run.order_id.to_string(),
        outcome: outcome(run.outcome).into(),
        cause: run.cause.as_ref().map(to_wire),
        resource_ids: run.resources.clone(),
        depth: run.depth,
        at: run.at.to_string(),
    }
}

fn outcome(outcome: Outcome) -> wire::RuleOutcome {
    match outcome {
        Outcome::Done => wire::RuleOutcome::Done,
        Outcome::NotMet => wire::RuleOutcome::NotMet,
        Outcome::Refused => wire::RuleOutcome::Refused,
        Outcome::Failed => wire::RuleOutcome::Failed,
        Outcome::Loop => wire::RuleOutcome::Loop,
    }
}

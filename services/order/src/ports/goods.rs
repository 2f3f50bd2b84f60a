//! The inventory's saga steps. Steps that are asked for at the same time travel in one call.

use kit::answer::{self, Verdict};
use kit::client::Channel;
use kit::coalesce::Coalescer;
use prost::Message as _;
use proto::inventory::v1::goods_command::Command;
use proto::inventory::v1::goods_steps_service_client::GoodsStepsServiceClient;
use proto::inventory::v1::{
    GoodsCommand, GoodsReply, GoodsStepResult, RunGoodsStepRequest, RunGoodsStepsRequest, goods_step_result,
    run_goods_step_response,
};
use saga::{Answer, Call};

use super::result;

pub struct Goods {
    client: GoodsStepsServiceClient<Channel>,
    steps: Coalescer<RunGoodsStepRequest, GoodsStepResult>,
}

impl Goods {
    pub fn start(inventory: Channel) -> Self {
        let client = GoodsStepsServiceClient::new(inventory);
        let batches = client.clone();
        let steps = Coalescer::start(move |steps| {
            let mut client = batches.clone();
            async move {
                let response = client.run_goods_steps(RunGoodsStepsRequest { steps }).await?;
                Ok(response.into_inner().results)
            }
        });
        Self { client, steps }
    }

    pub async fn run(&self, call: &Call, command: Command) -> Answer {
        let request = RunGoodsStepRequest {
            context: Some(result::context(call)),
            command: Some(GoodsCommand { command: Some(command) }),
        };
        match self.steps.call(request.clone()).await {
            Ok(result) => heard(result),
            Err(status) => match answer::classify(&status) {
                // The word is about the batch, which may have been too large: only this step's own call can tell.
                Verdict::Answered(_) | Verdict::Stale => self.run_alone(request).await,
                Verdict::Unknown(text) => Answer::Unknown(text),
            },
        }
    }

    async fn run_alone(&self, request: RunGoodsStepRequest) -> Answer {
        match self.client.clone().run_goods_step(request).await {
            Ok(response) => match response.into_inner().answer {
                Some(run_goods_step_response::Answer::Applied(reply)) => applied(&reply),
                Some(run_goods_step_response::Answer::Pending(_)) => Answer::Pending { poll_after: None },
                None => Answer::Unknown("the inventory's response says nothing".to_owned()),
            },
            Err(status) => result::of(answer::classify(&status)),
        }
    }
}

fn heard(result: GoodsStepResult) -> Answer {
    match result.answer {
        Some(goods_step_result::Answer::Applied(reply)) => applied(&reply),
        Some(goods_step_result::Answer::Pending(_)) => Answer::Pending { poll_after: None },
        Some(goods_step_result::Answer::Refused(refusal)) => result::of(answer::classify_wire(refusal)),
        Some(goods_step_result::Answer::Unknown(text)) => Answer::Unknown(text),
        None => Answer::Unknown("the inventory's result says nothing".to_owned()),
    }
}

fn applied(reply: &GoodsReply) -> Answer {
    if reply.nothing_to_do { Answer::NothingToDo } else { Answer::Applied(reply.encode_to_vec()) }
}

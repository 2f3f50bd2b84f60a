//! The payment service's saga steps. Steps that are asked for at the same time travel in one call.

use kit::answer::{self, Verdict};
use kit::client::Channel;
use kit::coalesce::Coalescer;
use prost::Message as _;
use proto::payment::v1::refund_command::Command;
use proto::payment::v1::refund_steps_service_client::RefundStepsServiceClient;
use proto::payment::v1::{
    RefundCommand, RefundReply, RefundStepResult, RunRefundStepRequest, RunRefundStepsRequest,
    refund_step_result, run_refund_step_response,
};
use saga::{Answer, Call};

use super::result;

pub struct Refunds {
    client: RefundStepsServiceClient<Channel>,
    steps: Coalescer<RunRefundStepRequest, RefundStepResult>,
}

impl Refunds {
    pub fn start(payment: Channel) -> Self {
        let client = RefundStepsServiceClient::new(payment);
        let batches = client.clone();
        let steps = Coalescer::start(move |steps| {
            let mut client = batches.clone();
            async move {
                let response = client.run_refund_steps(RunRefundStepsRequest { steps }).await?;
                Ok(response.into_inner().results)
            }
        });
        Self { client, steps }
    }

    pub async fn run(&self, call: &Call, command: Command) -> Answer {
        let request = RunRefundStepRequest {
            context: Some(result::context(call)),
            command: Some(RefundCommand { command: Some(command) }),
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

    async fn run_alone(&self, request: RunRefundStepRequest) -> Answer {
        match self.client.clone().run_refund_step(request).await {
            Ok(response) => match response.into_inner().answer {
                Some(run_refund_step_response::Answer::Applied(reply)) => applied(&reply),
                Some(run_refund_step_response::Answer::Pending(_)) => Answer::Pending { poll_after: None },
                None => Answer::Unknown("the payment service's response says nothing".to_owned()),
            },
            Err(status) => result::of(answer::classify(&status)),
        }
    }
}

fn heard(result: RefundStepResult) -> Answer {
    match result.answer {
        Some(refund_step_result::Answer::Applied(reply)) => applied(&reply),
        Some(refund_step_result::Answer::Pending(_)) => Answer::Pending { poll_after: None },
        Some(refund_step_result::Answer::Refused(refusal)) => result::of(answer::classify_wire(refusal)),
        Some(refund_step_result::Answer::Unknown(text)) => Answer::Unknown(text),
        None => Answer::Unknown("the payment service's result says nothing".to_owned()),
    }
}

/// A step that moved no money may still tell what stays owed, and the saga's end has to know it.
fn applied(reply: &RefundReply) -> Answer {
    match (reply.nothing_to_do && reply.owed_minor == 0, reply.owed) {
        (true, None) => Answer::NothingToDo,
        (true, Some(_)) => Answer::NothingMoved(reply.encode_to_vec()),
        (false, _) => Answer::Applied(reply.encode_to_vec()),
    }
}

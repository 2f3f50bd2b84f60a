//! The commands of the group commit, and their answers.

use std::any::Any;

use saga::{Advance, LeaseLost, SagaImage};
use storage::Delivery;
use types::Refusal;

use crate::ops::books::wanted::Wanted;
use crate::ops::command::{Arrival, Asked, Queue};
use crate::ops::use_cases::AnyUseCase;

pub enum Command {
    Ask(Box<Asked>, Box<dyn AnyUseCase>),
    Advance(Box<Advance>),
    Deliver(Box<Arrival>),
    Queue(Queue),
}

pub enum Answer {
    Refused(Refusal),
    /// The request was accepted before; this is the id of what it made.
    AcceptedBefore(String),
    /// The answer of the use case. The caller knows its type.
    Accepted(Box<dyn Any + Send>),
    Advanced(Result<Box<SagaImage>, LeaseLost>),
    Delivered(Delivery),
    Noted,
}

impl Command {
    /// Two commands with the same key never share a batch. Orders are no keys: the overlay shows a command what the one before it has
    /// decided, so commands on one order share a batch. Only what is decided from its own stored row needs a batch without its twin.
    pub fn key(&self) -> String {
        match self {
            Self::Ask(asked, _) => asked.key.text(),
            Self::Advance(advance) => format!("{}/{}", advance.key.tenant, advance.key.id),
            Self::Deliver(arrival) => format!("{}/{}", arrival.envelope.tenant, arrival.envelope.event_id),
            Self::Queue(queue) => format!("{}/outbox", queue.tenant),
        }
    }

    pub fn reads(&self, wanted: &mut Wanted) {
        match self {
            Self::Ask(asked, use_case) => {
                wanted.requests.push(asked.key.clone());
                use_case.reads(&asked.tenant, wanted);
            }
            Self::Advance(advance) => {
                wanted.sagas.insert(advance.key.clone());
            }
            Self::Deliver(arrival) => wanted.arrival(arrival),
            Self::Queue(queue) => wanted.queue(queue),
        }
    }
}

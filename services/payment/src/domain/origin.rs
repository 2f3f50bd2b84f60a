//! Who asked for a movement of money: a step of a saga, or a request of a client.

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    Step { saga_id: String, step: String },
    Request { request_id: String, method: String },
}

impl Origin {
    pub fn step(saga_id: &str, step: &str) -> Self {
        Self::Step { saga_id: saga_id.to_owned(), step: step.to_owned() }
    }

    /// The three columns it is stored as: what asked, its id, and the name of the step or method.
    pub fn columns(&self) -> (&'static str, &str, &str) {
        match self {
            Self::Step { saga_id, step } => ("saga", saga_id, step),
            Self::Request { request_id, method } => ("request", request_id, method),
        }
    }

    pub fn from_columns(kind: &str, id: String, name: String) -> Option<Self> {
        match kind {
            "saga" => Some(Self::Step { saga_id: id, step: name }),
            "request" => Some(Self::Request { request_id: id, method: name }),
            _ => None,
        }
    }

    pub fn saga_id(&self) -> Option<String> {
        match self {
            Self::Step { saga_id, .. } => Some(saga_id.clone()),
            Self::Request { .. } => None,
        }
    }
}

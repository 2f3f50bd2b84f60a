//! How long events have been waiting to leave.

use std::time::Duration;

use types::Tenant;

/// Whom events wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    Notification,
    Broker,
}

impl Receiver {
    /// What items about it are about: type and id.
    pub const fn subject(self) -> (&'static str, &'static str) {
        match self {
            Self::Notification => ("outbox", "order"),
            Self::Broker => ("publisher", "nats"),
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "the notification service",
            Self::Broker => "the broker",
        }
    }
}

/// How long a tenant's oldest event has been waiting.
pub struct Queue {
    pub tenant: Tenant,
    pub receiver: Receiver,
    pub age: Duration,
}

impl Queue {
    pub fn subject(&self) -> (Tenant, String, String) {
        let (kind, id) = self.receiver.subject();
        (self.tenant.clone(), kind.to_owned(), id.to_owned())
    }
}

//! How long a tenant's events have been waiting for a receiver.

use std::time::Duration;

use types::Tenant;

/// A receiver of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receiver {
    /// The subject of attention items about it.
    pub subject_type: &'static str,
    pub subject_id: &'static str,
    /// Its name in messages to people.
    pub name: &'static str,
}

/// How long a tenant's oldest event has been waiting.
pub struct Queue {
    pub tenant: Tenant,
    pub receiver: Receiver,
    pub age: Duration,
}

impl Queue {
    /// Tenant, type and id of items about it.
    pub fn subject(&self) -> (Tenant, String, String) {
        let Receiver { subject_type, subject_id, .. } = self.receiver;
        (self.tenant.clone(), subject_type.to_owned(), subject_id.to_owned())
    }
}

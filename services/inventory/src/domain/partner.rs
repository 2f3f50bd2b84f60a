//! What a fulfilment partner was asked to stop, and its word.

use std::time::Duration;

use types::{FulfilmentId, Timestamp};

use super::integration::{IntegrationKey, Method, MethodProfile};

/// A reminder comes as long after the deadline as was waited for the word, and not sooner than this.
const REMINDER_MIN: Duration = Duration::from_secs(1);

/// How the detail of a task begins whose program could not be asked because of its connector.
pub(super) const UNUSABLE: &str = "its program cannot be asked: ";

/// One fulfilment at one partner, for one change order; or a cart that is told of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerTask {
    /// None for a cart.
    pub fulfilment_id: Option<FulfilmentId>,
    pub integration: IntegrationKey,
    pub external_number: String,
    /// The saga that waits for the word; empty for a cart.
    pub saga_id: String,
    pub ask: Ask,
    /// The partner's own reason.
    pub partner_reason: String,
    pub units: i64,
    pub state: TaskState,
    /// The method's place in the profile's list.
    pub method_index: usize,
    pub method: Method,
    pub address: String,
    pub confirmation_required: bool,
    /// The request has left, or a person has asked.
    pub sent: bool,
    pub deadline_at: Timestamp,
    pub requested_at: Timestamp,
    pub answered_at: Option<Timestamp>,
    pub answered_by: String,
    /// What we say of it, or the person who heard the word.
    pub detail: String,
    /// What the partner's program has answered, as it said it. It is for operators, and goes to nobody else.
    pub answer: String,
    /// It had agreed to stop, and shipped.
    pub shipped_after_cancel: bool,
    /// When something is to be done next, in microseconds; 0 for never.
    pub due_at: i64,
    pub tries: i64,
}

/// What a change order wants of a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub change_order_id: String,
    pub reason_code: String,
    pub note: String,
    pub unconfirmed: Unconfirmed,
}

/// What silence at the deadline comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unconfirmed {
    Commit,
    Wait,
    Reject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    Requested,
    Accepted,
    Rejected,
    Expired,
    /// The change went on without the word, which is still wanted.
    Unconfirmed,
    Withdrawn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Accepted,
    Rejected,
}

/// What the partner's program said, or that it could not be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartnerAnswer {
    Taken {
        detail: String,
    },
    Refused {
        detail: String,
    },
    /// Not heard: it is asked again with the same key.
    Unknown {
        detail: String,
    },
    /// Its connector makes no request that may be sent, and no other attempt would.
    Unusable {
        why: String,
    },
    /// Nothing was sent: this method's window had closed, or the deadline has come.
    NotSent,
}

impl Unconfirmed {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Wait => "wait",
            Self::Reject => "reject",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Commit, Self::Wait, Self::Reject].into_iter().find(|policy| policy.as_str() == name)
    }
}

impl TaskState {
    const ALL: [Self; 6] =
        [Self::Requested, Self::Accepted, Self::Rejected, Self::Expired, Self::Unconfirmed, Self::Withdrawn];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Unconfirmed => "unconfirmed",
            Self::Withdrawn => "withdrawn",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl PartnerTask {
    /// A task of nobody's fulfilment and nobody's saga, for which no method was chosen yet.
    pub fn new(
        integration: IntegrationKey,
        external_number: String,
        ask: Ask,
        units: i64,
        now: Timestamp,
    ) -> Self {
        Self {
            fulfilment_id: None,
            integration,
            external_number,
            saga_id: String::new(),
            ask,
            partner_reason: String::new(),
            units,
            state: TaskState::Requested,
            method_index: 0,
            method: Method::ManualPortal,
            address: String::new(),
            confirmation_required: true,
            sent: false,
            deadline_at: now,
            requested_at: now,
            answered_at: None,
            answered_by: String::new(),
            detail: String::new(),
            answer: String::new(),
            shipped_after_cancel: false,
            due_at: 0,
            tries: 0,
        }
    }

    /// It went on by another way because its connector is unusable.
    pub fn has_lost_its_program(&self) -> bool {
        self.detail.starts_with(UNUSABLE)
    }

    pub fn is_of_cart(&self) -> bool {
        self.fulfilment_id.is_none()
    }

    pub fn fulfilment(&self) -> &str {
        self.fulfilment_id.as_ref().map_or("", FulfilmentId::as_str)
    }

    /// The saga whose step waits for the word, if one does.
    pub fn waiting_saga(&self) -> Option<&str> {
        (!self.saga_id.is_empty()).then_some(self.saga_id.as_str())
    }

    /// Somebody has to call, use a portal, or follow up: only a program that is being asked needs nobody.
    pub fn needs_person(&self) -> bool {
        match self.state {
            TaskState::Unconfirmed => true,
            TaskState::Requested => self.method != Method::Api || self.sent,
            TaskState::Accepted | TaskState::Rejected | TaskState::Expired | TaskState::Withdrawn => false,
        }
    }

    /// Waits to be sent by a program.
    pub fn is_to_be_sent(&self) -> bool {
        self.state == TaskState::Requested && self.method == Method::Api && !self.sent
    }

    /// Goes on by this method. Its deadline counts from now.
    pub fn use_method(&mut self, index: usize, profile: &MethodProfile, now: Timestamp) {
        let deadline = now.plus(Duration::from_secs(profile.deadline_seconds().into()));
        self.method_index = index;
        self.method = profile.method;
        self.address.clone_from(&profile.address);
        self.deadline_at = deadline;
        self.tries = 0;
        // A mail is handed over in the same commit; all but a program's call only waits from here on.
        self.sent = profile.method == Method::Email && !profile.address.is_empty();
        self.due_at = if profile.method == Method::Api { now.unix_micros() } else { deadline.unix_micros() };
    }

    pub(super) fn end(&mut self, state: TaskState, by: &str, detail: &str, now: Timestamp) {
        self.state = state;
        self.answered_at = Some(now);
        by.clone_into(&mut self.answered_by);
        if !detail.is_empty() {
            detail.clone_into(&mut self.detail);
        }
        self.due_at = 0;
    }

    /// The change goes on without the word, which is still wanted: somebody is reminded of it once.
    pub(super) fn go_on_without_word(&mut self, now: Timestamp) {
        let waited = self.deadline_at.since(self.requested_at);
        self.end(TaskState::Unconfirmed, "system", "no word by the deadline", now);
        self.due_at = now.plus(waited.max(REMINDER_MIN)).unix_micros();
    }

    /// The time of the reminder has come; there is no other.
    pub(super) fn remind(&mut self, now: Timestamp) -> bool {
        let is_due =
            self.state == TaskState::Unconfirmed && self.due_at != 0 && self.due_at <= now.unix_micros();
        if is_due {
            self.due_at = 0;
        }
        is_due
    }
}

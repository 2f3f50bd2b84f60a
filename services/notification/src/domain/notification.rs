//! A message on its way through one channel: what is stored.

use types::{ChangeOrderId, EventId, NotificationId, OrderId, Timestamp};

use super::event::Event;
use super::message::{Audience, Message};

/// The template is text here: what was told stays readable when a template is retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    pub notification_id: NotificationId,
    pub event_id: EventId,
    pub order_id: Option<OrderId>,
    pub change_order_id: Option<ChangeOrderId>,
    pub template: String,
    pub audience: Audience,
    pub channel: Channel,
    pub state: State,
    pub subject: String,
    pub body: String,
    /// The trace of the request that caused it all.
    pub traceparent: Option<String>,
    pub created_at: Timestamp,
    /// What it goes by of what is owed; none in a message that names no such thing.
    pub owed: Option<GoesBy>,
}

/// What is owed to the customer, and under which number the payment service told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoesBy {
    pub minor: i64,
    pub sequence: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// The list that `NotificationService` shows. Standing in it is being sent.
    Inbox,
    /// One structured log line, for whatever reads the logs.
    Log,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Enqueued,
    Sent { at: Timestamp },
}

/// Where a notification comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    pub event_id: &'a EventId,
    pub event: &'a Event,
    pub traceparent: Option<&'a str>,
    pub at: Timestamp,
}

impl Notification {
    pub fn new(id: NotificationId, origin: Origin<'_>, message: &Message, channel: Channel) -> Self {
        let state = match channel {
            Channel::Inbox => State::Sent { at: origin.at },
            Channel::Log => State::Enqueued,
        };
        Self {
            notification_id: id,
            event_id: origin.event_id.clone(),
            order_id: origin.event.order_id().cloned(),
            change_order_id: origin.event.change_order_id().cloned(),
            template: message.template.as_str().to_owned(),
            audience: message.audience,
            channel,
            state,
            subject: message.subject.clone(),
            body: message.body.clone(),
            traceparent: origin.traceparent.map(str::to_owned),
            created_at: origin.at,
            owed: origin.event.owed(),
        }
    }
}

impl Channel {
    pub const ALL: [Self; 2] = [Self::Inbox, Self::Log];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Log => "log",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == text)
    }
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enqueued => "enqueued",
            Self::Sent { .. } => "sent",
        }
    }

    pub const fn sent_at(self) -> Option<Timestamp> {
        match self {
            Self::Enqueued => None,
            Self::Sent { at } => Some(at),
        }
    }
}

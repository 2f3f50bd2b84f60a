//! The one writing use case: an event is taken in and its messages stand, in one commit.

use std::sync::Arc;

use storage::{Batch, DbError, Delivery, Envelope, Inbox, Tx};
use tokio::sync::Notify;
use types::{Clock, Ids};

use crate::domain::{self, Channel, Event, Notification, Origin};
use crate::store::notifications::{self, Owned};

/// An event as it came, with its meaning.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub envelope: Envelope,
    /// None for an event that this version cannot read: it waits, and its aggregate with it, until one that can is
    /// deployed. Taking it in unread would lose what it tells.
    pub event: Option<Event>,
}

/// Events of one aggregate in the order they were delivered: one command, so that the group commit orders runs of the
/// same aggregate and mixes all others.
#[derive(Debug, Clone)]
pub struct Run(pub Vec<Arrival>);

/// What decides a batch of runs.
pub struct Intake {
    pub clock: Clock,
    pub ids: Ids,
    /// Wakes the courier.
    pub enqueued: Arc<Notify>,
}

impl Batch for Intake {
    type Command = Run;
    type Reply = Vec<Delivery>;

    fn key(Run(arrivals): &Run) -> String {
        arrivals.first().map(|arrival| aggregate(&arrival.envelope)).unwrap_or_default()
    }

    async fn decide(&self, tx: &mut Tx, runs: &[Run]) -> Result<Vec<Vec<Delivery>>, DbError> {
        let envelopes: Vec<Envelope> =
            runs.iter().flat_map(|Run(arrivals)| arrivals).map(|arrival| arrival.envelope.clone()).collect();
        let mut inbox = Inbox::load(tx, &envelopes).await?;
        let mut told = Vec::new();
        let replies = runs
            .iter()
            .map(|Run(arrivals)| {
                arrivals.iter().map(|arrival| self.take_in(&mut inbox, &mut told, arrival)).collect()
            })
            .collect();
        inbox.flush(tx).await?;
        notifications::insert(tx, &told).await?;
        Ok(replies)
    }

    fn committed(&self, _runs: &[Run], replies: &[Vec<Delivery>]) {
        if replies.iter().flatten().any(|delivery| *delivery == Delivery::Accepted) {
            self.enqueued.notify_one();
        }
    }
}

impl Intake {
    fn take_in(&self, inbox: &mut Inbox, told: &mut Vec<Owned>, arrival: &Arrival) -> Delivery {
        let envelope = &arrival.envelope;
        match inbox.admit(envelope) {
            storage::Intake::Duplicate => return Delivery::Duplicate,
            storage::Intake::Later => return Delivery::Later,
            storage::Intake::New => {}
        }
        let Some(event) = &arrival.event else { return Delivery::Later };
        inbox.accept(envelope);
        let origin = Origin {
            event_id: &envelope.event_id,
            event,
            traceparent: envelope.traceparent.as_deref(),
            at: self.clock.now(),
        };
        for message in domain::messages(event) {
            for channel in Channel::ALL {
                let notification = Notification::new(self.ids.mint(), origin, &message, channel);
                told.push(Owned { tenant: envelope.tenant.clone(), notification });
            }
        }
        Delivery::Accepted
    }
}

/// Names the stream of events whose order matters. No part of it holds the separator: tenants and ids have their
/// alphabets, and the service names and aggregate types are our own.
pub fn aggregate(envelope: &Envelope) -> String {
    let Envelope { tenant, source, aggregate_type, aggregate_id, .. } = envelope;
    format!("{tenant}\u{1f}{source}\u{1f}{aggregate_type}\u{1f}{aggregate_id}")
}

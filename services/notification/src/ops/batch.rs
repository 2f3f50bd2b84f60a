//! The one writing use case: an event is taken in and its messages stand, in one commit.

use std::sync::Arc;

use storage::{Batch, DbError, Delivery, Envelope, Inbox, Tx};
use types::{Clock, Ids};

use super::courier::{Handing, Told};
use crate::domain::{self, Channel, Event, Notification, Origin, State};
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
    /// The way to the courier.
    pub handing: Handing,
}

/// How a run was taken in, and what of it the courier has to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub deliveries: Vec<Delivery>,
    pub to_write: Told,
}

impl Batch for Intake {
    type Command = Run;
    type Reply = Taken;

    fn key(Run(arrivals): &Run) -> String {
        arrivals.first().map(|arrival| aggregate(&arrival.envelope)).unwrap_or_default()
    }

    async fn decide(&self, tx: &mut Tx, runs: &[Run]) -> Result<Vec<Taken>, DbError> {
        let envelopes: Vec<Envelope> =
            runs.iter().flat_map(|Run(arrivals)| arrivals).map(|arrival| arrival.envelope.clone()).collect();
        let mut inbox = Inbox::load(tx, &envelopes).await?;
        let mut all = Vec::new();
        let mut replies = Vec::with_capacity(runs.len());
        for Run(arrivals) in runs {
            let before = all.len();
            let deliveries =
                arrivals.iter().map(|arrival| self.take_in(&mut inbox, &mut all, arrival)).collect();
            let waits = |owned: &&Owned| owned.notification.state == State::Enqueued;
            let to_write = Arc::new(all[before..].iter().filter(waits).cloned().collect());
            replies.push(Taken { deliveries, to_write });
        }
        inbox.flush(tx).await?;
        notifications::insert(tx, &self.handing.token, &all).await?;
        Ok(replies)
    }

    fn committed(&self, _runs: &[Run], replies: &[Taken]) {
        for reply in replies {
            self.handing.hand(&reply.to_write);
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

//! The one writing use case: an event is taken in and its messages stand, in one commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use storage::{Batch, DbError, Delivery, Envelope, Inbox, Tx};
use tokio::sync::Notify;
use types::{Clock, Ids, Money, OrderId, Tenant};

use super::addressing::{self, AddressBook, Addressed, Outgoing};
use super::alarms::{self, Alarm};
use super::courier::{Handing, Told};
use super::webhook_courier::{About, Subscriptions};
use crate::domain::{
    self, Audience, Channel, DeliveryState, Event, Message, Notification, Origin, Recipient, Scope, State,
};
use crate::store::addresses::{self, Party, Subject};
use crate::store::deliveries::{self, Claimed};
use crate::store::notifications::{self, Owned};
use crate::store::owed::{self, OwedOrder};

/// How long an event that cannot be read waits for a newer version of this service, from when it happened: as long as one
/// deployment takes.
const UNREAD_WAITS: Duration = Duration::from_mins(10);

/// An event as it came, with its meaning.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub envelope: Envelope,
    /// Or why this version cannot read it: then it waits a while, and its aggregate with it, for one that can.
    pub event: Result<Event, String>,
    pub noted: Noted,
}

/// What an event says beside what it tells: kept, so that later mails find their people and digests their sums.
#[derive(Debug, Clone, Default)]
pub struct Noted {
    /// The organisations of an order that was placed.
    pub parties: Vec<(Audience, String)>,
    /// What the order is owed now, when the event has changed it.
    pub owed: Option<(OrderId, Money)>,
    /// The mail address of whoever ordered, and as whom they are told.
    pub contact: Option<(Audience, String)>,
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
    /// Mails are made; off, nobody is looked up.
    pub mails: bool,
    /// Wakes the workers of the channels that leave the house.
    pub queued: Arc<Notify>,
}

/// How a run was taken in, and what of it the courier has to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub deliveries: Vec<Delivery>,
    pub to_write: Told,
    /// Whether something waits to leave the house.
    pub queued: bool,
}

/// Everything a batch takes in.
#[derive(Default)]
struct Taking<'a> {
    told: Vec<Owned>,
    outgoing: Vec<Outgoing<'a>>,
    letters: Vec<Addressed<'a>>,
    parties: Vec<Party>,
    contacts: Vec<(Tenant, Recipient)>,
    owed: BTreeMap<(Tenant, OrderId), OwedOrder>,
    subscriptions: Subscriptions,
    posts: Vec<Claimed>,
    alarms: Vec<Alarm>,
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
        let subscriptions = Subscriptions::load(tx, &envelopes).await?;
        let mut taking = Taking { subscriptions, ..Taking::default() };
        let mut replies = Vec::with_capacity(runs.len());
        for Run(arrivals) in runs {
            let before = taking.told.len();
            let deliveries =
                arrivals.iter().map(|arrival| self.take_in(&mut inbox, &mut taking, arrival)).collect();
            let waits = |owned: &&Owned| owned.notification.state == State::Enqueued;
            let to_write = Arc::new(taking.told[before..].iter().filter(waits).cloned().collect());
            replies.push(Taken { deliveries, to_write, queued: false });
        }
        inbox.flush(tx).await?;
        notifications::insert(tx, &self.handing.token, &taking.told).await?;
        let queued = self.send_out(tx, taking).await?;
        for reply in &mut replies {
            reply.queued = queued;
        }
        Ok(replies)
    }

    fn committed(&self, _runs: &[Run], replies: &[Taken]) {
        for reply in replies {
            self.handing.hand(&reply.to_write);
        }
        if replies.iter().any(|reply| reply.queued) {
            self.queued.notify_waiters();
        }
    }
}

impl Intake {
    fn take_in<'a>(&self, inbox: &mut Inbox, taking: &mut Taking<'a>, arrival: &'a Arrival) -> Delivery {
        let envelope = &arrival.envelope;
        match inbox.admit(envelope) {
            storage::Intake::Duplicate => return Delivery::Duplicate,
            storage::Intake::Later => return Delivery::Later,
            storage::Intake::New => {}
        }
        let event = match &arrival.event {
            Ok(event) => event,
            Err(_) if self.clock.now() < envelope.occurred_at.plus(UNREAD_WAITS) => return Delivery::Later,
            Err(why) => return self.pass_by(inbox, taking, arrival, why),
        };
        inbox.accept(envelope);
        let origin = Origin {
            event_id: &envelope.event_id,
            event,
            traceparent: envelope.traceparent.as_deref(),
            at: self.clock.now(),
        };
        let messages = domain::messages(event);
        for message in &messages {
            for channel in Channel::ALL {
                let notification = Notification::new(self.ids.mint(), origin, message, channel);
                taking.told.push(Owned { tenant: envelope.tenant.clone(), notification });
            }
        }
        self.note(taking, envelope, event.order_id(), &arrival.noted);
        self.mail(taking, envelope, event, &messages);
        if let Event::PartnerToMail { letter } = event
            && self.mails
        {
            taking.letters.push(Addressed { envelope, letter });
        }
        // Whom we write to is nobody else's affair.
        if !matches!(event, Event::ContactNamed { .. }) {
            let about = About::of(event, origin.at);
            taking.posts.extend(taking.subscriptions.deliveries(&self.ids, envelope, about));
        }
        Delivery::Accepted
    }

    /// Takes in what nobody here understands: holding up what comes behind it for ever would help nobody. Its figures and
    /// its webhooks need no understanding; people are not told of it, and one of ours is asked to look.
    fn pass_by(&self, inbox: &mut Inbox, taking: &mut Taking<'_>, arrival: &Arrival, why: &str) -> Delivery {
        let Arrival { envelope, noted, .. } = arrival;
        tracing::error!(event_id = %envelope.event_id, kind = envelope.kind, why, "an event was passed by unread");
        inbox.accept(envelope);
        let order_id = OrderId::parse(&envelope.aggregate_id).ok();
        self.note(taking, envelope, order_id.as_ref(), noted);
        let about = About { order_id: order_id.as_ref(), change_order_id: None, at: self.clock.now() };
        taking.posts.extend(taking.subscriptions.deliveries(&self.ids, envelope, about));
        taking.alarms.push(Alarm::unread(&self.ids, envelope, why));
        Delivery::Accepted
    }

    fn note(&self, taking: &mut Taking<'_>, envelope: &Envelope, order_id: Option<&OrderId>, noted: &Noted) {
        let tenant = &envelope.tenant;
        if let Some((order_id, amount)) = &noted.owed {
            let order =
                OwedOrder { order_id: order_id.clone(), amount: *amount, changed_at: self.clock.now() };
            taking.owed.insert((tenant.clone(), order_id.clone()), order);
        }
        let Some(order_id) = order_id else { return };
        taking.contacts.extend(noted.contact.iter().map(|(audience, address)| {
            let recipient = Recipient {
                scope: Scope::Order(order_id.to_string()),
                audience: *audience,
                address: address.clone(),
                name: String::new(),
                locale: None,
                is_active: true,
                changed_at: self.clock.now(),
            };
            (tenant.clone(), recipient)
        }));
        taking.parties.extend(noted.parties.iter().map(|(audience, organisation)| Party {
            tenant: tenant.clone(),
            order_id: order_id.clone(),
            audience: *audience,
            organisation: organisation.clone(),
        }));
    }

    fn mail<'a>(
        &self,
        taking: &mut Taking<'a>,
        envelope: &'a Envelope,
        event: &'a Event,
        messages: &[Message],
    ) {
        if self.mails {
            let mails = domain::mails(event, messages);
            if !mails.is_empty() {
                taking.outgoing.push(Outgoing { envelope, event, mails });
            }
        }
    }

    /// Writes what the batch noted and sends out, and tells whether anything waits to leave the house.
    async fn send_out(&self, tx: &mut Tx, taking: Taking<'_>) -> Result<bool, DbError> {
        addresses::put_parties(tx, &taking.parties).await?;
        addresses::put_contacts(tx, &taking.contacts).await?;
        let owed: Vec<(Tenant, OwedOrder)> =
            taking.owed.into_iter().map(|((tenant, _), order)| (tenant, order)).collect();
        owed::put(tx, &owed).await?;
        let subjects: BTreeSet<Subject> =
            taking.outgoing.iter().map(|it| addressing::subject(it.envelope, it.event)).collect();
        let book = AddressBook::load(tx, &subjects, &taking.letters).await?;
        let at = self.clock.now();
        let mails = taking.outgoing.iter().flat_map(|it| addressing::deliveries(it, &book, &self.ids, at));
        let letters = taking.letters.iter().map(|letter| letter.delivery(&book, &self.ids, at));
        let new: Vec<Claimed> = mails.chain(letters).chain(taking.posts).collect();
        deliveries::insert(tx, &new).await?;
        alarms::tell(tx, &taking.alarms, at).await?;
        Ok(new.iter().any(|claimed| claimed.delivery.progress.state == DeliveryState::Queued))
    }
}

/// Names the stream of events whose order matters. No part of it holds the separator: tenants and ids have their
/// alphabets, and the service names and aggregate types are our own.
pub fn aggregate(envelope: &Envelope) -> String {
    let Envelope { tenant, source, aggregate_type, aggregate_id, .. } = envelope;
    format!("{tenant}\u{1f}{source}\u{1f}{aggregate_type}\u{1f}{aggregate_id}")
}

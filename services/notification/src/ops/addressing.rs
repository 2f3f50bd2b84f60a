//! From the mails of a batch of events to deliveries: who stands behind each audience, what they want, and who is told
//! nothing more. All of it is read for the whole batch at once.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Envelope, Tx};
use types::{Ids, Tenant, Timestamp};

use crate::domain::{
    self as domain, Audience, Choice, Delivery, Event, Letter, Mail, MailTemplate, Outlet, Preference,
    Progress, Recipient, Scope, choose,
};
use crate::store::addresses::{self, Subject};
use crate::store::deliveries::Claimed;
use crate::store::suppressions::{self, Key, Suppression};

/// What one event mails, before it is addressed.
#[derive(Debug)]
pub struct Outgoing<'a> {
    pub envelope: &'a Envelope,
    pub event: &'a Event,
    pub mails: Vec<Mail>,
}

/// Everything that addressing looks up.
#[derive(Debug, Default)]
pub struct AddressBook {
    recipients: BTreeMap<Subject, Vec<Recipient>>,
    preferences: BTreeMap<Tenant, Vec<Preference>>,
    suppressed: BTreeMap<Key, Suppression>,
}

impl AddressBook {
    /// One statement when there is nobody to mail, three when there is.
    pub async fn load(
        tx: &mut Tx,
        subjects: &BTreeSet<Subject>,
        addressed: &[Addressed<'_>],
    ) -> Result<Self, DbError> {
        let subjects: Vec<Subject> = subjects.iter().cloned().collect();
        let mut book = Self::default();
        for (subject, recipient) in addresses::of_subjects(tx, &subjects).await? {
            book.recipients.entry(subject).or_default().push(recipient);
        }
        if book.recipients.is_empty() && addressed.is_empty() {
            return Ok(book);
        }
        let mut wanted = BTreeSet::new();
        let mut keys: BTreeSet<Key> = addressed
            .iter()
            .map(|it| (it.envelope.tenant.clone(), Outlet::Email, it.letter.address.clone()))
            .collect();
        for ((tenant, _), recipients) in &mut book.recipients {
            recipients.sort_unstable();
            for recipient in recipients.iter() {
                wanted.insert((tenant.clone(), recipient.audience, String::new()));
                wanted.insert((tenant.clone(), recipient.audience, recipient.address.clone()));
                keys.insert((tenant.clone(), Outlet::Email, recipient.address.clone()));
            }
        }
        let wanted: Vec<(Tenant, Audience, String)> = wanted.into_iter().collect();
        for (tenant, preference) in addresses::preferences_of(tx, &wanted).await? {
            book.preferences.entry(tenant).or_default().push(preference);
        }
        let keys: Vec<Key> = keys.into_iter().collect();
        book.suppressed = suppressions::active(tx, &keys).await?;
        Ok(book)
    }

    /// Everybody of an audience who is mailed for a subject.
    pub fn recipients(&self, subject: &Subject, audience: Audience) -> impl Iterator<Item = &Recipient> {
        let all = self.recipients.get(subject).map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(move |recipient| recipient.audience == audience)
    }

    pub fn choice(&self, tenant: &Tenant, recipient: &Recipient, template: &str) -> Choice {
        let preferences = self.preferences.get(tenant).map(Vec::as_slice).unwrap_or_default();
        choose(preferences, recipient, template)
    }

    /// How a delivery begins: queued, or suppressed with the reason.
    pub fn beginning(
        &self,
        tenant: &Tenant,
        recipient: &Recipient,
        choice: Choice,
        at: Timestamp,
    ) -> Progress {
        let key = (tenant.clone(), Outlet::Email, recipient.address.clone());
        if let Some(suppression) = self.suppressed.get(&key) {
            let why = format!("{}: {}", suppression.cause.as_str(), suppression.detail);
            return Progress::suppressed(&why, at);
        }
        if choice.email { Progress::queued() } else { Progress::suppressed("preference: mail is off", at) }
    }
}

/// A letter to an outsider, at the address that its profile names.
#[derive(Debug, Clone, Copy)]
pub struct Addressed<'a> {
    pub envelope: &'a Envelope,
    pub letter: &'a Letter,
}

impl Addressed<'_> {
    pub fn delivery(&self, book: &AddressBook, ids: &Ids, at: Timestamp) -> Claimed {
        let Self { envelope, letter } = self;
        let tenant = &envelope.tenant;
        let recipient = Recipient {
            scope: Scope::Order(letter.order_id.to_string()),
            audience: Audience::Supplier,
            address: letter.address.clone(),
            name: String::new(),
            locale: None,
            is_active: true,
            changed_at: at,
        };
        let template = MailTemplate::PartnerRequest.as_str();
        let choice = Choice { email: true, ..book.choice(tenant, &recipient, template) };
        let delivery = Delivery {
            delivery_id: ids.mint(),
            event_id: envelope.event_id.clone(),
            outlet: Outlet::Email,
            audience: Audience::Supplier,
            template: template.to_owned(),
            locale: choice.locale.as_str().to_owned(),
            order_id: Some(letter.order_id.clone()),
            change_order_id: letter.change_order_id.clone(),
            stream: stream(&letter.address, letter.order_id.as_str()),
            payload: domain::letter(letter).to_string(),
            traceparent: envelope.traceparent.clone(),
            progress: book.beginning(tenant, &recipient, choice, at),
            created_at: at,
            recipient: recipient.address,
        };
        Claimed { tenant: tenant.clone(), delivery }
    }
}

/// The subject of an envelope's event: its order, or nothing.
pub fn subject(envelope: &Envelope, event: &Event) -> Subject {
    (envelope.tenant.clone(), event.order_id().map_or_else(String::new, ToString::to_string))
}

/// The deliveries of one event: each address once, for the first audience it stands in.
pub fn deliveries(outgoing: &Outgoing<'_>, book: &AddressBook, ids: &Ids, at: Timestamp) -> Vec<Claimed> {
    let Outgoing { envelope, event, mails } = outgoing;
    let subject = subject(envelope, event);
    let (tenant, order) = &subject;
    let mut told = BTreeSet::new();
    let mut deliveries = Vec::new();
    for audience in Audience::ALL {
        for mail in mails.iter().filter(|mail| mail.audience == audience) {
            let payload = mail.facts.to_string();
            for recipient in book.recipients(&subject, audience) {
                if !told.insert(recipient.address.as_str()) {
                    continue;
                }
                let choice = book.choice(tenant, recipient, mail.template.as_str());
                let delivery = Delivery {
                    delivery_id: ids.mint(),
                    event_id: envelope.event_id.clone(),
                    outlet: Outlet::Email,
                    recipient: recipient.address.clone(),
                    audience,
                    template: mail.template.as_str().to_owned(),
                    locale: choice.locale.as_str().to_owned(),
                    order_id: event.order_id().cloned(),
                    change_order_id: event.change_order_id().cloned(),
                    stream: stream(&recipient.address, order),
                    payload: payload.clone(),
                    traceparent: envelope.traceparent.clone(),
                    progress: book.beginning(tenant, recipient, choice, at),
                    created_at: at,
                };
                deliveries.push(Claimed { tenant: tenant.clone(), delivery });
            }
        }
    }
    deliveries
}

/// What a person is told of one order arrives in order.
fn stream(address: &str, order: &str) -> String {
    if order.is_empty() { String::new() } else { format!("email {order} {address}") }
}

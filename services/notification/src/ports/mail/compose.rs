//! From a delivery to the bytes of a mail. The same delivery makes the same Message-ID and date every time.

use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::address::{AddressError, Envelope};
use lettre::message::{Mailbox, MultiPart};
use types::{Fingerprint, Tenant};

use crate::domain::{Delivery, Locale, MailTemplate, Renderer, Unrenderable};

/// A mail ready to be sent.
#[derive(Debug)]
pub struct Composed {
    pub envelope: Envelope,
    pub message_id: String,
    pub bytes: Vec<u8>,
}

/// Why no mail can be made of a delivery. No repeat helps.
#[derive(Debug, thiserror::Error)]
pub enum Uncomposable {
    #[error("{0:?} is no template of this version")]
    Template(String),
    #[error("{0:?} is no locale of this version")]
    Locale(String),
    #[error("the facts cannot be read: {0}")]
    Facts(#[from] serde_json::Error),
    #[error(transparent)]
    Unrenderable(#[from] Unrenderable),
    #[error("the address {address:?} cannot be used: {problem}")]
    Address { address: String, problem: AddressError },
    #[error("composing the mail: {0}")]
    Mail(#[from] lettre::error::Error),
}

/// Names a message to one recipient of one event, so that a repeat has the same name.
pub fn message_id(domain: &str, tenant: &Tenant, delivery: &Delivery) -> String {
    let parts = [tenant.as_str(), delivery.event_id.as_str(), delivery.outlet.as_str(), &delivery.recipient];
    let digest = Fingerprint::of(&parts.map(str::as_bytes));
    format!("<{}@{domain}>", &digest.as_str()[..40])
}

pub fn compose(
    renderer: &Renderer,
    from: &Mailbox,
    domain: &str,
    tenant: &Tenant,
    delivery: &Delivery,
) -> Result<Composed, Uncomposable> {
    let template = MailTemplate::parse(&delivery.template)
        .ok_or_else(|| Uncomposable::Template(delivery.template.clone()))?;
    let locale =
        Locale::parse(&delivery.locale).ok_or_else(|| Uncomposable::Locale(delivery.locale.clone()))?;
    let mail = renderer.render(template, locale, &serde_json::from_str(&delivery.payload)?)?;
    let address = delivery
        .recipient
        .parse()
        .map_err(|problem| Uncomposable::Address { address: delivery.recipient.clone(), problem })?;
    let message_id = message_id(domain, tenant, delivery);
    let micros = u64::try_from(delivery.created_at.unix_micros()).unwrap_or_default();
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, address))
        .subject(mail.subject)
        .message_id(Some(message_id.clone()))
        .date(SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
        .multipart(MultiPart::alternative_plain_html(mail.text, mail.html))?;
    Ok(Composed { envelope: message.envelope().clone(), message_id, bytes: message.formatted() })
}

//! The e-mail channel: a mail is composed from its template and the delivery's facts, and handed to an SMTP server or
//! written as a file.
//!
//! SMTP has no key by which a server tells a repeat. A mail that is sent again after a crash therefore bears the same
//! Message-ID, by which mail programs fold the two, and [`crate::domain::Delivery`] sees to it that it is sent again
//! once at most.

mod compose;
mod sink;
mod smtp;

use lettre::message::Mailbox;
use types::Tenant;

use crate::config::{Mail, MailMode};
use crate::domain::{Delivery, Outcome, Outlet, Renderer};
use crate::ports::Carrier;

pub use compose::{Composed, Uncomposable, compose, message_id};
pub use smtp::Smtp;

/// The e-mail channel as it is configured. Off, there is none, and nobody is mailed.
pub struct Mailer {
    from: Mailbox,
    domain: String,
    way: Way,
}

enum Way {
    Smtp(Smtp),
    File(sink::Sink),
}

/// The mail section cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MailConfigError {
    #[error("mail.from is not an address: {0}")]
    From(#[from] lettre::address::AddressError),
    #[error("mail.host is empty")]
    NoHost,
    #[error("mail.tls = \"none\" sends mail in the clear, which only a loopback host may be sent")]
    Plaintext,
    #[error("mail.timeout_seconds is {0}; it is between 1 and 30, so that a claim outlives a try")]
    Timeout(u64),
    #[error("reading {}: {problem}", path.display())]
    File { path: std::path::PathBuf, problem: std::io::Error },
    #[error("the parameters of TLS: {0}")]
    Tls(lettre::transport::smtp::Error),
}

impl Mailer {
    /// None when mail is off.
    pub fn new(config: &Mail) -> Result<Option<Self>, MailConfigError> {
        let way = match config.mode {
            MailMode::Off => return Ok(None),
            MailMode::File => Way::File(sink::Sink::new(config.directory.clone())),
            MailMode::Smtp => Way::Smtp(Smtp::new(config)?),
        };
        let from: Mailbox = config.from.parse()?;
        let domain = match config.message_id_domain.as_str() {
            "" => from.email.domain().to_owned(),
            own => own.to_owned(),
        };
        Ok(Some(Self { from, domain, way }))
    }
}

impl Carrier for Mailer {
    const OUTLET: Outlet = Outlet::Email;

    async fn carry(&self, tenant: &Tenant, delivery: &Delivery) -> Outcome {
        let composed = match compose(Renderer::embedded(), &self.from, &self.domain, tenant, delivery) {
            Ok(composed) => composed,
            Err(problem) => return Outcome::Never { why: problem.to_string(), suppress: None },
        };
        match &self.way {
            Way::Smtp(smtp) => smtp.send(&composed).await,
            Way::File(sink) => sink.write(&composed).await,
        }
    }
}

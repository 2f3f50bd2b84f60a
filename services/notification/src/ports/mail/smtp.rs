//! SMTP, phase by phase, because what an error means depends on when it came: before the message was sent nothing has
//! arrived, and between the message and its answer nobody knows.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kit::secret_file;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Noop, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;

use super::MailConfigError;
use super::compose::Composed;
use crate::config::{Mail, MailTls};
use crate::domain::{Outcome, SuppressionCause};

/// Answers to a recipient's address that mean there is nobody: whoever is not there will not be there later.
const NOBODY: [u16; 4] = [550, 551, 553, 556];
const TIMEOUT_SECONDS_MAX: u64 = 30;

pub struct Smtp {
    host: String,
    port: u16,
    tls: MailTls,
    parameters: Option<TlsParameters>,
    credentials: Option<Credentials>,
    hello: ClientId,
    timeout: Duration,
    idle_max: usize,
    idle: Mutex<Vec<AsyncSmtpConnection>>,
}

/// How far a mail came before it failed.
enum Trouble {
    /// The connection; nothing of the mail was said.
    Connection(Error),
    /// The server's greeting or its policy refuses us.
    Sender(Error),
    Recipient(Error),
    /// The message itself, from its first byte on.
    Message(Error),
}

impl Smtp {
    pub fn new(config: &Mail) -> Result<Self, MailConfigError> {
        if config.host.is_empty() {
            return Err(MailConfigError::NoHost);
        }
        if !(1..=TIMEOUT_SECONDS_MAX).contains(&config.timeout_seconds) {
            return Err(MailConfigError::Timeout(config.timeout_seconds));
        }
        let loopback = config.host == "localhost"
            || config.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let parameters = match config.tls {
            MailTls::None if !loopback => return Err(MailConfigError::Plaintext),
            MailTls::None => None,
            MailTls::Starttls | MailTls::Implicit => Some(tls_parameters(config)?),
        };
        let credentials = match &config.password_file {
            None => None,
            Some(path) => {
                let password = secret_file::read_text(path)
                    .map_err(|problem| MailConfigError::File { path: path.clone(), problem })?;
                Some(Credentials::new(config.username.clone(), password.trim_end().to_owned()))
            }
        };
        Ok(Self {
            host: config.host.clone(),
            port: config.port,
            tls: config.tls,
            parameters,
            credentials,
            hello: ClientId::default(),
            timeout: Duration::from_secs(config.timeout_seconds),
            idle_max: config.connections_idle_max,
            idle: Mutex::default(),
        })
    }

    /// Sends a mail to its one recipient.
    pub async fn send(&self, mail: &Composed) -> Outcome {
        let opened = tokio::time::timeout(self.timeout, self.open(mail)).await;
        let mut connection = match opened {
            Err(_) => return later("the server did not answer in time".to_owned()),
            Ok(Err(trouble)) => return outcome_of(trouble),
            Ok(Ok(connection)) => connection,
        };
        match tokio::time::timeout(self.timeout, connection.message(&mail.bytes)).await {
            // The message is out, and whether it arrived is not known.
            Err(_) => Outcome::Unknown { why: "the server did not answer to the message in time".to_owned() },
            Ok(Err(problem)) => outcome_of(Trouble::Message(problem)),
            Ok(Ok(answer)) => {
                self.put_back(connection);
                Outcome::Taken { provider_id: Some(line(&answer)) }
            }
        }
    }

    /// A connection on which the server waits for the message.
    async fn open(&self, mail: &Composed) -> Result<AsyncSmtpConnection, Trouble> {
        let mut connection = self.connection().await.map_err(Trouble::Connection)?;
        let mut parameters = Vec::new();
        if connection.server_info().supports_feature(Extension::EightBitMime) {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let from = MailFrom::new(mail.envelope.from().cloned(), parameters);
        connection.command(from).await.map_err(Trouble::Sender)?;
        for to in mail.envelope.to() {
            if let Err(problem) = connection.command(Rcpt::new(to.clone(), Vec::new())).await {
                if problem.status().is_some() && connection.command(Rset).await.is_ok() {
                    self.put_back(connection);
                }
                return Err(Trouble::Recipient(problem));
            }
        }
        connection.command(Data).await.map_err(Trouble::Sender)?;
        Ok(connection)
    }

    async fn connection(&self) -> Result<AsyncSmtpConnection, Error> {
        while let Some(mut idle) = self.take() {
            if idle.command(Noop).await.is_ok() {
                return Ok(idle);
            }
        }
        let wrapped = match self.tls {
            MailTls::Implicit => self.parameters.clone(),
            MailTls::None | MailTls::Starttls => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.timeout), &self.hello, wrapped, None)
                .await?;
        if let (MailTls::Starttls, Some(parameters)) = (self.tls, &self.parameters) {
            connection.starttls(parameters.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    fn take(&self) -> Option<AsyncSmtpConnection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put_back(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.idle_max && !connection.has_broken() {
            idle.push(connection);
        }
    }
}

fn tls_parameters(config: &Mail) -> Result<TlsParameters, MailConfigError> {
    let mut parameters = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca_file {
        let pem =
            std::fs::read(path).map_err(|problem| MailConfigError::File { path: path.clone(), problem })?;
        parameters =
            parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(MailConfigError::Tls)?);
    }
    parameters.build_rustls().map_err(MailConfigError::Tls)
}

fn outcome_of(trouble: Trouble) -> Outcome {
    match trouble {
        Trouble::Connection(problem) => later(format!("reaching the mail server: {}", told(&problem))),
        Trouble::Sender(problem) if problem.is_permanent() => {
            Outcome::Never { why: format!("the server refuses the mail: {}", told(&problem)), suppress: None }
        }
        Trouble::Sender(problem) => later(format!("offering the mail: {}", told(&problem))),
        Trouble::Recipient(problem) if problem.is_permanent() => {
            let nobody = problem.status().is_some_and(|code| NOBODY.contains(&u16::from(code)));
            Outcome::Never {
                why: format!("the server refuses the recipient: {}", told(&problem)),
                suppress: nobody.then_some(SuppressionCause::HardBounce),
            }
        }
        Trouble::Recipient(problem) => later(format!("naming the recipient: {}", told(&problem))),
        Trouble::Message(problem) if problem.is_permanent() => Outcome::Never {
            why: format!("the server refuses the message: {}", told(&problem)),
            suppress: None,
        },
        Trouble::Message(problem) if problem.is_transient() => {
            later(format!("sending the message: {}", told(&problem)))
        }
        Trouble::Message(problem) => {
            Outcome::Unknown { why: format!("the connection broke after the message: {}", told(&problem)) }
        }
    }
}

fn later(why: String) -> Outcome {
    Outcome::Later { why, pause: None }
}

fn told(problem: &Error) -> String {
    let mut told = problem.to_string();
    let mut source = std::error::Error::source(problem);
    while let Some(cause) = source {
        told = format!("{told}: {cause}");
        source = cause.source();
    }
    told
}

fn line(answer: &Response) -> String {
    format!("{} {}", answer.code(), answer.first_line().unwrap_or_default())
}

//! The broker: events as CloudEvents in the binary mode of the NATS binding, one message each, in one stream of JetStream.
//!
//! Every message names the number that the stream's last message must have. So the stream takes them in the order in which
//! they were sent and takes none twice, whoever else sends and whatever was lost on the way: what does not fit is refused,
//! and the sender looks again where the stream ends.

use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, stream};
use async_nats::{Client, ConnectOptions, HeaderMap};
use kit::secret_file;
use proto::order::v1::OrderEvent;
use types::Tenant;

use crate::config::Nats;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For the acknowledgement of a message, and for every question about the stream.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the server of a new stream knows a message's id. The order of the stream does not rest on it.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(2);

/// Extensions of our own beside the attributes of CloudEvents: where the event stands in its tenant's one order.
const TENANT: &str = "ce-tenant";
const POSITION: &str = "ce-position";
const ID: &str = "ce-id";

#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    #[error("nats.{field} must be {rule}")]
    Config { field: &'static str, rule: &'static str },
    #[error("the broker at {url} cannot be used: {problem}")]
    Unreached { url: String, problem: String },
    #[error("the stream {stream}: {problem}")]
    Stream { stream: String, problem: String },
    #[error("{event_id} was not acknowledged: {problem}")]
    Unacknowledged { event_id: String, problem: String },
    /// Somebody else has published since.
    #[error("the stream does not end where it did")]
    Moved,
}

/// Where the broker is and what the messages are called.
#[derive(Debug, Clone)]
pub struct Broker {
    config: Nats,
}

pub struct Connection {
    client: Client,
    context: jetstream::Context,
    config: Nats,
}

/// One event as it is published.
#[derive(Debug, Clone)]
pub struct Message {
    pub tenant: Tenant,
    pub position: i64,
    pub event: OrderEvent,
}

/// The end of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    pub sequence: u64,
    /// What its last message says of itself, if it is one of ours.
    pub mark: Option<Mark>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub tenant: Tenant,
    pub position: i64,
    pub event_id: String,
}

/// How far a batch came. Whatever follows the first problem is not known to have arrived.
#[derive(Debug)]
pub struct Published {
    pub acknowledged: usize,
    /// The stream's number of the last message that was acknowledged.
    pub sequence: u64,
    /// The broker had some of it already.
    pub had_some: bool,
    pub problem: Option<NatsError>,
}

impl Broker {
    /// None when no server is named.
    pub fn new(config: &Nats) -> Result<Option<Self>, NatsError> {
        if config.url.is_empty() {
            return Ok(None);
        }
        let is_word = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if !is_word(&config.stream) {
            let rule = "of letters, digits, - and _";
            return Err(NatsError::Config { field: "stream", rule });
        }
        if !config.subject.split('.').all(is_word) {
            let rule = "of words of letters, digits, - and _ with dots between them";
            return Err(NatsError::Config { field: "subject", rule });
        }
        Ok(Some(Self { config: config.clone() }))
    }

    pub fn stream(&self) -> &str {
        &self.config.stream
    }

    /// Connects, and makes the stream if there is none of its name. One that is there is taken as it is.
    pub async fn connect(&self) -> Result<Connection, NatsError> {
        let config = self.config.clone();
        let unreached = |problem: String| NatsError::Unreached { url: config.url.clone(), problem };
        let mut options = ConnectOptions::new().name("countermand-order").connection_timeout(CONNECT_TIMEOUT);
        if let Some(path) = &config.password_file {
            let password = secret_file::read_text(path);
            let password = password.map_err(|problem| unreached(format!("{}: {problem}", path.display())))?;
            options = options.user_and_password(config.username.clone(), password.trim_end().to_owned());
        }
        if let Some(path) = &config.ca_file {
            options = options.add_root_certificates(path.clone()).require_tls(true);
        }
        let client =
            options.connect(config.url.as_str()).await.map_err(|problem| unreached(problem.to_string()))?;
        let mut context = jetstream::new(client.clone());
        context.set_timeout(ANSWER_TIMEOUT);
        let wanted = stream::Config {
            name: config.stream.clone(),
            subjects: vec![format!("{}.>", config.subject)],
            num_replicas: config.replicas,
            duplicate_window: DUPLICATE_WINDOW,
            description: Some("Events of the order service, in the order of their tenants".to_owned()),
            ..stream::Config::default()
        };
        context.get_or_create_stream(wanted).await.map_err(|problem| in_stream(&config, &problem))?;
        Ok(Connection { client, context, config })
    }
}

impl Connection {
    /// Whether the server can be reached right now. Messages that are sent while it cannot would only wait.
    pub fn is_up(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Where the stream ends.
    pub async fn end(&self) -> Result<End, NatsError> {
        let stream = self.context.get_stream(&self.config.stream).await;
        let mut stream = stream.map_err(|problem| in_stream(&self.config, &problem))?;
        let state = stream.info().await.map_err(|problem| in_stream(&self.config, &problem))?.state.clone();
        if state.messages == 0 {
            return Ok(End { sequence: state.last_sequence, mark: None });
        }
        // The last message may have been deleted; then nothing is known of it.
        let last = stream.get_raw_message(state.last_sequence).await.ok();
        Ok(End { sequence: state.last_sequence, mark: last.and_then(|message| mark(&message.headers)) })
    }

    /// Sends a batch behind the stream's number `after`, and waits for what the broker says to each message.
    pub async fn publish(&self, after: u64, messages: Vec<Message>) -> Published {
        let mut published = Published { acknowledged: 0, sequence: after, had_some: false, problem: None };
        let mut sent = Vec::with_capacity(messages.len());
        for (message, before) in messages.into_iter().zip(after..) {
            let event_id = message.event.id.clone();
            let subject = subject(&self.config.subject, &message);
            let message =
                outgoing(message).expected_stream(&self.config.stream).expected_last_sequence(before);
            match self.context.send_publish(subject, message).await {
                Ok(acknowledgement) => sent.push((event_id, acknowledgement)),
                Err(problem) => {
                    published.problem = Some(unacknowledged(event_id, problem.kind(), &problem));
                    break;
                }
            }
        }
        for (event_id, acknowledgement) in sent {
            match acknowledgement.await {
                Ok(acknowledged) => {
                    published.acknowledged += 1;
                    published.had_some |= acknowledged.duplicate;
                    published.sequence = acknowledged.sequence;
                }
                Err(problem) => {
                    published.problem = Some(unacknowledged(event_id, problem.kind(), &problem));
                    break;
                }
            }
        }
        published
    }
}

/// `<prefix>.<tenant>.<type>`, so that a subscriber may choose by either.
fn subject(prefix: &str, message: &Message) -> String {
    let kind = message.event.r#type.rsplit('.').next().unwrap_or_default();
    format!("{prefix}.{}.{kind}", message.tenant)
}

fn outgoing(message: Message) -> PublishMessage {
    let Message { tenant, position, event } = message;
    let mut headers = HeaderMap::new();
    let attributes = [
        ("ce-specversion", event.spec_version),
        (ID, event.id.clone()),
        ("ce-source", event.source),
        ("ce-type", event.r#type),
        ("ce-subject", event.subject),
        ("ce-time", event.time),
        ("ce-datacontenttype", event.data_content_type),
        ("ce-sequence", event.sequence.to_string()),
        ("ce-traceparent", event.trace_parent),
        (TENANT, tenant.to_string()),
        (POSITION, position.to_string()),
    ];
    // An attribute that has no value is left out.
    for (name, value) in attributes.into_iter().filter(|(_, value)| !value.is_empty()) {
        headers.insert(name, value);
    }
    PublishMessage::build().headers(headers).message_id(event.id).payload(event.data.into())
}

fn mark(headers: &HeaderMap) -> Option<Mark> {
    let text = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
    Some(Mark {
        tenant: Tenant::parse(&text(TENANT)?).ok()?,
        position: text(POSITION)?.parse().ok()?,
        event_id: text(ID)?,
    })
}

fn unacknowledged(event_id: String, kind: PublishErrorKind, problem: &dyn std::error::Error) -> NatsError {
    match kind {
        PublishErrorKind::WrongLastSequence => NatsError::Moved,
        _ => NatsError::Unacknowledged { event_id, problem: problem.to_string() },
    }
}

fn in_stream(config: &Nats, problem: &dyn std::error::Error) -> NatsError {
    NatsError::Stream { stream: config.stream.clone(), problem: problem.to_string() }
}

//! An event as the outside reads it: CloudEvents 1.0 in JSON, its data the protobuf JSON of the event's message.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde::Serialize;
use storage::Envelope;

/// Every message the suite knows.
static MESSAGES: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET)
        .expect("the descriptor set is generated from valid files")
});

#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    #[serde(rename = "type")]
    kind: &'a str,
    subject: &'a str,
    time: String,
    datacontenttype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    /// Gap-free from 1 per subject; the extension wants a text.
    sequence: String,
    sequencetype: &'static str,
    data: serde_json::Value,
}

/// Why an event cannot be shown. It was read before it came here, so this is a defect of ours.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("no message is called {0}")]
    Unknown(String),
    #[error("the payload is not of its type: {0}")]
    Malformed(#[from] prost::DecodeError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// Whether it is an event of an order, as the outside may know it: those tell how the order moved.
pub fn is_event_type(kind: &str) -> bool {
    MESSAGES.get_message_by_name(kind).is_some_and(|message| message.get_field_by_name("movement").is_some())
}

pub fn cloud_event(envelope: &Envelope) -> Result<String, Unreadable> {
    let descriptor = MESSAGES
        .get_message_by_name(&envelope.kind)
        .ok_or_else(|| Unreadable::Unknown(envelope.kind.clone()))?;
    let message = DynamicMessage::decode(descriptor, envelope.payload.as_slice())?;
    // Every amount is below 2^53, so plain numbers are safe; zeros are told, because a delta of zero is a statement.
    let options = SerializeOptions::new()
        .stringify_64_bit_integers(false)
        .use_proto_field_name(true)
        .skip_default_fields(false);
    let data = message.serialize_with_options(serde_json::value::Serializer, &options)?;
    let event = CloudEvent {
        specversion: "1.0",
        id: envelope.event_id.as_str(),
        source: format!("/countermand/{}", envelope.source),
        kind: &envelope.kind,
        subject: &envelope.aggregate_id,
        time: envelope.occurred_at.to_string(),
        datacontenttype: "application/json",
        traceparent: envelope.traceparent.as_deref(),
        sequence: envelope.aggregate_seq.to_string(),
        sequencetype: "Integer",
        data,
    };
    Ok(serde_json::to_string(&event)?)
}

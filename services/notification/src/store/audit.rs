//! The books as `verify` reads them.

use storage::{Book, book};

pub static BOOKS: [Book; 10] = [
    book!("notification", "notification", ["notification_id" Text], [
        "event_id" Text, "order_id" Text, "change_order_id" Text, "template" Text, "audience" Text,
        "channel" Text, "state" Text, "subject" Text, "body" Text, "traceparent" Text, "created_at" Text,
        "sent_at" Text, "owed_minor" Number, "position_seq" Number, "claimed_until" Number,
    ]),
    book!("notification", "inbox", ["event_id" Text], [
        "source" Text, "aggregate_type" Text, "aggregate_id" Text, "aggregate_seq" Number, "received_at" Number,
    ]),
    book!("notification", "inbox_position", ["source" Text, "aggregate_type" Text, "aggregate_id" Text], [
        "last_seq" Number,
    ]),
    book!("notification", "delivery", ["delivery_id" Text], [
        "event_id" Text, "channel" Text, "recipient" Text, "audience" Text, "template" Text, "locale" Text,
        "order_id" Text, "change_order_id" Text, "stream" Text, "state" Text, "tries" Number, "in_doubt" Number,
        "last_error" Text, "created_at" Text, "ended_at" Text,
    ]),
    book!("notification", "digest", ["day" Text], ["event_id" Text, "made_at" Text]),
    book!("notification", "request_key", ["subject" Text, "method" Text, "request_id" Text], [
        "id" Text, "fingerprint" Text, "resource_id" Text, "created_at" Text,
    ]),
    book!("notification", "webhook_endpoint", ["webhook_id" Text], [
        "url" Text, "event_types" Text, "state" Text, "disabled_cause" Text, "failing_since" Text,
        "created_at" Text, "changed_at" Text,
    ]),
    book!("notification", "webhook_attempt", ["delivery_id" Text, "attempt" Number], [
        "at" Text, "status" Number, "latency_ms" Number, "error" Text,
    ]),
    book!("notification", "alarm", ["subject_type" Text, "subject_id" Text], ["last_seq" Number]),
    book!("notification", "outbox", ["event_id" Text], [
        "aggregate_type" Text, "aggregate_id" Text, "aggregate_seq" Number, "type" Text, "state" Text,
        "created_at" Text, "queued_at" Number, "sent_at" Number,
    ]),
];

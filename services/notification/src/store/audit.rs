//! The books as `verify` reads them.

use storage::{Book, book};

pub static BOOKS: [Book; 3] = [
    book!("notification", "notification", ["notification_id" Text], [
        "event_id" Text, "order_id" Text, "change_order_id" Text, "template" Text, "audience" Text,
        "channel" Text, "state" Text, "subject" Text, "body" Text, "traceparent" Text, "created_at" Text,
        "sent_at" Text, "claimed_until" Number,
    ]),
    book!("notification", "inbox", ["event_id" Text], [
        "source" Text, "aggregate_type" Text, "aggregate_id" Text, "aggregate_seq" Number, "received_at" Number,
    ]),
    book!("notification", "inbox_position", ["source" Text, "aggregate_type" Text, "aggregate_id" Text], [
        "last_seq" Number,
    ]),
];

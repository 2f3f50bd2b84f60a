//! The books as `verify` reads them.

use storage::{Book, book};

/// Every book of this service.
pub static BOOKS: [Book; 11] = [
    book!("inventory", "warehouse", ["warehouse_id" Text], ["kind" Text, "priority" Number, "active" Number]),
    book!("inventory", "stock", ["warehouse_id" Text, "sku" Text], [
        "on_hand" Number, "reserved" Number, "ledger_seq" Number,
    ]),
    book!("inventory", "stock_ledger", ["warehouse_id" Text, "sku" Text, "seq" Number], [
        "kind" Text, "on_hand_delta" Number, "reserved_delta" Number, "saga_id" Text, "step" Text,
        "direction" Text, "reservation_id" Text, "order_id" Text, "line_id" Text, "at" Text,
    ]),
    book!("inventory", "goods", ["order_id" Text], ["event_seq" Number, "created_at" Text]),
    book!("inventory", "goods_line", ["order_id" Text, "line_id" Text], [
        "sku" Text, "reserved_quantity" Number, "allocated" Number, "deallocated" Number,
        "submitted" Number, "shipped" Number, "unshipped" Number, "delivered" Number,
    ]),
    book!("inventory", "reservation", ["order_id" Text, "reservation_id" Text], [
        "line_id" Text, "warehouse_id" Text, "sku" Text, "quantity" Number, "state" Text, "saga_id" Text,
        "held_by" Text, "split_of" Text, "fulfilment_id" Text, "created_at" Text,
    ]),
    book!("inventory", "fulfilment", ["order_id" Text, "fulfilment_id" Text], [
        "warehouse_id" Text, "state" Text, "created_at" Text,
    ]),
    book!("inventory", "fulfilment_line", ["order_id" Text, "fulfilment_line_id" Text], [
        "fulfilment_id" Text, "reservation_id" Text, "line_id" Text, "sku" Text, "quantity" Number,
        "state" Text, "held_by" Text, "split_of" Text, "tracking_number" Text,
    ]),
    book!("inventory", "request_key", ["method" Text, "request_id" Text], [
        "fingerprint" Text, "resource_id" Text, "created_at" Text,
    ]),
    book!("inventory", "step_ledger", ["saga_id" Text, "step" Text, "direction" Text], [
        "request_hash" Text, "outcome" Text, "nothing_to_do" Number, "completes" Text, "reply" Data,
        "epoch" Number, "at" Text,
    ]),
    book!("inventory", "outbox", ["event_id" Text], [
        "aggregate_type" Text, "aggregate_id" Text, "aggregate_seq" Number, "type" Text, "state" Text,
        "created_at" Text, "queued_at" Number, "sent_at" Number,
    ]),
];

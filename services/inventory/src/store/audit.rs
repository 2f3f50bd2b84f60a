//! The books as `verify` reads them.

use storage::{Book, book};

/// Every book of this service.
pub static BOOKS: [Book; 16] = [
    book!("inventory", "warehouse", ["warehouse_id" Text], ["kind" Text, "priority" Number, "active" Number]),
    book!("inventory", "stock", ["warehouse_id" Text, "sku" Text], [
        "on_hand" Number, "reserved" Number, "ledger_seq" Number,
    ]),
    book!("inventory", "stock_ledger", ["warehouse_id" Text, "sku" Text, "seq" Number], [
        "kind" Text, "on_hand_delta" Number, "reserved_delta" Number, "saga_id" Text, "step" Text,
        "direction" Text, "reservation_id" Text, "order_id" Text, "line_id" Text, "at" Text,
    ]),
    book!("inventory", "goods", ["order_id" Text], [
        "event_seq" Number, "created_at" Text, "awaits_payment" Number,
    ]),
    book!("inventory", "goods_line", ["order_id" Text, "line_id" Text], [
        "sku" Text, "reserved_quantity" Number, "allocated" Number, "deallocated" Number,
        "submitted" Number, "shipped" Number, "unshipped" Number, "delivered" Number,
    ]),
    book!("inventory", "reservation", ["order_id" Text, "reservation_id" Text], [
        "line_id" Text, "warehouse_id" Text, "sku" Text, "quantity" Number, "state" Text, "saga_id" Text,
        "held_by" Text, "split_of" Text, "fulfilment_id" Text, "created_at" Text, "without_stock" Number,
    ]),
    book!("inventory", "fulfilment", ["order_id" Text, "fulfilment_id" Text], [
        "warehouse_id" Text, "state" Text, "integration_key" Text, "external_number" Text,
        "submitted_at" Text, "created_at" Text,
    ]),
    book!("inventory", "fulfilment_line", ["order_id" Text, "fulfilment_line_id" Text], [
        "fulfilment_id" Text, "reservation_id" Text, "line_id" Text, "sku" Text, "quantity" Number,
        "state" Text, "held_by" Text, "split_of" Text, "tracking_number" Text, "restocked" Number,
        "reshipped" Number, "resubmit_needed" Number, "task_id" Text, "returned" Text, "claimed_by" Text,
        "label_id" Text, "reported_number" Text,
    ]),
    book!("inventory", "label", ["order_id" Text, "label_id" Text], [
        "fulfilment_id" Text, "carrier" Text, "tracking_number" Text, "currency" Text, "cost_minor" Number,
        "state" Text, "credit" Text, "refusal" Text, "void_by" Text, "void_step" Text, "purchased_at" Text,
        "void_requested_at" Text, "void_ended_at" Text,
    ]),
    book!("inventory", "sku_assignment", ["sku" Text], ["warehouse_id" Text]),
    book!("inventory", "integration", ["integration_key" Text], ["updated_at" Text]),
    book!("inventory", "partner_number", ["integration_key" Text, "external_number" Text], [
        "order_id" Text, "fulfilment_id" Text, "at" Text,
    ]),
    book!("inventory", "partner_task", ["order_id" Text, "task_id" Text], [
        "fulfilment_id" Text, "integration_key" Text, "external_number" Text, "saga_id" Text,
        "change_order_id" Text, "units" Number, "unconfirmed" Text, "state" Text, "method" Text, "sent" Number,
        "deadline_at" Text, "requested_at" Text, "answered_at" Text, "shipped_after_cancel" Number,
    ]),
    book!("inventory", "request_key", ["subject" Text, "method" Text, "request_id" Text], [
        "id" Text, "fingerprint" Text, "resource_id" Text, "created_at" Text,
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

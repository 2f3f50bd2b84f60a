//! The books as `verify` reads them.

use storage::{Book, book};

/// Every book of this service. Notes, contacts and payloads stay closed: no equation needs them.
pub static BOOKS: [Book; 29] = [
    book!("order", "order_head", ["order_id" Text], [
        "number" Text, "currency" Text, "placement" Text, "state" Text, "placement_reason" Text,
        "placement_message" Text, "confirmed_at" Text, "processing_at" Text, "created_at" Text,
        "placed_at" Text, "created_by_user" Text, "created_by_org" Text, "created_by_role" Text,
        "customer_id" Text, "buyer" Text, "supplier" Text, "source_router" Text, "placed_minor" Number,
        "reversed_minor" Number, "fees_minor" Number, "worth_version" Number, "refund_owed_minor" Number,
        "position_seq" Number, "position_version" Number, "change_in_progress" Text,
        "version" Number, "pricing_version" Number, "event_seq" Number, "timeline_seq" Number,
        "attention_open" Number, "cancelled_by_change" Text, "goodwill_minor" Number, "reissue_of" Text, "missing_minor" Number,
        "awaits_payment_since" Text,
    ]),
    book!("order", "order_line", ["order_id" Text, "line_id" Text], [
        "line_number" Number, "sku" Text, "unit_price" Text, "warehouse_id" Text, "delivery_group" Text,
        "ordered" Number, "open" Number, "cancel_pending" Number, "cancelled" Number, "fulfilled" Number,
        "cancelled_after_ship" Number, "returned" Number, "delivered" Number, "gross_minor" Number,
        "line_discount_minor" Number, "order_discount_minor" Number, "goods_net_minor" Number,
        "tax_minor" Number, "tax_included" Number, "shipping_minor" Number, "shipping_tax_minor" Number,
        "reversed_minor" Number, "allocated" Number, "deallocated" Number, "submitted" Number,
        "shipped" Number, "unshipped" Number, "ratio" Number, "bases" Text,
    ]),
    book!("order", "delivery_group", ["order_id" Text, "delivery_group" Text], [
        "shipping_minor" Number, "shipping_tax_minor" Number, "shipping_reversed_minor" Number,
        "shipping_tax_reversed_minor" Number, "ever_shipped" Number,
    ]),
    book!("order", "external_reference", ["system" Text, "reference" Text], [
        "order_id" Text,
    ]),
    book!("order", "change_order", ["change_order_id" Text], [
        "order_id" Text, "number" Text, "type" Text, "state" Text, "saga_id" Text, "settlement" Text,
        "label_action" Text, "reason_code" Text, "requested_by_user" Text, "requested_by_org" Text,
        "requested_by_role" Text, "quote_id" Text, "policy_version" Text, "rule" Text, "gross_minor" Number,
        "discount_minor" Number, "goods_net_minor" Number, "tax_minor" Number, "tax_included" Number,
        "shipping_minor" Number, "shipping_tax_minor" Number, "fee_minor" Number, "amount_minor" Number,
        "new_total_minor" Number, "cause_reason" Text, "cause_message" Text, "refund_owed_minor" Number,
        "exceptions" Text, "refunds" Text, "version" Number, "created_at" Text, "decided_at" Text,
        "finished_at" Text, "attention_open" Number, "channel" Text, "stage" Text, "terms" Text,
        "expires_at" Text, "shipped_groups" Text,
    ]),
    book!("order", "change_order_line", ["change_order_id" Text, "line_id" Text], [
        "line_number" Number, "sku" Text, "quantity" Number, "reason_code" Text, "gross_minor" Number,
        "discount_minor" Number, "goods_net_minor" Number, "tax_minor" Number, "tax_included" Number,
        "shipping_minor" Number, "shipping_tax_minor" Number, "fee_minor" Number, "amount_minor" Number,
    ]),
    book!("order", "order_return", ["return_id" Text], [
        "order_id" Text, "number" Text, "state" Text, "reason_code" Text, "opened_by_user" Text,
        "opened_by_org" Text, "opened_by_role" Text, "policy_version" Text, "expires_at" Text, "version" Number,
        "created_at" Text, "closed_at" Text,
    ]),
    book!("order", "order_return_line", ["return_id" Text, "line_id" Text], [
        "line_number" Number, "sku" Text, "expected" Number, "received" Number, "accepted" Number,
        "rejected" Number,
    ]),
    book!("order", "timeline", ["order_id" Text, "seq" Number], [
        "at" Text, "actor_user" Text, "actor_org" Text, "actor_role" Text, "event" Text, "visibility" Text,
        "change_order_id" Text, "saga_id" Text, "step" Text, "direction" Text, "reason_code" Text,
    ]),
    book!("order", "attention", ["attention_id" Text], [
        "subject_type" Text, "subject_id" Text, "order_id" Text, "change_order_id" Text, "reason" Text,
        "message" Text, "allowed_actions" Text, "opened_at" Text, "closed_by" Text,
        "closing_note" Text, "closed_at" Text,
    ]),
    book!("order", "request_key", ["subject" Text, "method" Text, "request_id" Text], [
        "id" Text, "fingerprint" Text, "resource_id" Text, "created_at" Text,
    ]),
    book!("order", "saga", ["id" Text], [
        "definition" Text, "version" Number, "subject_type" Text, "subject_id" Text, "state" Text,
        "epoch" Number, "attempts" Number, "unwind_cause" Text, "attention_cause" Text, "decided_at" Text,
        "started_at" Text, "finished_at" Text,
    ]),
    book!("order", "saga_step", ["saga_id" Text, "seq" Number], [
        "step" Text, "direction" Text, "outcome" Text, "nothing_to_do" Number, "reply" Data, "reason" Text,
        "attempts" Number, "epoch" Number, "at" Text,
    ]),
    book!("order", "outbox", ["event_id" Text], [
        "aggregate_type" Text, "aggregate_id" Text, "aggregate_seq" Number, "type" Text, "state" Text,
        "created_at" Text, "queued_at" Number, "sent_at" Number,
    ]),
    book!("order", "inbox", ["event_id" Text], [
        "source" Text, "aggregate_type" Text, "aggregate_id" Text, "aggregate_seq" Number,
        "received_at" Number,
    ]),
    book!("order", "inbox_position", ["source" Text, "aggregate_type" Text, "aggregate_id" Text], [
        "last_seq" Number,
    ]),
    book!("order", "decision", ["decision_id" Text], [
        "order_id" Text, "change_order_id" Text, "decided_at" Text, "asked_by_user" Text, "asked_by_org" Text,
        "asked_by_role" Text, "policy_version" Text, "rule" Text, "currency" Text, "amount_minor" Number,
        "fee_minor" Number, "refused_reason" Text,
    ]),
    book!("order", "event_log", ["position" Number], [
        "event_id" Text, "order_id" Text, "order_seq" Number,
    ]),
    book!("order", "event_log_head", ["last_position" Number], []),
    book!("order", "folder", ["folder_id" Text], [
        "name" Text, "position" Number, "created_at" Text, "deleted_at" Text,
    ]),
    book!("order", "order_folder", ["order_id" Text], [
        "folder_id" Text, "moved_at" Text, "moved_by_user" Text, "moved_by_org" Text, "moved_by_role" Text,
    ]),
    book!("order", "message", ["message_id" Text], [
        "order_id" Text, "visibility" Text, "author_user" Text, "author_org" Text, "author_role" Text, "at" Text,
        "change_order_id" Text,
    ]),
    book!("order", "rule", ["rule_id" Text], [
        "name" Text, "happens" Text, "condition" Text, "actions" Text, "enabled" Number, "version" Number,
        "active_since" Text,
    ]),
    book!("order", "rule_run", ["rule_id" Text, "event_id" Text], [
        "rule_version" Number, "order_id" Text, "outcome" Text, "cause_reason" Text, "resources" Text,
        "change_order_id" Text, "depth" Number, "at" Text,
    ]),
    book!("order", "batch", ["batch_id" Text], [
        "state" Text, "sku" Text, "reason_code" Text, "items" Number, "created_by_user" Text,
        "created_by_org" Text, "created_by_role" Text, "created_at" Text, "finished_at" Text,
        "label_action" Text, "rates" Text,
    ]),
    book!("order", "batch_item", ["batch_id" Text, "item_number" Number], [
        "named" Text, "order_id" Text, "state" Text, "estimate" Text, "change_order_id" Text,
        "cause_reason" Text, "currency" Text, "amount_minor" Number, "units" Number, "label_action" Text,
        "integration" Text,
    ]),
    book!("order", "batch_estimate", ["batch_id" Text, "item_number" Number, "sku" Text], ["units" Number]),
    book!("order", "batch_forecast", [
        "batch_id" Text, "item_number" Number, "what" Text, "name" Text, "sku" Text,
    ], ["currency" Text, "amount_minor" Number, "units" Number]),
    book!("order", "order_label", ["order_id" Text, "label_id" Text], [
        "currency" Text, "cost_minor" Number, "state" Text, "credit" Text,
    ]),
];

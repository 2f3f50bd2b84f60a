//! The books as `verify` reads them: every column but the payment tokens, which nobody outside may read.

use storage::{Book, book};

pub static BOOKS: [Book; 16] = [
    book!("payment", "account", ["order_id" Text], [
        "currency" Text, "ceiling_minor" Number, "worth_minor" Number, "worth_version" Number, "told_seq" Number,
        "told_owed_minor" Number, "told_mended" Number, "owed_seq" Number, "event_seq" Number, "ledger_seq" Number,
        "store_credit_minor" Number, "credit_seq" Number, "created_at" Text,
    ]),
    book!("payment", "refund_hold", ["order_id" Text, "saga_id" Text], [
        "change_order_id" Text, "prior_ceiling_minor" Number, "new_ceiling_minor" Number, "owed_minor" Number,
        "move_no_money" Number, "store_credit_fallback" Number, "moves_on" Number, "over_minor" Number, "gross_minor" Number, "discount_minor" Number,
        "tax_minor" Number, "shipping_minor" Number, "shipping_tax_minor" Number, "fee_minor" Number, "included_tax_minor" Number,
        "state" Text, "settle_step" Text, "worth_version" Number, "told_seq" Number, "told_owed_minor" Number,
    ]),
    book!("payment", "owed_position", ["order_id" Text, "seq" Number], [
        "worth_version" Number, "owed_minor" Number, "at" Text,
    ]),
    book!("payment", "payment", ["order_id" Text, "payment_id" Text], [
        "line_no" Number, "kind" Text, "gateway" Text, "gateway_reference" Text, "state" Text, "amount_minor" Number,
        "authorised_minor" Number, "captured_minor" Number, "voided_minor" Number, "external" Number,
        "proof" Text, "stated_minor" Number, "capture_now" Number, "abandoned" Number, "shared_payment_id" Text, "asked_by" Text, "saga_id" Text, "step" Text, "detail" Text,
        "tries" Number, "next_at" Number, "claimed_until" Number, "created_at" Text,
    ]),
    book!("payment", "shared_payment", ["shared_payment_id" Text], [
        "gateway" Text, "gateway_reference" Text, "currency" Text, "authorised_minor" Number, "captured" Number,
        "allotted_minor" Number, "captured_minor" Number, "voided_minor" Number, "refunded_minor" Number,
        "created_at" Text,
    ]),
    book!("payment", "adoption", ["gateway_account" Text, "reference" Text], [
        "payment_id" Text, "held" Number,
    ]),
    book!("payment", "capture", ["order_id" Text, "capture_id" Text], [
        "payment_id" Text, "amount_minor" Number, "refunded_minor" Number, "disputed_minor" Number,
        "state" Text, "gateway_reference" Text, "detail" Text, "asked_by" Text, "saga_id" Text, "step" Text, "tries" Number,
        "next_at" Number, "claimed_until" Number, "created_at" Text,
    ]),
    book!("payment", "refund", ["order_id" Text, "refund_id" Text], [
        "payment_id" Text, "capture_id" Text, "change_order_id" Text, "saga_id" Text, "step" Text, "kind" Text,
        "method" Text, "retry_of" Text, "state" Text, "amount_minor" Number, "resolution_reference" Text,
        "resolution_note" Text, "gateway_reference" Text, "detail" Text, "tries" Number,
        "next_at" Number, "claimed_until" Number, "created_at" Text, "updated_at" Text,
    ]),
    book!("payment", "dispute", ["order_id" Text, "payment_id" Text, "gateway_reference" Text], [
        "state" Text, "amount_minor" Number, "opened_at" Text, "ended_at" Text,
    ]),
    book!("payment", "store_credit", ["order_id" Text, "seq" Number], [
        "refund_id" Text, "delta_minor" Number, "balance_minor" Number, "at" Text,
    ]),
    book!("payment", "gateway_event", ["gateway" Text, "event_id" Text], [
        "kind" Text, "gateway_reference" Text, "payment_reference" Text, "our_reference" Text, "happened_at" Text,
        "received_at" Text, "state" Text, "detail" Text, "tries" Number, "next_at" Number, "claimed_until" Number,
    ]),
    book!("payment", "money_ledger", ["order_id" Text, "seq" Number], [
        "tx_id" Text, "account" Text, "debit_minor" Number, "credit_minor" Number, "currency" Text, "kind" Text,
        "reference_id" Text, "saga_id" Text, "step" Text, "direction" Text, "at" Text,
    ]),
    book!("payment", "request_key", ["subject" Text, "method" Text, "request_id" Text], [
        "id" Text, "fingerprint" Text, "resource_id" Text, "created_at" Text,
    ]),
    book!("payment", "saga_fence", ["saga_id" Text], ["max_epoch" Number]),
    book!("payment", "step_ledger", ["saga_id" Text, "step" Text, "direction" Text], [
        "request_hash" Text, "outcome" Text, "nothing_to_do" Number, "completes" Text, "reply" Data,
        "epoch" Number, "at" Text,
    ]),
    book!("payment", "outbox", ["event_id" Text], [
        "aggregate_type" Text, "aggregate_id" Text, "aggregate_seq" Number, "type" Text, "payload" Data,
        "traceparent" Text, "created_at" Text, "queued_at" Number, "next_at" Number, "tries" Number,
        "claimed_until" Number, "claim_token" Text, "state" Text, "sent_at" Number,
    ]),
];

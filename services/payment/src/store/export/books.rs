//! Which tables are exported, with every column but the payment tokens, which nobody outside may read.

use storage::Statement;

use super::{
    Book,
    Holds::{Data, Number, Text},
};

static ACCOUNT: Statement = Statement::new(
    "payment.export_account",
    "SELECT tenant_id, order_id, currency, ceiling_minor, event_seq, ledger_seq, created_at
       FROM account WHERE tenant_id = $1 AND order_id > $3
      ORDER BY order_id LIMIT $2",
);

static REFUND_HOLD: Statement = Statement::new(
    "payment.export_refund_hold",
    "SELECT tenant_id, order_id, saga_id, change_order_id, prior_ceiling_minor, new_ceiling_minor,
            owed_minor, move_no_money, state, settle_step
       FROM refund_hold WHERE tenant_id = $1 AND (order_id, saga_id) > ($3, $4)
      ORDER BY order_id, saga_id LIMIT $2",
);

static PAYMENT: Statement = Statement::new(
    "payment.export_payment",
    "SELECT tenant_id, order_id, payment_id, line_no, gateway, gateway_reference, state, amount_minor,
            authorised_minor, captured_minor, voided_minor, external, capture_now, abandoned, asked_by,
            saga_id, step, detail, tries, next_at, claimed_until, created_at
       FROM payment WHERE tenant_id = $1 AND (order_id, payment_id) > ($3, $4)
      ORDER BY order_id, payment_id LIMIT $2",
);

static CAPTURE: Statement = Statement::new(
    "payment.export_capture",
    "SELECT tenant_id, order_id, capture_id, payment_id, amount_minor, refunded_minor, state,
            gateway_reference, detail, asked_by, saga_id, step, tries, next_at, claimed_until, created_at
       FROM capture WHERE tenant_id = $1 AND (order_id, capture_id) > ($3, $4)
      ORDER BY order_id, capture_id LIMIT $2",
);

static REFUND: Statement = Statement::new(
    "payment.export_refund",
    "SELECT tenant_id, order_id, refund_id, payment_id, capture_id, change_order_id, saga_id, step, kind,
            state, amount_minor, gateway_reference, detail, tries, next_at, claimed_until, created_at,
            updated_at
       FROM refund WHERE tenant_id = $1 AND (order_id, refund_id) > ($3, $4)
      ORDER BY order_id, refund_id LIMIT $2",
);

static MONEY_LEDGER: Statement = Statement::new(
    "payment.export_money_ledger",
    "SELECT tenant_id, order_id, seq, tx_id, account, debit_minor, credit_minor, currency, kind,
            reference_id, saga_id, step, direction, at
       FROM money_ledger WHERE tenant_id = $1 AND (order_id, seq) > ($3, $4)
      ORDER BY order_id, seq LIMIT $2",
);

static REQUEST_KEY: Statement = Statement::new(
    "payment.export_request_key",
    "SELECT tenant_id, method, request_id, fingerprint, resource_id, created_at
       FROM request_key WHERE tenant_id = $1 AND (method, request_id) > ($3, $4)
      ORDER BY method, request_id LIMIT $2",
);

static SAGA_FENCE: Statement = Statement::new(
    "payment.export_saga_fence",
    "SELECT tenant_id, saga_id, max_epoch
       FROM saga_fence WHERE tenant_id = $1 AND saga_id > $3
      ORDER BY saga_id LIMIT $2",
);

static STEP_LEDGER: Statement = Statement::new(
    "payment.export_step_ledger",
    "SELECT tenant_id, saga_id, step, direction, request_hash, outcome, nothing_to_do, completes, reply,
            epoch, at
       FROM step_ledger WHERE tenant_id = $1 AND (saga_id, step, direction) > ($3, $4, $5)
      ORDER BY saga_id, step, direction LIMIT $2",
);

static OUTBOX: Statement = Statement::new(
    "payment.export_outbox",
    "SELECT tenant_id, event_id, aggregate_type, aggregate_id, aggregate_seq, type, payload, traceparent,
            created_at, queued_at, next_at, tries, claimed_until, claim_token, state, sent_at
       FROM outbox WHERE tenant_id = $1 AND event_id > $3
      ORDER BY event_id LIMIT $2",
);

pub static BOOKS: [Book; 10] = [
    Book {
        name: "account",
        columns: &[
            ("tenant_id", Text),
            ("order_id", Text),
            ("currency", Text),
            ("ceiling_minor", Number),
            ("event_seq", Number),
            ("ledger_seq", Number),
            ("created_at", Text),
        ],
        key: 1,
        statement: &ACCOUNT,
    },
    Book {
        name: "refund_hold",
        columns: &[
            ("tenant_id", Text),
            ("order_id", Text),
            ("saga_id", Text),
            ("change_order_id", Text),
            ("prior_ceiling_minor", Number),
            ("new_ceiling_minor", Number),
            ("owed_minor", Number),
            ("move_no_money", Number),
            ("state", Text),
            ("settle_step", Text),
        ],
        key: 2,
        statement: &REFUND_HOLD,
    },
    Book {
        name: "payment",
        columns: &[
            ("tenant_id", Text),
            ("order_id", Text),
            ("payment_id", Text),
            ("line_no", Number),
            ("gateway", Text),
            ("gateway_reference", Text),
            ("state", Text),
            ("amount_minor", Number),
            ("authorised_minor", Number),
            ("captured_minor", Number),
            ("voided_minor", Number),
            ("external", Number),
            ("capture_now", Number),
            ("abandoned", Number),
            ("asked_by", Text),
            ("saga_id", Text),
            ("step", Text),
            ("detail", Text),
            ("tries", Number),
            ("next_at", Number),
            ("claimed_until", Number),
            ("created_at", Text),
        ],
        key: 2,
        statement: &PAYMENT,
    },
    Book {
        name: "capture",
        columns: &[
            ("tenant_id", Text),
            ("order_id", Text),
            ("capture_id", Text),
            ("payment_id", Text),
            ("amount_minor", Number),
            ("refunded_minor", Number),
            ("state", Text),
            ("gateway_reference", Text),
            ("detail", Text),
            ("asked_by", Text),
            ("saga_id", Text),
            ("step", Text),
            ("tries", Number),
            ("next_at", Number),
            ("claimed_until", Number),
            ("created_at", Text),
        ],
        key: 2,
        statement: &CAPTURE,
    },
    Book {
        name: "refund",
        columns: &[
            ("tenant_id", Text),
            ("order_id", Text),
            ("refund_id", Text),
            ("payment_id", Text),
            ("capture_id", Text),
            ("change_order_id", Text),
            ("saga_id", Text),
            ("step", Text),
            ("kind", Text),
            ("state", Text),
            ("amount_minor", Number),
            ("gateway_reference", Text),
            ("detail", Text),
            ("tries", Number),
            ("next_at", Number),
            ("claimed_until", Number),
            ("created_at", Text),
            ("updated_at", Text),
        ],
        key: 2,
        statement: &REFUND,
    },
    Book {
        name: "money_ledger",
        columns: &[
            ("tenant_id", Text),
            ("order_id", Text),
            ("seq", Number),
            ("tx_id", Text),
            ("account", Text),
            ("debit_minor", Number),
            ("credit_minor", Number),
            ("currency", Text),
            ("kind", Text),
            ("reference_id", Text),
            ("saga_id", Text),
            ("step", Text),
            ("direction", Text),
            ("at", Text),
        ],
        key: 2,
        statement: &MONEY_LEDGER,
    },
    Book {
        name: "request_key",
        columns: &[
            ("tenant_id", Text),
            ("method", Text),
            ("request_id", Text),
            ("fingerprint", Text),
            ("resource_id", Text),
            ("created_at", Text),
        ],
        key: 2,
        statement: &REQUEST_KEY,
    },
    Book {
        name: "saga_fence",
        columns: &[("tenant_id", Text), ("saga_id", Text), ("max_epoch", Number)],
        key: 1,
        statement: &SAGA_FENCE,
    },
    Book {
        name: "step_ledger",
        columns: &[
            ("tenant_id", Text),
            ("saga_id", Text),
            ("step", Text),
            ("direction", Text),
            ("request_hash", Text),
            ("outcome", Text),
            ("nothing_to_do", Number),
            ("completes", Text),
            ("reply", Data),
            ("epoch", Number),
            ("at", Text),
        ],
        key: 3,
        statement: &STEP_LEDGER,
    },
    Book {
        name: "outbox",
        columns: &[
            ("tenant_id", Text),
            ("event_id", Text),
            ("aggregate_type", Text),
            ("aggregate_id", Text),
            ("aggregate_seq", Number),
            ("type", Text),
            ("payload", Data),
            ("traceparent", Text),
            ("created_at", Text),
            ("queued_at", Number),
            ("next_at", Number),
            ("tries", Number),
            ("claimed_until", Number),
            ("claim_token", Text),
            ("state", Text),
            ("sent_at", Number),
        ],
        key: 1,
        statement: &OUTBOX,
    },
];

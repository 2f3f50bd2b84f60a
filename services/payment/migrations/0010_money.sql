-- An order's money. Amounts are minor units of the account's currency.
CREATE TABLE account (
    tenant_id     TEXT NOT NULL,
    order_id      TEXT NOT NULL,
    currency      TEXT NOT NULL,
    -- No capture may bring the position above it.
    ceiling_minor BIGINT NOT NULL CHECK (ceiling_minor BETWEEN 0 AND 1000000000000000),
    -- What the order comes to by its last decision that is known here, fees included, and the number of that decision.
    worth_minor     BIGINT NOT NULL CHECK (worth_minor BETWEEN 0 AND 1000000000000000),
    worth_version   BIGINT NOT NULL CHECK (worth_version >= 1),
    -- What is owed, as the order service was last told it, and under which number. Numbers are never given out twice.
    told_seq        BIGINT NOT NULL CHECK (told_seq >= 0),
    told_owed_minor BIGINT NOT NULL CHECK (told_owed_minor >= 0),
    -- How many changes that had left something owed were told to have nothing open any more.
    told_mended     BIGINT NOT NULL CHECK (told_mended >= 0),
    owed_seq        BIGINT NOT NULL CHECK (owed_seq >= told_seq),
    event_seq     BIGINT NOT NULL CHECK (event_seq >= 0),
    ledger_seq    BIGINT NOT NULL CHECK (ledger_seq >= 0),
    created_at    TEXT NOT NULL,
    PRIMARY KEY (tenant_id, order_id)
);
-- Every figure of what is owed that the order service was told: messages name them by their numbers.
CREATE TABLE owed_position (
    tenant_id     TEXT NOT NULL,
    order_id      TEXT NOT NULL,
    seq           BIGINT NOT NULL CHECK (seq >= 1),
    -- The decision about the order's worth that it goes by.
    worth_version BIGINT NOT NULL CHECK (worth_version >= 1),
    owed_minor    BIGINT NOT NULL CHECK (owed_minor >= 0),
    at            TEXT NOT NULL,
    PRIMARY KEY (tenant_id, order_id, seq),
    FOREIGN KEY (tenant_id, order_id) REFERENCES account (tenant_id, order_id)
);
-- What a saga has reserved, and the ceiling it replaced.
CREATE TABLE refund_hold (
    tenant_id           TEXT NOT NULL,
    order_id            TEXT NOT NULL,
    saga_id             TEXT NOT NULL,
    change_order_id     TEXT NOT NULL,
    prior_ceiling_minor BIGINT NOT NULL CHECK (prior_ceiling_minor >= 0),
    new_ceiling_minor   BIGINT NOT NULL CHECK (new_ceiling_minor >= 0),
    owed_minor          BIGINT NOT NULL CHECK (owed_minor >= 0),
    move_no_money       BIGINT NOT NULL CHECK (move_no_money IN (0, 1)),
    state               TEXT NOT NULL CHECK (state IN ('reserved', 'released', 'settling', 'settled')),
    -- The step that sends it; empty before that.
    settle_step         TEXT NOT NULL,
    -- The decision that commits the change, and what will be owed by it, as the order service was told.
    worth_version       BIGINT NOT NULL CHECK (worth_version >= 1),
    told_seq            BIGINT NOT NULL CHECK (told_seq >= 0),
    told_owed_minor     BIGINT NOT NULL CHECK (told_owed_minor >= 0),
    PRIMARY KEY (tenant_id, order_id, saga_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES account (tenant_id, order_id),
    CHECK ((state IN ('settling', 'settled')) = (settle_step <> ''))
);
CREATE TABLE payment (
    tenant_id         TEXT NOT NULL,
    order_id          TEXT NOT NULL,
    payment_id        TEXT NOT NULL,
    line_no           BIGINT NOT NULL CHECK (line_no >= 1),
    gateway           TEXT NOT NULL,
    token             TEXT NOT NULL,
    gateway_reference TEXT NOT NULL,
    state             TEXT NOT NULL CHECK (state IN ('authorising', 'authorised', 'capturing', 'partially_captured',
                                                     'captured', 'voided', 'declined')),
    -- What was asked for, and what the gateway agreed to: nothing until it has.
    amount_minor      BIGINT NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000000),
    authorised_minor  BIGINT NOT NULL CHECK (authorised_minor >= 0),
    captured_minor    BIGINT NOT NULL CHECK (captured_minor >= 0),
    voided_minor      BIGINT NOT NULL CHECK (voided_minor >= 0),
    external          BIGINT NOT NULL CHECK (external IN (0, 1)),
    -- What the amounts rest on; one that is read before it counts has what it is said to have captured beside it.
    proof             TEXT NOT NULL CHECK (proof IN ('known', 'attested', 'reading')),
    stated_minor      BIGINT NOT NULL CHECK (stated_minor BETWEEN 0 AND amount_minor),
    capture_now       BIGINT NOT NULL CHECK (capture_now IN (0, 1)),
    -- Its order was not placed: whatever of it is or becomes authorised goes back.
    abandoned         BIGINT NOT NULL CHECK (abandoned IN (0, 1)),
    -- Who asked: a saga with its step, or a request with its method.
    asked_by          TEXT NOT NULL CHECK (asked_by IN ('saga', 'request')),
    saga_id           TEXT NOT NULL,
    step              TEXT NOT NULL,
    detail            TEXT NOT NULL,
    tries             BIGINT NOT NULL CHECK (tries >= 0),
    -- When the worker asks the gateway, by the database's clock; 0 means never.
    next_at           BIGINT NOT NULL,
    claimed_until     BIGINT NOT NULL,
    created_at        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, order_id, payment_id),
    UNIQUE (tenant_id, payment_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES account (tenant_id, order_id),
    CHECK (captured_minor + voided_minor <= authorised_minor AND authorised_minor <= amount_minor),
    CHECK (state NOT IN ('authorising', 'declined') OR authorised_minor = 0),
    CHECK (state <> 'voided' OR captured_minor = 0),
    CHECK (proof = 'known' OR external = 1),
    CHECK ((state = 'authorising' OR proof = 'reading') = (next_at <> 0))
);
CREATE INDEX payment_due ON payment (next_at) WHERE next_at <> 0;
CREATE TABLE capture (
    tenant_id         TEXT NOT NULL,
    order_id          TEXT NOT NULL,
    payment_id        TEXT NOT NULL,
    capture_id        TEXT NOT NULL,
    amount_minor      BIGINT NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000000),
    -- The refunds of it that count: the second wall behind the account's lock.
    refunded_minor    BIGINT NOT NULL CHECK (refunded_minor >= 0),
    state             TEXT NOT NULL CHECK (state IN ('capturing', 'captured', 'declined')),
    gateway_reference TEXT NOT NULL,
    detail            TEXT NOT NULL,
    asked_by          TEXT NOT NULL CHECK (asked_by IN ('saga', 'request')),
    saga_id           TEXT NOT NULL,
    step              TEXT NOT NULL,
    tries             BIGINT NOT NULL CHECK (tries >= 0),
    next_at           BIGINT NOT NULL,
    claimed_until     BIGINT NOT NULL,
    created_at        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, order_id, capture_id),
    UNIQUE (tenant_id, capture_id),
    FOREIGN KEY (tenant_id, order_id, payment_id) REFERENCES payment (tenant_id, order_id, payment_id),
    CHECK (refunded_minor <= amount_minor),
    CHECK (state <> 'declined' OR refunded_minor = 0),
    CHECK ((state = 'capturing') = (next_at <> 0))
);
CREATE INDEX capture_due ON capture (next_at) WHERE next_at <> 0;
-- One leg of what a change gives back, on one tender. Its id is the gateway's idempotency key.
CREATE TABLE refund (
    tenant_id         TEXT NOT NULL,
    order_id          TEXT NOT NULL,
    refund_id         TEXT NOT NULL,
    payment_id        TEXT NOT NULL,
    -- Empty for a void.
    capture_id        TEXT NOT NULL,
    -- Empty for what a placement that failed gives back.
    change_order_id   TEXT NOT NULL,
    saga_id           TEXT NOT NULL,
    step              TEXT NOT NULL,
    kind              TEXT NOT NULL CHECK (kind IN ('refund', 'void')),
    state             TEXT NOT NULL CHECK (state IN ('awaiting_capture', 'reserved', 'submitting', 'pending',
                                                     'requires_action', 'unknown', 'succeeded', 'declined', 'reversed',
                                                     'released', 'manual', 'resolved_externally', 'external')),
    amount_minor      BIGINT NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000000),
    gateway_reference TEXT NOT NULL,
    detail            TEXT NOT NULL,
    tries             BIGINT NOT NULL CHECK (tries >= 0),
    next_at           BIGINT NOT NULL,
    claimed_until     BIGINT NOT NULL,
    created_at        TEXT NOT NULL,
    updated_at        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, order_id, refund_id),
    UNIQUE (tenant_id, refund_id),
    FOREIGN KEY (tenant_id, order_id, payment_id) REFERENCES payment (tenant_id, order_id, payment_id),
    CHECK ((kind = 'refund') = (capture_id <> '')),
    CHECK ((state IN ('submitting', 'pending', 'requires_action', 'unknown')) = (next_at <> 0))
);
CREATE INDEX refund_due ON refund (next_at) WHERE next_at <> 0;
CREATE INDEX refund_by_change ON refund (tenant_id, change_order_id, refund_id);
-- At most one effect per change and capture: a next try comes only after a definitive no.
CREATE UNIQUE INDEX refund_once ON refund (tenant_id, change_order_id, capture_id)
    WHERE change_order_id <> '' AND capture_id <> '' AND state NOT IN ('declined', 'reversed', 'released');
-- Double entry: two rows a tx_id, whose sides are equal.
CREATE TABLE money_ledger (
    tenant_id    TEXT NOT NULL,
    order_id     TEXT NOT NULL,
    seq          BIGINT NOT NULL CHECK (seq >= 1),
    tx_id        TEXT NOT NULL,
    -- 'order', or 'gateway:' and the payment's id.
    account      TEXT NOT NULL,
    debit_minor  BIGINT NOT NULL CHECK (debit_minor BETWEEN 0 AND 1000000000000000),
    credit_minor BIGINT NOT NULL CHECK (credit_minor BETWEEN 0 AND 1000000000000000),
    currency     TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('capture', 'refund', 'reversal')),
    reference_id TEXT NOT NULL,
    saga_id      TEXT NOT NULL,
    step         TEXT NOT NULL,
    direction    TEXT NOT NULL CHECK (direction IN ('do', 'undo')),
    at           TEXT NOT NULL,
    PRIMARY KEY (tenant_id, order_id, seq),
    -- Whatever is sent twice moves money once.
    UNIQUE (tenant_id, saga_id, step, direction, account, reference_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES account (tenant_id, order_id),
    CHECK ((debit_minor = 0) <> (credit_minor = 0))
);

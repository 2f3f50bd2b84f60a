-- Carrier labels of fulfilments. A row is never deleted: a voided tracking number is struck out, not forgotten.
CREATE TABLE label (
    tenant_id         TEXT NOT NULL,
    order_id          TEXT NOT NULL,
    label_id          TEXT NOT NULL,
    fulfilment_id     TEXT NOT NULL,
    carrier           TEXT NOT NULL,
    -- The carrier's handle of the label.
    token             TEXT NOT NULL,
    tracking_number   TEXT NOT NULL,
    currency          TEXT NOT NULL,
    cost_minor        BIGINT NOT NULL CHECK (cost_minor >= 0),
    state             TEXT NOT NULL CHECK (state IN ('purchased', 'void_requested', 'voided', 'void_refused')),
    credit            TEXT NOT NULL CHECK (credit IN ('', 'requested', 'granted', 'denied')),
    refusal           TEXT NOT NULL CHECK (refusal IN ('', 'used', 'manifested', 'window')),
    -- The saga and step, or request and method, that wants it void; empty while nobody does.
    void_by           TEXT NOT NULL,
    void_step         TEXT NOT NULL,
    purchased_at      TEXT NOT NULL,
    void_requested_at TEXT,
    void_ended_at     TEXT,
    -- When the carrier is to be asked next, by the service's clock, in microseconds; 0 for never.
    due_at            BIGINT NOT NULL,
    claimed_until     BIGINT NOT NULL,
    tries             BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, order_id, label_id),
    FOREIGN KEY (tenant_id, order_id, fulfilment_id)
        REFERENCES fulfilment (tenant_id, order_id, fulfilment_id),
    CHECK ((state = 'void_refused') = (refusal <> '')),
    CHECK ((state IN ('void_requested', 'voided')) = (credit <> ''))
);
-- Requests name a label without its order.
CREATE UNIQUE INDEX label_by_id ON label (tenant_id, label_id);
CREATE INDEX label_due ON label (due_at) WHERE due_at <> 0;
-- The book of the sandbox carrier: what it has voided, one row a label, for ever. Only the sandbox touches it.
CREATE TABLE sandbox_void (
    tenant_id  TEXT NOT NULL,
    label_id   TEXT NOT NULL,
    token      TEXT NOT NULL,
    outcome    TEXT NOT NULL CHECK (outcome IN ('voided', 'used', 'manifested', 'window')),
    credit     TEXT NOT NULL CHECK (credit IN ('', 'granted', 'denied')),
    -- From when on it tells the outcome and the credit, in microseconds.
    voided_at  BIGINT NOT NULL,
    credited_at BIGINT NOT NULL,
    asked      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, label_id)
);

-- Profiles of fulfilment partners and carts that a tenant has added or changed. The seeded ones are in the program.
CREATE TABLE integration (
    tenant_id       TEXT NOT NULL,
    integration_key TEXT NOT NULL,
    -- JSON of the profile.
    profile         TEXT NOT NULL,
    updated_at      TEXT NOT NULL,
    PRIMARY KEY (tenant_id, integration_key)
);
ALTER TABLE warehouse ADD COLUMN integration_key TEXT NOT NULL DEFAULT '';
ALTER TABLE fulfilment ADD COLUMN integration_key TEXT NOT NULL DEFAULT '';
ALTER TABLE fulfilment ADD COLUMN external_number TEXT NOT NULL DEFAULT '';
ALTER TABLE fulfilment ADD COLUMN submitted_at TEXT;
-- Numbers that a partner has seen. It never takes one twice, whatever became of the goods.
CREATE TABLE partner_number (
    tenant_id       TEXT NOT NULL,
    integration_key TEXT NOT NULL,
    external_number TEXT NOT NULL,
    order_id        TEXT NOT NULL,
    fulfilment_id   TEXT NOT NULL,
    at              TEXT NOT NULL,
    PRIMARY KEY (tenant_id, integration_key, external_number)
);
CREATE INDEX partner_number_by_fulfilment ON partner_number (tenant_id, fulfilment_id);
-- What a partner was asked to stop, and its word.
CREATE TABLE partner_task (
    tenant_id             TEXT NOT NULL,
    order_id              TEXT NOT NULL,
    task_id               TEXT NOT NULL,
    fulfilment_id         TEXT NOT NULL,
    integration_key       TEXT NOT NULL,
    external_number       TEXT NOT NULL,
    saga_id               TEXT NOT NULL,
    change_order_id       TEXT NOT NULL,
    reason_code           TEXT NOT NULL,
    partner_reason        TEXT NOT NULL,
    note                  TEXT NOT NULL,
    units                 BIGINT NOT NULL CHECK (units >= 1),
    unconfirmed           TEXT NOT NULL CHECK (unconfirmed IN ('commit', 'wait', 'reject')),
    state                 TEXT NOT NULL CHECK (state IN ('requested', 'accepted', 'rejected', 'expired',
        'unconfirmed', 'withdrawn')),
    -- The place of the method in the profile's list.
    method_index          BIGINT NOT NULL CHECK (method_index >= 0),
    method                TEXT NOT NULL CHECK (method IN ('api', 'email', 'phone', 'manual_portal')),
    address               TEXT NOT NULL,
    confirmation_required BIGINT NOT NULL CHECK (confirmation_required IN (0, 1)),
    sent                  BIGINT NOT NULL CHECK (sent IN (0, 1)),
    deadline_at           TEXT NOT NULL,
    requested_at          TEXT NOT NULL,
    answered_at           TEXT,
    answered_by           TEXT NOT NULL,
    detail                TEXT NOT NULL,
    answer                TEXT NOT NULL,
    shipped_after_cancel  BIGINT NOT NULL CHECK (shipped_after_cancel IN (0, 1)),
    due_at                BIGINT NOT NULL,
    claimed_until         BIGINT NOT NULL,
    tries                 BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, order_id, task_id),
    -- A saga asks a partner once about a fulfilment.
    UNIQUE (tenant_id, saga_id, fulfilment_id),
    FOREIGN KEY (tenant_id, order_id, fulfilment_id)
        REFERENCES fulfilment (tenant_id, order_id, fulfilment_id)
);
CREATE UNIQUE INDEX partner_task_by_id ON partner_task (tenant_id, task_id);
CREATE INDEX partner_task_due ON partner_task (due_at) WHERE due_at <> 0;
CREATE INDEX partner_task_open ON partner_task (tenant_id, task_id) WHERE state IN ('requested', 'unconfirmed');

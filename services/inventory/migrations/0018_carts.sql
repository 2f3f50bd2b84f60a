-- A cart that sold an order is told that it was cancelled by a task like a partner's, which has no fulfilment and no
-- saga: nobody's change waits for its word. A constraint goes with its table, so the table is made anew.
CREATE TABLE outsider_task (
    tenant_id             TEXT NOT NULL,
    order_id              TEXT NOT NULL,
    task_id               TEXT NOT NULL,
    -- None for a cart.
    fulfilment_id         TEXT,
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
    UNIQUE (tenant_id, saga_id, fulfilment_id),
    FOREIGN KEY (tenant_id, order_id, fulfilment_id)
        REFERENCES fulfilment (tenant_id, order_id, fulfilment_id),
    CHECK ((fulfilment_id IS NULL) = (saga_id = ''))
);
INSERT INTO outsider_task (tenant_id, order_id, task_id, fulfilment_id, integration_key, external_number, saga_id,
       change_order_id, reason_code, partner_reason, note, units, unconfirmed, state, method_index, method, address,
       confirmation_required, sent, deadline_at, requested_at, answered_at, answered_by, detail, answer, shipped_after_cancel,
       due_at, claimed_until, tries)
SELECT tenant_id, order_id, task_id, fulfilment_id, integration_key, external_number, saga_id, change_order_id,
       reason_code, partner_reason, note, units, unconfirmed, state, method_index, method, address,
       confirmation_required, sent, deadline_at, requested_at, answered_at, answered_by, detail, answer, shipped_after_cancel,
       due_at, claimed_until, tries
  FROM partner_task;
DROP TABLE partner_task;
ALTER TABLE outsider_task RENAME TO partner_task;
CREATE UNIQUE INDEX partner_task_by_id ON partner_task (tenant_id, task_id);
CREATE INDEX partner_task_due ON partner_task (due_at) WHERE due_at <> 0;
CREATE INDEX partner_task_open ON partner_task (tenant_id, task_id) WHERE state IN ('requested', 'unconfirmed');
-- A cart is told once of a change.
CREATE UNIQUE INDEX partner_task_of_cart ON partner_task (tenant_id, order_id, change_order_id, integration_key)
 WHERE saga_id = '';

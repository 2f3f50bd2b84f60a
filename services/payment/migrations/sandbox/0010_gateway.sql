-- What the sandbox gateway has done: one row a key, for ever. It is the gateway's own book, in its own database.
CREATE TABLE gateway_effect (
    tenant_id         TEXT NOT NULL,
    key               TEXT NOT NULL,
    kind              TEXT NOT NULL CHECK (kind IN ('authorise', 'capture', 'refund', 'void', 'lower')),
    order_id          TEXT NOT NULL,
    payment_id        TEXT NOT NULL,
    gateway_reference TEXT NOT NULL,
    currency          TEXT NOT NULL,
    amount_minor      BIGINT NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000000),
    outcome           TEXT NOT NULL CHECK (outcome IN ('applied', 'declined', 'pending', 'failed_after')),
    detail            TEXT NOT NULL,
    -- When the outcome changes by itself, in microseconds of the gateway's clock; 0 means never.
    changes_at        BIGINT NOT NULL,
    -- Whether its owner still has to hear of that change.
    notice            BIGINT NOT NULL CHECK (notice IN (0, 1)),
    at                TEXT NOT NULL,
    PRIMARY KEY (tenant_id, key),
    CHECK (changes_at = 0 OR outcome IN ('applied', 'pending'))
);
CREATE INDEX gateway_effect_changes ON gateway_effect (changes_at) WHERE changes_at <> 0;
CREATE INDEX gateway_effect_notices ON gateway_effect (tenant_id, key) WHERE notice = 1;

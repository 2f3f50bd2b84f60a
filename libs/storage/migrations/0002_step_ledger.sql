CREATE TABLE saga_fence (
    tenant_id TEXT NOT NULL,
    saga_id   TEXT NOT NULL,
    max_epoch BIGINT NOT NULL CHECK (max_epoch >= 0),
    PRIMARY KEY (tenant_id, saga_id)
);
CREATE TABLE step_ledger (
    tenant_id     TEXT NOT NULL,
    saga_id       TEXT NOT NULL,
    step          TEXT NOT NULL,
    direction     TEXT NOT NULL CHECK (direction IN ('do', 'undo')),
    request_hash  TEXT NOT NULL,
    outcome       TEXT NOT NULL CHECK (outcome IN ('pending', 'applied', 'rejected', 'tombstoned')),
    nothing_to_do BIGINT NOT NULL DEFAULT 0 CHECK (nothing_to_do IN (0, 1)),
    completes     TEXT,
    reply         BYTEA NOT NULL,
    epoch         BIGINT NOT NULL,
    at            TEXT NOT NULL,
    PRIMARY KEY (tenant_id, saga_id, step, direction),
    CHECK (nothing_to_do = 0 OR (direction = 'undo' AND outcome = 'applied')),
    CHECK (completes IS NULL OR direction = 'do')
);

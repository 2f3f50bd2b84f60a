CREATE TABLE inbox (
    tenant_id      TEXT NOT NULL,
    event_id       TEXT NOT NULL,
    source         TEXT NOT NULL,
    aggregate_type TEXT NOT NULL,
    aggregate_id   TEXT NOT NULL,
    aggregate_seq  BIGINT NOT NULL,
    received_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, event_id)
);
CREATE TABLE inbox_position (
    tenant_id      TEXT NOT NULL,
    source         TEXT NOT NULL,
    aggregate_type TEXT NOT NULL,
    aggregate_id   TEXT NOT NULL,
    last_seq       BIGINT NOT NULL CHECK (last_seq >= 0),
    PRIMARY KEY (tenant_id, source, aggregate_type, aggregate_id)
);

CREATE TABLE outbox (
    tenant_id      TEXT NOT NULL,
    event_id       TEXT NOT NULL,
    aggregate_type TEXT NOT NULL,
    aggregate_id   TEXT NOT NULL,
    aggregate_seq  BIGINT NOT NULL CHECK (aggregate_seq >= 1),
    type           TEXT NOT NULL,
    payload        BYTEA NOT NULL,
    traceparent    TEXT,
    created_at     TEXT NOT NULL,
    queued_at      BIGINT NOT NULL,
    next_at        BIGINT NOT NULL DEFAULT 0,
    tries          BIGINT NOT NULL DEFAULT 0,
    claimed_until  BIGINT NOT NULL DEFAULT 0,
    claim_token    TEXT NOT NULL DEFAULT '',
    state          TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent')),
    sent_at        BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, event_id),
    UNIQUE (tenant_id, aggregate_type, aggregate_id, aggregate_seq),
    CHECK ((state = 'sent') = (sent_at > 0))
);
CREATE INDEX outbox_by_age ON outbox (queued_at, aggregate_seq) WHERE state = 'queued';
CREATE INDEX outbox_by_aggregate ON outbox (tenant_id, aggregate_type, aggregate_id, aggregate_seq)
    WHERE state = 'queued';

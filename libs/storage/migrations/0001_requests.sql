CREATE TABLE request_key (
    tenant_id   TEXT NOT NULL,
    -- A digest of the caller's issuer, user and organisation: each names its requests for itself.
    subject     TEXT NOT NULL,
    method      TEXT NOT NULL,
    request_id  TEXT NOT NULL,
    -- Minted here; what the request moved outside a saga stands under it.
    id          TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    PRIMARY KEY (tenant_id, subject, method, request_id)
);

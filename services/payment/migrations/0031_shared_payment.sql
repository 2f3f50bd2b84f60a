-- One authorisation that several orders share. The sums are those of its parts, counted again in every commit that touches
-- one, under this row's lock.
CREATE TABLE shared_payment (
    tenant_id         TEXT NOT NULL,
    shared_payment_id TEXT NOT NULL,
    gateway           TEXT NOT NULL,
    gateway_reference TEXT NOT NULL,
    currency          TEXT NOT NULL,
    authorised_minor  BIGINT NOT NULL CHECK (authorised_minor BETWEEN 1 AND 1000000000000000),
    -- Captured as a whole before it was shared.
    captured          BIGINT NOT NULL CHECK (captured IN (0, 1)),
    allotted_minor    BIGINT NOT NULL CHECK (allotted_minor >= 0),
    captured_minor    BIGINT NOT NULL CHECK (captured_minor >= 0),
    voided_minor      BIGINT NOT NULL CHECK (voided_minor >= 0),
    refunded_minor    BIGINT NOT NULL CHECK (refunded_minor >= 0),
    created_at        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, shared_payment_id),
    -- The same authorisation is shared once.
    UNIQUE (tenant_id, gateway, gateway_reference),
    CHECK (allotted_minor <= authorised_minor),
    CHECK (captured_minor + voided_minor <= allotted_minor),
    CHECK (refunded_minor <= captured_minor)
);
-- Empty on a tender that is one order's alone.
ALTER TABLE payment ADD COLUMN shared_payment_id TEXT NOT NULL DEFAULT '';
CREATE INDEX payment_of_shared ON payment (tenant_id, shared_payment_id) WHERE shared_payment_id <> '';

-- Charges that other systems made at this gateway. Its names are its own: no two tenants have the same one.
CREATE TABLE gateway_charge (
    gateway_reference TEXT NOT NULL,
    currency          TEXT NOT NULL,
    authorised_minor  BIGINT NOT NULL CHECK (authorised_minor BETWEEN 1 AND 1000000000000000),
    captured_minor    BIGINT NOT NULL CHECK (captured_minor BETWEEN 0 AND authorised_minor),
    refunded_minor    BIGINT NOT NULL CHECK (refunded_minor BETWEEN 0 AND captured_minor),
    -- Metadata: whom it was made for; empty where it does not say.
    tenant_id         TEXT NOT NULL,
    order_id          TEXT NOT NULL,
    at                TEXT NOT NULL,
    PRIMARY KEY (gateway_reference)
);

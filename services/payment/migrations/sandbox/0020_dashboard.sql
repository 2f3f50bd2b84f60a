-- What was done at the gateway and not by us: refunds made by hand at its dashboard, and what banks dispute.
CREATE TABLE gateway_side_refund (
    tenant_id         TEXT NOT NULL,
    gateway_reference TEXT NOT NULL,
    payment_id        TEXT NOT NULL,
    amount_minor      BIGINT NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000000),
    at                TEXT NOT NULL,
    PRIMARY KEY (tenant_id, gateway_reference)
);
CREATE INDEX gateway_side_refund_payment ON gateway_side_refund (tenant_id, payment_id);
CREATE TABLE gateway_dispute (
    tenant_id         TEXT NOT NULL,
    gateway_reference TEXT NOT NULL,
    payment_id        TEXT NOT NULL,
    amount_minor      BIGINT NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000000),
    state             TEXT NOT NULL CHECK (state IN ('open', 'won', 'lost')),
    at                TEXT NOT NULL,
    PRIMARY KEY (tenant_id, gateway_reference)
);
CREATE INDEX gateway_dispute_payment ON gateway_dispute (tenant_id, payment_id);
CREATE INDEX gateway_effect_payment ON gateway_effect (tenant_id, payment_id);
-- What its webhooks tell: one row for each change, for ever. The id says the change, so none is told twice as two.
CREATE TABLE gateway_event (
    tenant_id         TEXT NOT NULL,
    event_id          TEXT NOT NULL,
    type              TEXT NOT NULL,
    gateway_reference TEXT NOT NULL,
    payment_id        TEXT NOT NULL,
    -- The key it was asked for with; empty for what was not asked for by us.
    key               TEXT NOT NULL,
    sent              BIGINT NOT NULL CHECK (sent IN (0, 1)),
    at                TEXT NOT NULL,
    PRIMARY KEY (tenant_id, event_id)
);
CREATE INDEX gateway_event_unsent ON gateway_event (tenant_id, at, event_id) WHERE sent = 0;

-- Who moves a tender's money; gateways were named so before.
ALTER TABLE payment ADD COLUMN kind TEXT NOT NULL DEFAULT 'gateway'
    CHECK (kind IN ('gateway', 'gift_card', 'store_credit', 'offline'));
UPDATE payment SET kind = gateway WHERE gateway IN ('gift_card', 'store_credit', 'offline');
-- Its part of the payment's disputes that are open or were lost.
ALTER TABLE capture ADD COLUMN disputed_minor BIGINT NOT NULL DEFAULT 0
    CHECK (disputed_minor >= 0 AND disputed_minor <= amount_minor);
ALTER TABLE refund_hold ADD COLUMN store_credit_fallback BIGINT NOT NULL DEFAULT 0
    CHECK (store_credit_fallback IN (0, 1));
-- A refund that its gateway declines is tried on the next tender with room.
ALTER TABLE refund_hold ADD COLUMN moves_on BIGINT NOT NULL DEFAULT 0 CHECK (moves_on IN (0, 1));
-- What the change's amount is made of, for the explanation of its refunds.
ALTER TABLE refund_hold ADD COLUMN gross_minor BIGINT NOT NULL DEFAULT 0 CHECK (gross_minor >= 0);
ALTER TABLE refund_hold ADD COLUMN discount_minor BIGINT NOT NULL DEFAULT 0 CHECK (discount_minor >= 0);
ALTER TABLE refund_hold ADD COLUMN tax_minor BIGINT NOT NULL DEFAULT 0 CHECK (tax_minor >= 0);
ALTER TABLE refund_hold ADD COLUMN shipping_minor BIGINT NOT NULL DEFAULT 0 CHECK (shipping_minor >= 0);
ALTER TABLE refund_hold ADD COLUMN shipping_tax_minor BIGINT NOT NULL DEFAULT 0 CHECK (shipping_tax_minor >= 0);
ALTER TABLE refund_hold ADD COLUMN fee_minor BIGINT NOT NULL DEFAULT 0 CHECK (fee_minor >= 0);
-- Within the gross amount.
ALTER TABLE refund_hold ADD COLUMN included_tax_minor BIGINT NOT NULL DEFAULT 0 CHECK (included_tax_minor >= 0);
ALTER TABLE account ADD COLUMN store_credit_minor BIGINT NOT NULL DEFAULT 0 CHECK (store_credit_minor >= 0);
ALTER TABLE account ADD COLUMN credit_seq BIGINT NOT NULL DEFAULT 0 CHECK (credit_seq >= 0);

ALTER TABLE refund ADD COLUMN method TEXT NOT NULL DEFAULT 'tender' CHECK (method IN ('tender', 'store_credit'));
-- The refund that this one makes good; empty for a first try.
ALTER TABLE refund ADD COLUMN retry_of TEXT NOT NULL DEFAULT '';
ALTER TABLE refund ADD COLUMN resolution_reference TEXT NOT NULL DEFAULT ''
    CHECK ((resolution_reference <> '') = (state = 'resolved_externally'));
ALTER TABLE refund ADD COLUMN resolution_note TEXT NOT NULL DEFAULT '';
-- A failed refund is made good once.
CREATE UNIQUE INDEX refund_made_good_once ON refund (tenant_id, retry_of)
    WHERE retry_of <> '' AND state NOT IN ('declined', 'reversed', 'released');
-- One refund of the gateway's is one row of ours for each capture that it spans.
CREATE UNIQUE INDEX refund_at_gateway_once ON refund (tenant_id, payment_id, gateway_reference, capture_id)
    WHERE gateway_reference <> '' AND kind = 'refund';
-- What was captured too late goes back once.
CREATE UNIQUE INDEX refund_late_capture_once ON refund (tenant_id, capture_id)
    WHERE step = 'late_capture_reversal' AND state NOT IN ('declined', 'reversed', 'released');

CREATE TABLE dispute (
    tenant_id         TEXT NOT NULL,
    order_id          TEXT NOT NULL,
    payment_id        TEXT NOT NULL,
    gateway_reference TEXT NOT NULL,
    state             TEXT NOT NULL CHECK (state IN ('open', 'won', 'lost')),
    amount_minor      BIGINT NOT NULL CHECK (amount_minor BETWEEN 1 AND 1000000000000000),
    opened_at         TEXT NOT NULL,
    -- Empty while it is open.
    ended_at          TEXT NOT NULL,
    PRIMARY KEY (tenant_id, order_id, payment_id, gateway_reference),
    FOREIGN KEY (tenant_id, order_id, payment_id) REFERENCES payment (tenant_id, order_id, payment_id),
    CHECK ((state = 'open') = (ended_at = ''))
);
-- What the customer of an order holds with us instead of money: one row a movement.
CREATE TABLE store_credit (
    tenant_id     TEXT NOT NULL,
    order_id      TEXT NOT NULL,
    seq           BIGINT NOT NULL CHECK (seq >= 1),
    refund_id     TEXT NOT NULL,
    delta_minor   BIGINT NOT NULL CHECK (delta_minor <> 0),
    balance_minor BIGINT NOT NULL CHECK (balance_minor >= 0),
    at            TEXT NOT NULL,
    PRIMARY KEY (tenant_id, order_id, seq),
    UNIQUE (tenant_id, refund_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES account (tenant_id, order_id)
);
-- What gateways told by webhook: committed before they are answered, worked on afterwards.
CREATE TABLE gateway_event (
    tenant_id         TEXT NOT NULL,
    gateway           TEXT NOT NULL,
    event_id          TEXT NOT NULL,
    kind              TEXT NOT NULL CHECK (kind IN ('payment', 'refund', 'dispute', 'other')),
    gateway_reference TEXT NOT NULL,
    payment_reference TEXT NOT NULL,
    -- Our id that went along; empty on what we did not make.
    our_reference     TEXT NOT NULL,
    happened_at       TEXT NOT NULL,
    received_at       TEXT NOT NULL,
    state             TEXT NOT NULL CHECK (state IN ('received', 'done', 'unmatched', 'failed')),
    detail            TEXT NOT NULL,
    tries             BIGINT NOT NULL CHECK (tries >= 0),
    next_at           BIGINT NOT NULL,
    claimed_until     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, gateway, event_id),
    CHECK ((state = 'received') = (next_at <> 0))
);
CREATE INDEX gateway_event_due ON gateway_event (next_at) WHERE next_at <> 0;
CREATE INDEX payment_by_gateway_reference ON payment (tenant_id, gateway_reference) WHERE gateway_reference <> '';
CREATE INDEX refund_by_gateway_reference ON refund (tenant_id, gateway_reference) WHERE gateway_reference <> '';

-- Who has a payment that was made elsewhere. The key holds no tenant: tenants may share an account at a gateway, and a payment
-- of it is one order's, or one shared payment's, whoever asks.
CREATE TABLE adoption (
    tenant_id       TEXT NOT NULL,
    gateway_account TEXT NOT NULL,
    -- The one name that it goes by there; of one that nobody has read yet, the name it was given here.
    reference       TEXT NOT NULL,
    payment_id      TEXT NOT NULL,
    -- 0 once the order was not placed: the payment is free again.
    held            BIGINT NOT NULL CHECK (held IN (0, 1)),
    PRIMARY KEY (gateway_account, reference)
);

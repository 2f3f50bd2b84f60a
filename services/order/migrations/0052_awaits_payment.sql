-- An order that was restored without tenders stands, and its goods wait until what is missing is paid.
ALTER TABLE order_head ADD COLUMN missing_minor BIGINT NOT NULL DEFAULT 0 CHECK (missing_minor >= 0);
ALTER TABLE order_head ADD COLUMN awaits_payment_since TEXT
    CHECK ((awaits_payment_since IS NULL) = (missing_minor = 0));
CREATE INDEX order_head_awaiting_payment ON order_head (awaits_payment_since) WHERE missing_minor > 0;

-- What can be done after a cancellation, or instead of one: reissuing, restoring, goodwill, proposals.
-- The order that this one was made of again.
ALTER TABLE order_head ADD COLUMN reissue_of TEXT;
-- What was given back beside the units, out of goodwill; it stays when the order is restored.
ALTER TABLE order_head ADD COLUMN goodwill_minor BIGINT NOT NULL DEFAULT 0 CHECK (goodwill_minor >= 0);

-- Until when a proposal may be answered.
ALTER TABLE change_order ADD COLUMN expires_at TEXT;
-- With goodwill given before, a wholly cancelled order comes to less than nothing; the payment service stops at 0.
ALTER TABLE change_order ADD COLUMN total_after_minor BIGINT NOT NULL DEFAULT 0;
UPDATE change_order SET total_after_minor = new_total_minor;
ALTER TABLE change_order DROP COLUMN new_total_minor;
ALTER TABLE change_order RENAME COLUMN total_after_minor TO new_total_minor;

CREATE INDEX change_order_expiring ON change_order (expires_at) WHERE state = 'requested';

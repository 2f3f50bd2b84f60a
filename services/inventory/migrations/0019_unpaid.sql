-- The goods of an order that was restored and is not paid again yet: they are promised, and no fulfilment gets them.
ALTER TABLE goods ADD COLUMN awaits_payment BIGINT NOT NULL DEFAULT 0 CHECK (awaits_payment IN (0, 1));

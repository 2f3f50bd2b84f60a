-- What the inventory has told of labels, of goods handed to partners, and of what partners were asked: a picture for
-- those who look at the order. It decides nothing.
ALTER TABLE order_head ADD COLUMN outside TEXT NOT NULL DEFAULT '';
-- Of the units in cancel_pending, those that had left when the change took them.
ALTER TABLE order_line ADD COLUMN cancel_pending_shipped BIGINT NOT NULL DEFAULT 0
    CHECK (cancel_pending_shipped >= 0 AND cancel_pending_shipped <= cancel_pending);

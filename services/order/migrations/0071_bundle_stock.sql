-- Of a bundle's parent: its own article stands on a shelf and is reserved beside its parts.
ALTER TABLE order_line ADD COLUMN own_stock BIGINT NOT NULL DEFAULT 0 CHECK (own_stock IN (0, 1));
-- Lines of before reserved their own article.
UPDATE order_line SET own_stock = 1;

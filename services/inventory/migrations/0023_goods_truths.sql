-- Which warehouse serves an article on lines that name none. A third party's serves only what is assigned to it.
CREATE TABLE sku_assignment (
    tenant_id    TEXT NOT NULL,
    sku          TEXT NOT NULL,
    -- Empty where the assignment was taken back.
    warehouse_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, sku)
);
-- A bundle that is made of its parts takes nothing of any shelf.
ALTER TABLE reservation ADD COLUMN without_stock BIGINT NOT NULL DEFAULT 0 CHECK (without_stock IN (0, 1));
-- The label that the units left under.
ALTER TABLE fulfilment_line ADD COLUMN label_id TEXT;
-- The number under which they are said to have left while a change holds them.
ALTER TABLE fulfilment_line ADD COLUMN reported_number TEXT
    CHECK (reported_number IS NULL OR state IN ('allocated', 'submitted'));

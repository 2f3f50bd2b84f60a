-- How a batch goes about it: what becomes of labels, and how fast it may go.
ALTER TABLE batch ADD COLUMN label_action TEXT NOT NULL DEFAULT 'keep' CHECK (label_action IN ('keep', 'void'));
-- Orders a minute by integration, a JSON object; the name '' bounds every order.
ALTER TABLE batch ADD COLUMN rates TEXT NOT NULL DEFAULT '{}';

-- Fixed with the item, so that trying again asks for the same.
ALTER TABLE batch_item ADD COLUMN label_action TEXT NOT NULL DEFAULT 'keep' CHECK (label_action IN ('keep', 'void'));
-- Who had goods of the order when the item was last looked at.
ALTER TABLE batch_item ADD COLUMN integration TEXT NOT NULL DEFAULT '';
-- When the item was fixed, by the database's clock in microseconds: what a rate counts. 0 before.
ALTER TABLE batch_item ADD COLUMN fixed_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX batch_item_by_fixing ON batch_item (tenant_id, batch_id, fixed_at) WHERE fixed_at > 0;

-- What the estimate foresees of money, labels and stock.
CREATE TABLE batch_forecast (
  tenant_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  item_number BIGINT NOT NULL,
  what TEXT NOT NULL CHECK (what IN ('refund', 'void', 'label', 'stock', 'tenders_unknown')),
  -- The gateway of a tender, the id of a label, or a warehouse, which is '' where the inventory chose it.
  name TEXT NOT NULL,
  sku TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
  units BIGINT NOT NULL CHECK (units >= 0),
  PRIMARY KEY (tenant_id, batch_id, item_number, what, name, sku),
  FOREIGN KEY (tenant_id, batch_id, item_number) REFERENCES batch_item (tenant_id, batch_id, item_number)
);

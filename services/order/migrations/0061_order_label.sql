-- The labels of an order as the inventory last told, one row each, so that reports can add up what they cost.
CREATE TABLE order_label (
  tenant_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  label_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  cost_minor BIGINT NOT NULL CHECK (cost_minor >= 0),
  state TEXT NOT NULL,
  credit TEXT NOT NULL,
  PRIMARY KEY (tenant_id, order_id, label_id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES order_head (tenant_id, order_id)
);

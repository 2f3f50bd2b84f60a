-- What buyers send back: which units may come, which have come, and what was decided of each. Accepting units is a change
-- order of type 'return'; this counts units and says nothing of money.
ALTER TABLE order_head ADD COLUMN delivered_at TEXT;

CREATE TABLE order_return (
  tenant_id TEXT NOT NULL,
  return_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  number TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'completed', 'closed', 'expired')),
  reason_code TEXT NOT NULL,
  note TEXT NOT NULL,
  opened_by_user TEXT NOT NULL,
  opened_by_org TEXT NOT NULL,
  opened_by_role TEXT NOT NULL,
  policy_version TEXT NOT NULL,
  -- Until when the units may come.
  expires_at TEXT NOT NULL,
  version BIGINT NOT NULL CHECK (version > 0),
  created_at TEXT NOT NULL,
  closed_at TEXT,
  PRIMARY KEY (tenant_id, return_id),
  UNIQUE (tenant_id, number),
  FOREIGN KEY (tenant_id, order_id) REFERENCES order_head (tenant_id, order_id),
  CHECK ((closed_at IS NULL) = (state = 'open'))
);
CREATE INDEX order_return_by_order ON order_return (tenant_id, order_id, return_id);
CREATE INDEX order_return_expiring ON order_return (expires_at) WHERE state = 'open';

CREATE TABLE order_return_line (
  tenant_id TEXT NOT NULL,
  return_id TEXT NOT NULL,
  line_id TEXT NOT NULL,
  line_number BIGINT NOT NULL CHECK (line_number > 0),
  sku TEXT NOT NULL,
  expected BIGINT NOT NULL CHECK (expected > 0),
  received BIGINT NOT NULL CHECK (received BETWEEN 0 AND expected),
  accepted BIGINT NOT NULL CHECK (accepted >= 0),
  rejected BIGINT NOT NULL CHECK (rejected >= 0),
  PRIMARY KEY (tenant_id, return_id, line_id),
  FOREIGN KEY (tenant_id, return_id) REFERENCES order_return (tenant_id, return_id),
  CHECK (accepted + rejected <= received)
);

-- Many orders cancelled together, each for itself. An item's request id is its batch and number, so that it gets one
-- change, however often it is tried.
CREATE TABLE batch (
  tenant_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('estimating', 'estimated', 'running', 'paused', 'completed')),
  -- The article whose open lines are cancelled; empty where whole orders are.
  sku TEXT NOT NULL,
  reason_code TEXT NOT NULL,
  note TEXT NOT NULL,
  items BIGINT NOT NULL CHECK (items > 0),
  created_by_user TEXT NOT NULL,
  created_by_org TEXT NOT NULL,
  created_by_role TEXT NOT NULL,
  created_at TEXT NOT NULL,
  finished_at TEXT,
  -- One worker at a time, by the database's clock.
  claimed_until BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, batch_id),
  CHECK ((state = 'completed') = (finished_at IS NOT NULL))
);

CREATE INDEX batch_at_work ON batch (claimed_until) WHERE state IN ('estimating', 'running');

CREATE TABLE batch_item (
  tenant_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  item_number BIGINT NOT NULL CHECK (item_number > 0),
  -- The id or number that was given; an order of that name may not exist.
  named TEXT NOT NULL,
  order_id TEXT,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'submitting', 'executing', 'cancelled', 'already_cancelled',
    'refused')),
  -- What the estimate foresaw.
  estimate TEXT CHECK (estimate IN ('cancelled', 'already_cancelled', 'refused')),
  -- The lines and units that are submitted, a JSON list fixed before the first try; NULL for the whole order.
  lines TEXT,
  change_order_id TEXT,
  cause_reason TEXT,
  cause_message TEXT,
  cause_details TEXT,
  currency TEXT NOT NULL,
  amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
  units BIGINT NOT NULL CHECK (units >= 0),
  PRIMARY KEY (tenant_id, batch_id, item_number),
  FOREIGN KEY (tenant_id, batch_id) REFERENCES batch (tenant_id, batch_id),
  CHECK (state NOT IN ('executing', 'cancelled') OR change_order_id IS NOT NULL),
  CHECK (state <> 'refused' OR cause_reason IS NOT NULL)
);

-- An order stands in a batch once; a change belongs to one item.
CREATE UNIQUE INDEX batch_item_by_order ON batch_item (tenant_id, batch_id, order_id) WHERE order_id IS NOT NULL;
CREATE UNIQUE INDEX batch_item_by_change ON batch_item (tenant_id, change_order_id)
  WHERE change_order_id IS NOT NULL;
CREATE INDEX batch_item_by_state ON batch_item (tenant_id, batch_id, state, item_number);

-- The units of each article that the estimate would take back.
CREATE TABLE batch_estimate (
  tenant_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  item_number BIGINT NOT NULL,
  sku TEXT NOT NULL,
  units BIGINT NOT NULL CHECK (units > 0),
  PRIMARY KEY (tenant_id, batch_id, item_number, sku),
  FOREIGN KEY (tenant_id, batch_id, item_number) REFERENCES batch_item (tenant_id, batch_id, item_number)
);

-- Orders as they are sold: a head, its lines, its delivery groups and the names other systems have for it.
-- Quantities of a line are an exclusive partition of what was ordered; the CHECKs keep it so, whoever writes.
CREATE TABLE order_head (
  tenant_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  number TEXT NOT NULL,
  currency TEXT NOT NULL,
  placement TEXT NOT NULL CHECK (placement IN ('placing', 'open', 'failed')),
  -- Derived from placement, the recorded facts and the quantities; stored so that lists can filter by it.
  state TEXT NOT NULL CHECK (state IN ('placing', 'placement_failed', 'pending', 'confirmed', 'processing',
    'partially_shipped', 'shipped', 'out_for_delivery', 'partially_delivered', 'delivered', 'cancelled',
    'returned', 'closed_mixed')),
  placement_reason TEXT,
  placement_message TEXT,
  -- The variables of the message, a JSON object.
  placement_details TEXT,
  confirmed_at TEXT,
  processing_at TEXT,
  created_at TEXT NOT NULL,
  placed_at TEXT,
  created_by_user TEXT NOT NULL,
  created_by_org TEXT NOT NULL,
  created_by_role TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  buyer TEXT NOT NULL,
  supplier TEXT NOT NULL,
  source_router TEXT NOT NULL,
  client_contact TEXT NOT NULL,
  placed_minor BIGINT NOT NULL CHECK (placed_minor >= 0),
  reversed_minor BIGINT NOT NULL CHECK (reversed_minor BETWEEN 0 AND placed_minor),
  fees_minor BIGINT NOT NULL CHECK (fees_minor >= 0),
  -- Counts the decisions about what the order comes to.
  worth_version BIGINT NOT NULL CHECK (worth_version >= 1),
  -- What is owed, as the payment service last told: the figure, its number, and the decision that it goes by. It is
  -- shown while that is the last one.
  refund_owed_minor BIGINT NOT NULL CHECK (refund_owed_minor >= 0),
  position_seq BIGINT NOT NULL CHECK (position_seq >= 0),
  position_version BIGINT NOT NULL CHECK (position_version BETWEEN 1 AND worth_version),
  -- The same of the decision that the change which holds the order will make, once it was told.
  next_owed_minor BIGINT CHECK (next_owed_minor >= 0),
  next_seq BIGINT CHECK (next_seq >= 0),
  -- The change order that holds the order now; the unique index on change_order is the lock itself.
  change_in_progress TEXT,
  version BIGINT NOT NULL CHECK (version > 0),
  pricing_version BIGINT NOT NULL CHECK (pricing_version > 0),
  -- The last numbers given out under this row's lock.
  event_seq BIGINT NOT NULL CHECK (event_seq >= 0),
  timeline_seq BIGINT NOT NULL CHECK (timeline_seq >= 0),
  -- How many attention items are open for it.
  attention_open BIGINT NOT NULL CHECK (attention_open >= 0),
  cancelled_by_change TEXT,
  PRIMARY KEY (tenant_id, order_id),
  UNIQUE (tenant_id, number),
  CHECK ((next_owed_minor IS NULL) = (next_seq IS NULL)),
  CHECK ((placement = 'placing') = (state = 'placing')),
  CHECK ((placement = 'failed') = (state = 'placement_failed')),
  CHECK ((placement = 'failed') = (placement_reason IS NOT NULL)),
  CHECK ((placement_reason IS NULL) = (placement_message IS NULL)),
  CHECK ((placement_reason IS NULL) = (placement_details IS NULL))
);

CREATE INDEX order_head_by_customer ON order_head (tenant_id, customer_id, order_id);
CREATE INDEX order_head_by_state ON order_head (tenant_id, state, order_id);

CREATE TABLE order_line (
  tenant_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  line_id TEXT NOT NULL,
  line_number BIGINT NOT NULL CHECK (line_number > 0),
  sku TEXT NOT NULL,
  description TEXT NOT NULL,
  unit_price TEXT NOT NULL,
  -- NULL leaves the choice to the inventory.
  warehouse_id TEXT,
  delivery_group TEXT NOT NULL,
  ordered BIGINT NOT NULL CHECK (ordered > 0),
  open BIGINT NOT NULL CHECK (open >= 0),
  cancel_pending BIGINT NOT NULL CHECK (cancel_pending >= 0),
  cancelled BIGINT NOT NULL CHECK (cancelled >= 0),
  fulfilled BIGINT NOT NULL CHECK (fulfilled >= 0),
  cancelled_after_ship BIGINT NOT NULL CHECK (cancelled_after_ship >= 0),
  returned BIGINT NOT NULL CHECK (returned BETWEEN 0 AND fulfilled),
  delivered BIGINT NOT NULL CHECK (delivered BETWEEN 0 AND fulfilled),
  -- Amounts are frozen at placement, for the whole line.
  gross_minor BIGINT NOT NULL CHECK (gross_minor >= 0),
  line_discount_minor BIGINT NOT NULL CHECK (line_discount_minor >= 0),
  order_discount_minor BIGINT NOT NULL CHECK (order_discount_minor >= 0),
  goods_net_minor BIGINT NOT NULL CHECK (goods_net_minor >= 0),
  tax_minor BIGINT NOT NULL CHECK (tax_minor >= 0),
  tax_included BIGINT NOT NULL CHECK (tax_included IN (0, 1)),
  shipping_minor BIGINT NOT NULL CHECK (shipping_minor >= 0),
  shipping_tax_minor BIGINT NOT NULL CHECK (shipping_tax_minor >= 0),
  -- What committed changes gave back for the line.
  reversed_minor BIGINT NOT NULL CHECK (reversed_minor >= 0),
  -- The projection of the inventory's monotone counters; it serves previews and decides nothing.
  allocated BIGINT NOT NULL CHECK (allocated >= 0),
  deallocated BIGINT NOT NULL CHECK (deallocated >= 0),
  submitted BIGINT NOT NULL CHECK (submitted >= 0),
  shipped BIGINT NOT NULL CHECK (shipped >= 0),
  unshipped BIGINT NOT NULL CHECK (unshipped >= 0),
  PRIMARY KEY (tenant_id, order_id, line_id),
  UNIQUE (tenant_id, order_id, line_number),
  FOREIGN KEY (tenant_id, order_id) REFERENCES order_head (tenant_id, order_id),
  CHECK (ordered = open + cancel_pending + cancelled + fulfilled + cancelled_after_ship),
  CHECK (goods_net_minor = gross_minor - line_discount_minor - order_discount_minor)
);

CREATE TABLE delivery_group (
  tenant_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  delivery_group TEXT NOT NULL,
  shipping_minor BIGINT NOT NULL CHECK (shipping_minor >= 0),
  shipping_tax_minor BIGINT NOT NULL CHECK (shipping_tax_minor >= 0),
  shipping_reversed_minor BIGINT NOT NULL CHECK (shipping_reversed_minor BETWEEN 0 AND shipping_minor),
  shipping_tax_reversed_minor BIGINT NOT NULL
    CHECK (shipping_tax_reversed_minor BETWEEN 0 AND shipping_tax_minor),
  -- Once a unit of the group was shipped its shipping is not given back with the last unit.
  ever_shipped BIGINT NOT NULL CHECK (ever_shipped IN (0, 1)),
  PRIMARY KEY (tenant_id, order_id, delivery_group),
  FOREIGN KEY (tenant_id, order_id) REFERENCES order_head (tenant_id, order_id)
);

-- A name in another system belongs to one order for ever, so that importing twice makes one order.
CREATE TABLE external_reference (
  tenant_id TEXT NOT NULL,
  system TEXT NOT NULL,
  reference TEXT NOT NULL,
  order_id TEXT NOT NULL,
  PRIMARY KEY (tenant_id, system, reference),
  FOREIGN KEY (tenant_id, order_id) REFERENCES order_head (tenant_id, order_id)
);

CREATE INDEX external_reference_by_order ON external_reference (tenant_id, order_id);

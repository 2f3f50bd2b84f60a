-- Change orders: what was asked for, how it was priced, how far it has come.
CREATE TABLE change_order (
  tenant_id TEXT NOT NULL,
  change_order_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  number TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('cancel_order', 'cancel_items')),
  state TEXT NOT NULL CHECK (state IN ('draft', 'requested', 'declined', 'expired', 'withdrawn', 'executing',
    'unwinding', 'rejected', 'settling', 'completed', 'completed_with_exceptions')),
  saga_id TEXT NOT NULL,
  settlement TEXT NOT NULL CHECK (settlement IN ('auto', 'none')),
  label_action TEXT NOT NULL CHECK (label_action IN ('keep', 'void')),
  reason_code TEXT NOT NULL,
  note TEXT NOT NULL,
  requested_by_user TEXT NOT NULL,
  requested_by_org TEXT NOT NULL,
  requested_by_role TEXT NOT NULL,
  quote_id TEXT NOT NULL,
  policy_version TEXT NOT NULL,
  rule TEXT NOT NULL,
  -- What the customer gets back, explained; fixed when the change was accepted.
  gross_minor BIGINT NOT NULL,
  discount_minor BIGINT NOT NULL,
  goods_net_minor BIGINT NOT NULL,
  tax_minor BIGINT NOT NULL,
  tax_included BIGINT NOT NULL CHECK (tax_included IN (0, 1)),
  shipping_minor BIGINT NOT NULL,
  shipping_tax_minor BIGINT NOT NULL,
  fee_minor BIGINT NOT NULL,
  amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
  -- What the order comes to after the change.
  new_total_minor BIGINT NOT NULL CHECK (new_total_minor >= 0),
  -- Why it was rejected, or is being put back; the details are a JSON object.
  cause_reason TEXT,
  cause_message TEXT,
  cause_details TEXT,
  refund_owed_minor BIGINT NOT NULL CHECK (refund_owed_minor >= 0),
  -- JSON lists of what is owed and why, and of the refunds as the payment service last told them.
  exceptions TEXT NOT NULL,
  refunds TEXT NOT NULL,
  version BIGINT NOT NULL CHECK (version > 0),
  created_at TEXT NOT NULL,
  decided_at TEXT,
  finished_at TEXT,
  attention_open BIGINT NOT NULL CHECK (attention_open >= 0),
  PRIMARY KEY (tenant_id, change_order_id),
  UNIQUE (tenant_id, number),
  FOREIGN KEY (tenant_id, order_id) REFERENCES order_head (tenant_id, order_id),
  CHECK (state <> 'rejected' OR cause_reason IS NOT NULL),
  CHECK ((cause_reason IS NULL) = (cause_message IS NULL)),
  CHECK ((cause_reason IS NULL) = (cause_details IS NULL)),
  CHECK (state NOT IN ('settling', 'completed_with_exceptions') OR decided_at IS NOT NULL),
  CHECK ((finished_at IS NOT NULL) = (state IN ('declined', 'expired', 'withdrawn', 'rejected', 'completed',
    'completed_with_exceptions')))
);

-- The lock on an order: at most one change before its decision. Settling ones do not block the next.
CREATE UNIQUE INDEX one_changing ON change_order (tenant_id, order_id) WHERE state IN ('executing', 'unwinding');
CREATE INDEX change_order_by_order ON change_order (tenant_id, order_id, change_order_id);

CREATE TABLE change_order_line (
  tenant_id TEXT NOT NULL,
  change_order_id TEXT NOT NULL,
  line_id TEXT NOT NULL,
  line_number BIGINT NOT NULL CHECK (line_number > 0),
  sku TEXT NOT NULL,
  quantity BIGINT NOT NULL CHECK (quantity > 0),
  reason_code TEXT NOT NULL,
  note TEXT NOT NULL,
  gross_minor BIGINT NOT NULL,
  discount_minor BIGINT NOT NULL,
  goods_net_minor BIGINT NOT NULL,
  tax_minor BIGINT NOT NULL,
  tax_included BIGINT NOT NULL CHECK (tax_included IN (0, 1)),
  shipping_minor BIGINT NOT NULL,
  shipping_tax_minor BIGINT NOT NULL,
  fee_minor BIGINT NOT NULL,
  amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
  PRIMARY KEY (tenant_id, change_order_id, line_id),
  FOREIGN KEY (tenant_id, change_order_id) REFERENCES change_order (tenant_id, change_order_id)
);

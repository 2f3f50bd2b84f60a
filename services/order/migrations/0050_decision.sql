-- What was decided about requests to cancel, and the facts it was decided from, so that another policy can be held
-- against the same facts later. A row is never written again.
CREATE TABLE decision (
  tenant_id TEXT NOT NULL,
  -- The change's id; of a refusal a fingerprint of who asked for what under which policy, so that asking again and again
  -- is one row.
  decision_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  order_number TEXT NOT NULL,
  currency TEXT NOT NULL,
  change_order_id TEXT,
  decided_at TEXT NOT NULL,
  asked_by_user TEXT NOT NULL,
  asked_by_org TEXT NOT NULL,
  asked_by_role TEXT NOT NULL,
  policy_version TEXT NOT NULL,
  rule TEXT NOT NULL,
  amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
  fee_minor BIGINT NOT NULL CHECK (fee_minor >= 0),
  -- Why the policy refused it.
  refused_reason TEXT,
  refused_message TEXT,
  refused_details TEXT,
  -- The order as it stood and what was asked for, a JSON object.
  facts TEXT NOT NULL,
  PRIMARY KEY (tenant_id, decision_id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES order_head (tenant_id, order_id),
  CHECK ((change_order_id IS NULL) = (refused_reason IS NOT NULL))
);

CREATE INDEX decision_by_time ON decision (tenant_id, decided_at, decision_id);

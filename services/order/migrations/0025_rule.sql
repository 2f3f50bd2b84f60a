-- Rules that act without anybody asking, what they did, and how far the recorded events were looked through.
CREATE TABLE rule (
  tenant_id TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  name TEXT NOT NULL CHECK (name <> ''),
  happens TEXT NOT NULL CHECK (happens IN ('order.placed', 'order.progressed', 'order.folder_changed',
    'change.accepted', 'change.committed', 'change.rejected', 'change.completed')),
  condition TEXT NOT NULL,
  -- A JSON list.
  actions TEXT NOT NULL,
  enabled BIGINT NOT NULL CHECK (enabled IN (0, 1)),
  version BIGINT NOT NULL CHECK (version > 0),
  -- It acts on what happened since: when it was last switched on.
  active_since TEXT NOT NULL,
  PRIMARY KEY (tenant_id, rule_id),
  UNIQUE (tenant_id, name)
);

-- One run for each rule and event, whatever happens in between.
CREATE TABLE rule_run (
  tenant_id TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  rule_version BIGINT NOT NULL,
  order_id TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('done', 'not_met', 'refused', 'failed', 'loop')),
  cause_reason TEXT,
  cause_message TEXT,
  cause_details TEXT,
  -- What its actions made, separated by one blank.
  resources TEXT NOT NULL,
  -- The change among them, by which events of that change are known to come from a rule.
  change_order_id TEXT,
  depth BIGINT NOT NULL CHECK (depth >= 0),
  at TEXT NOT NULL,
  PRIMARY KEY (tenant_id, rule_id, event_id),
  FOREIGN KEY (tenant_id, rule_id) REFERENCES rule (tenant_id, rule_id),
  CHECK ((cause_reason IS NULL) = (outcome IN ('done', 'not_met')))
);

CREATE INDEX rule_run_by_change ON rule_run (tenant_id, change_order_id) WHERE change_order_id IS NOT NULL;
CREATE INDEX rule_run_by_order ON rule_run (tenant_id, order_id, event_id);

-- How far a tenant's events were looked through; one worker at a time.
CREATE TABLE rule_cursor (
  tenant_id TEXT NOT NULL PRIMARY KEY,
  position BIGINT NOT NULL CHECK (position >= 0),
  claimed_until BIGINT NOT NULL
);

-- Where events are posted to. The secrets sign deliveries, so they are kept as they are.
CREATE TABLE webhook_endpoint (
  tenant_id TEXT NOT NULL,
  webhook_id TEXT NOT NULL,
  url TEXT NOT NULL,
  description TEXT NOT NULL,
  -- Full names of messages separated by one blank; '' is all.
  event_types TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'disabled')),
  disabled_cause TEXT CHECK (disabled_cause IN ('operator', 'gone', 'failing')),
  secret TEXT NOT NULL,
  old_secret TEXT,
  old_secret_until TEXT,
  -- The first failure since the last success.
  failing_since TEXT,
  created_at TEXT NOT NULL,
  changed_at TEXT NOT NULL,
  PRIMARY KEY (tenant_id, webhook_id),
  CHECK ((state = 'disabled') = (disabled_cause IS NOT NULL)),
  CHECK ((old_secret IS NULL) = (old_secret_until IS NULL))
);

-- Every try, for those who run the receiver.
CREATE TABLE webhook_attempt (
  tenant_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  attempt BIGINT NOT NULL CHECK (attempt > 0),
  at TEXT NOT NULL,
  -- 0 is no answer.
  status BIGINT NOT NULL CHECK (status >= 0),
  latency_ms BIGINT NOT NULL CHECK (latency_ms >= 0),
  error TEXT NOT NULL,
  PRIMARY KEY (tenant_id, delivery_id, attempt),
  FOREIGN KEY (tenant_id, delivery_id) REFERENCES delivery (tenant_id, delivery_id)
);

-- What was told to whom, and through which channel. One event tells an audience one thing per channel, so that an
-- event which arrives again cannot be told again.
CREATE TABLE notification (
  tenant_id TEXT NOT NULL,
  notification_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  order_id TEXT,
  change_order_id TEXT,
  template TEXT NOT NULL,
  audience TEXT NOT NULL CHECK (audience IN ('buyer', 'supplier', 'staff')),
  channel TEXT NOT NULL CHECK (channel IN ('inbox', 'log')),
  state TEXT NOT NULL CHECK (state IN ('enqueued', 'sent')),
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  traceparent TEXT,
  created_at TEXT NOT NULL,
  sent_at TEXT,
  -- What it goes by of what is owed to the customer, and under which number the payment service told that; null in a
  -- message that names no such thing.
  owed_minor BIGINT CHECK (owed_minor >= 0),
  position_seq BIGINT CHECK (position_seq >= 0),
  -- The courier's lease, judged by the database's clock; 0 means never claimed.
  claimed_until BIGINT NOT NULL DEFAULT 0,
  claim_token TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (tenant_id, notification_id),
  UNIQUE (tenant_id, event_id, channel, audience),
  -- The event was taken in by the same transaction.
  FOREIGN KEY (tenant_id, event_id) REFERENCES inbox (tenant_id, event_id),
  CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
  CHECK (channel <> 'inbox' OR state = 'sent'),
  CHECK ((owed_minor IS NULL) = (position_seq IS NULL))
);

CREATE INDEX notification_by_order ON notification (tenant_id, order_id, notification_id);
-- What the courier still has to deliver, oldest first.
CREATE INDEX notification_enqueued ON notification (notification_id) WHERE state = 'enqueued';

-- What leaves the house: one event told to one recipient through one channel, and how that went.
CREATE TABLE delivery (
  tenant_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  -- The event it tells of; a digest has an id of its own, as no event asked for it.
  event_id TEXT NOT NULL,
  channel TEXT NOT NULL CHECK (channel IN ('email', 'webhook')),
  -- An address or an endpoint's id.
  recipient TEXT NOT NULL,
  audience TEXT NOT NULL CHECK (audience IN ('buyer', 'supplier', 'staff', 'client')),
  template TEXT NOT NULL,
  locale TEXT NOT NULL,
  order_id TEXT,
  change_order_id TEXT,
  -- Deliveries of one stream go out one after the other; '' is none.
  stream TEXT NOT NULL,
  -- What the channel makes its message of: facts the event has committed, fixed when the event was taken in.
  payload TEXT NOT NULL,
  traceparent TEXT,
  state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'dead', 'suppressed', 'discarded')),
  tries BIGINT NOT NULL DEFAULT 0 CHECK (tries >= 0),
  -- Tries that nobody knows the end of, on a channel that tells repeats by nothing: after two it is dead, so that
  -- there is at most one duplicate.
  in_doubt BIGINT NOT NULL DEFAULT 0 CHECK (in_doubt BETWEEN 0 AND 2),
  -- When it is due, by the database's clock; of one being sent, when its claim runs out.
  next_at BIGINT NOT NULL DEFAULT 0,
  claim_token TEXT NOT NULL DEFAULT '',
  last_error TEXT,
  provider_id TEXT,
  created_at TEXT NOT NULL,
  ended_at TEXT,
  PRIMARY KEY (tenant_id, delivery_id),
  UNIQUE (tenant_id, event_id, channel, recipient),
  CHECK ((state IN ('sent', 'dead', 'suppressed', 'discarded')) = (ended_at IS NOT NULL)),
  CHECK (state NOT IN ('failed', 'dead', 'suppressed') OR last_error IS NOT NULL)
);

-- What a channel still has to send, by the time it is due.
CREATE INDEX delivery_due ON delivery (channel, next_at) WHERE state IN ('queued', 'sending', 'failed');
-- What stands in front of a delivery of a stream.
CREATE INDEX delivery_stream ON delivery (tenant_id, stream, delivery_id)
  WHERE state IN ('queued', 'sending', 'failed');
CREATE INDEX delivery_by_order ON delivery (tenant_id, order_id, delivery_id);

-- Who is told nothing more through a channel, and why. A lifted one stays as a record.
CREATE TABLE suppression (
  tenant_id TEXT NOT NULL,
  channel TEXT NOT NULL CHECK (channel IN ('email', 'webhook')),
  recipient TEXT NOT NULL,
  cause TEXT NOT NULL CHECK (cause IN ('unsubscribed', 'hard_bounce', 'endpoint_gone', 'operator')),
  detail TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'lifted')),
  changed_at TEXT NOT NULL,
  PRIMARY KEY (tenant_id, channel, recipient)
);

-- The address book: who stands behind a party. The scope says whose messages go there.
CREATE TABLE recipient (
  tenant_id TEXT NOT NULL,
  scope TEXT NOT NULL CHECK (scope IN ('order', 'organisation', 'everything')),
  -- The order's id or the organisation's name; '' for everything.
  scope_id TEXT NOT NULL,
  audience TEXT NOT NULL CHECK (audience IN ('buyer', 'supplier', 'staff', 'client')),
  address TEXT NOT NULL,
  name TEXT NOT NULL,
  -- '' leaves it to the preferences.
  locale TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'removed')),
  changed_at TEXT NOT NULL,
  PRIMARY KEY (tenant_id, scope, scope_id, audience, address),
  CHECK ((scope = 'everything') = (scope_id = ''))
);

-- What is sent, and how. The most specific one that fits decides: an address before an audience, a template before all.
CREATE TABLE preference (
  tenant_id TEXT NOT NULL,
  audience TEXT NOT NULL CHECK (audience IN ('buyer', 'supplier', 'staff', 'client')),
  -- '' is everybody of the audience.
  address TEXT NOT NULL,
  -- '' is every template.
  template TEXT NOT NULL,
  -- '' leaves it to a less specific one.
  locale TEXT NOT NULL,
  email BIGINT NOT NULL CHECK (email IN (0, 1)),
  changed_at TEXT NOT NULL,
  PRIMARY KEY (tenant_id, audience, address, template)
);

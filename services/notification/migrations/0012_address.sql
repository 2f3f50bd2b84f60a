-- Which organisation stands behind a party of an order, as the order's placement told.
CREATE TABLE party (
  tenant_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  audience TEXT NOT NULL CHECK (audience IN ('buyer', 'supplier')),
  organisation TEXT NOT NULL CHECK (organisation <> ''),
  PRIMARY KEY (tenant_id, order_id, audience)
);

-- What an order's events said last of the money that is owed and will not move by itself.
CREATE TABLE owed (
  tenant_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  owed_minor BIGINT NOT NULL CHECK (owed_minor >= 0),
  changed_at TEXT NOT NULL,
  PRIMARY KEY (tenant_id, order_id)
);
CREATE INDEX owed_open ON owed (tenant_id, order_id) WHERE owed_minor > 0;

-- The days whose digest was made: once per day and tenant.
CREATE TABLE digest (
  tenant_id TEXT NOT NULL,
  day TEXT NOT NULL,
  -- The id its deliveries bear in place of an event's.
  event_id TEXT NOT NULL,
  made_at TEXT NOT NULL,
  PRIMARY KEY (tenant_id, day)
);

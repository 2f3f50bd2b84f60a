-- Folders are labels that people sort orders by; nothing about an order depends on them.
CREATE TABLE folder (
  tenant_id TEXT NOT NULL,
  folder_id TEXT NOT NULL,
  name TEXT NOT NULL CHECK (name <> ''),
  position BIGINT NOT NULL,
  created_at TEXT NOT NULL,
  -- A folder that was taken away stays known: the timelines of orders speak of it.
  deleted_at TEXT,
  PRIMARY KEY (tenant_id, folder_id)
);

CREATE UNIQUE INDEX folder_by_name ON folder (tenant_id, name) WHERE deleted_at IS NULL;

-- Where an order stands; orders that were never moved have no row.
CREATE TABLE order_folder (
  tenant_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  folder_id TEXT,
  moved_at TEXT NOT NULL,
  moved_by_user TEXT NOT NULL,
  moved_by_org TEXT NOT NULL,
  moved_by_role TEXT NOT NULL,
  PRIMARY KEY (tenant_id, order_id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES order_head (tenant_id, order_id),
  FOREIGN KEY (tenant_id, folder_id) REFERENCES folder (tenant_id, folder_id)
);

CREATE INDEX order_folder_by_folder ON order_folder (tenant_id, folder_id, order_id);

-- What people say about orders. A message is never changed or taken back.
CREATE TABLE message (
  tenant_id TEXT NOT NULL,
  message_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  visibility TEXT NOT NULL CHECK (visibility IN ('internal', 'parties', 'public')),
  body TEXT NOT NULL CHECK (body <> ''),
  author_user TEXT NOT NULL,
  author_org TEXT NOT NULL,
  author_role TEXT NOT NULL,
  at TEXT NOT NULL,
  change_order_id TEXT,
  PRIMARY KEY (tenant_id, message_id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES order_head (tenant_id, order_id)
);

CREATE INDEX message_by_order ON message (tenant_id, order_id, message_id);

-- Lists by party and by time.
CREATE INDEX order_head_by_buyer ON order_head (tenant_id, buyer, order_id) WHERE buyer <> '';
CREATE INDEX order_head_by_supplier ON order_head (tenant_id, supplier, order_id) WHERE supplier <> '';

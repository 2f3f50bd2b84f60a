-- What a tenant allows, as data: versions of policies, which orders are under which, and the reasons it offers.
CREATE TABLE policy (
  tenant_id TEXT NOT NULL,
  policy_id TEXT NOT NULL,
  version BIGINT NOT NULL CHECK (version > 0),
  -- A JSON object, parsed before it was stored; a version is never written again.
  document TEXT NOT NULL,
  created_by_user TEXT NOT NULL,
  created_by_org TEXT NOT NULL,
  created_by_role TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (tenant_id, policy_id, version)
);

-- The version in force. A preset is chosen without a row in the table above, so there is no foreign key.
CREATE TABLE policy_choice (
  tenant_id TEXT NOT NULL,
  chosen_by TEXT NOT NULL CHECK (chosen_by IN ('tenant', 'channel', 'supplier')),
  chosen_for TEXT NOT NULL,
  policy_id TEXT NOT NULL,
  version BIGINT NOT NULL CHECK (version > 0),
  PRIMARY KEY (tenant_id, chosen_by, chosen_for),
  CHECK ((chosen_by = 'tenant') = (chosen_for = ''))
);

-- What a tenant wrote over the seeds.
CREATE TABLE cancel_reason (
  tenant_id TEXT NOT NULL,
  code TEXT NOT NULL,
  family TEXT NOT NULL CHECK (family IN ('no_longer_needed', 'cannot_be_completed')),
  note_required BIGINT NOT NULL CHECK (note_required IN (0, 1)),
  active BIGINT NOT NULL CHECK (active IN (0, 1)),
  -- JSON objects: labels by language, and the partners' own codes by integration.
  labels TEXT NOT NULL,
  mapping TEXT NOT NULL,
  PRIMARY KEY (tenant_id, code)
);

-- Moves with every write above: a batch reads this one row of a tenant and knows whether what it has at hand still holds.
CREATE TABLE policy_revision (
  tenant_id TEXT NOT NULL,
  revision BIGINT NOT NULL CHECK (revision > 0),
  PRIMARY KEY (tenant_id)
);

-- On what terms a change was accepted, a JSON object.
ALTER TABLE change_order ADD COLUMN terms TEXT NOT NULL DEFAULT '{}';

-- Kinds of changes and of settling them have become more; a column's own check goes with the column.
ALTER TABLE change_order ADD COLUMN kind TEXT NOT NULL DEFAULT 'cancel_order' CHECK (kind IN ('cancel_order',
  'cancel_items', 'all_eligible', 'edit_quantity', 'add_item', 'replace_item', 'address', 'price_adjust',
  'shipping_adjust', 'refund_only', 'short_ship', 'return', 'withdrawal', 'restore', 'reissue', 'expire',
  'late_capture_reversal'));
UPDATE change_order SET kind = type;
ALTER TABLE change_order DROP COLUMN type;
ALTER TABLE change_order RENAME COLUMN kind TO type;
ALTER TABLE change_order ADD COLUMN settling TEXT NOT NULL DEFAULT 'auto'
  CHECK (settling IN ('auto', 'none', 'explicit'));
UPDATE change_order SET settling = settlement;
ALTER TABLE change_order DROP COLUMN settlement;
ALTER TABLE change_order RENAME COLUMN settling TO settlement;

-- A line's place in a bundle: its parent's line number, and its units in one unit of the parent.
ALTER TABLE order_line ADD COLUMN parent_line BIGINT;
ALTER TABLE order_line ADD COLUMN ratio BIGINT NOT NULL DEFAULT 0 CHECK (ratio >= 0);

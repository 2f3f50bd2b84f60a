-- The history of an order, for everybody who may see it. Sequences are gap-free from 1; entries never change.
CREATE TABLE timeline (
  tenant_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  seq BIGINT NOT NULL CHECK (seq > 0),
  at TEXT NOT NULL,
  actor_user TEXT NOT NULL,
  actor_org TEXT NOT NULL,
  actor_role TEXT NOT NULL,
  event TEXT NOT NULL,
  summary TEXT NOT NULL,
  visibility TEXT NOT NULL CHECK (visibility IN ('internal', 'parties', 'public')),
  change_order_id TEXT,
  saga_id TEXT,
  step TEXT,
  direction TEXT CHECK (direction IN ('do', 'undo')),
  reason_code TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (tenant_id, order_id, seq),
  FOREIGN KEY (tenant_id, order_id) REFERENCES order_head (tenant_id, order_id),
  CHECK ((step IS NULL) = (direction IS NULL)),
  CHECK (step IS NULL OR saga_id IS NOT NULL)
);

-- What a person has to look at: of this service and, brought by events, of every other.
CREATE TABLE attention (
  tenant_id TEXT NOT NULL,
  attention_id TEXT NOT NULL,
  subject_type TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  order_id TEXT,
  change_order_id TEXT,
  reason TEXT NOT NULL,
  message TEXT NOT NULL,
  -- The variables of the message, a JSON object.
  details TEXT NOT NULL,
  -- RPC names separated by one blank, never empty.
  allowed_actions TEXT NOT NULL CHECK (allowed_actions <> ''),
  opened_at TEXT NOT NULL,
  closed_at TEXT,
  PRIMARY KEY (tenant_id, attention_id)
);

-- One open item for one cause of one subject: raising it again changes nothing.
CREATE UNIQUE INDEX attention_open ON attention (tenant_id, subject_type, subject_id, reason)
  WHERE closed_at IS NULL;
CREATE INDEX attention_by_order ON attention (tenant_id, order_id) WHERE closed_at IS NULL;

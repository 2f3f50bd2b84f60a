-- A saga's row is a cache of its log, its schedule, and who runs it. Schedule columns are microseconds of the
-- database's clock; epoch is the fence.
CREATE TABLE saga (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  definition TEXT NOT NULL,
  version BIGINT NOT NULL CHECK (version > 0),
  subject_type TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  state TEXT NOT NULL
    CHECK (state IN ('running', 'parked', 'unwinding', 'needs_attention', 'completed', 'unwound')),
  params BYTEA NOT NULL,
  traceparent TEXT,
  epoch BIGINT NOT NULL CHECK (epoch > 0),
  lease_owner TEXT NOT NULL,
  lease_until BIGINT NOT NULL CHECK (lease_until >= 0),
  next_at BIGINT NOT NULL CHECK (next_at >= 0),
  attempts BIGINT NOT NULL CHECK (attempts >= 0),
  panics BIGINT NOT NULL CHECK (panics >= 0),
  -- 1 when a signal came while a worker held the saga.
  woken BIGINT NOT NULL CHECK (woken IN (0, 1)),
  silent_since BIGINT,
  unwind_cause TEXT,
  attention_cause TEXT,
  decided_at TEXT,
  started_at TEXT NOT NULL,
  finished_at TEXT,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, definition, subject_id),
  CHECK ((state IN ('completed', 'unwound')) = (finished_at IS NOT NULL)),
  CHECK (finished_at IS NULL OR lease_until = 0),
  CHECK (state <> 'completed' OR decided_at IS NOT NULL),
  CHECK (state NOT IN ('unwinding', 'unwound') OR (decided_at IS NULL AND unwind_cause IS NOT NULL)),
  CHECK (decided_at IS NULL OR unwind_cause IS NULL),
  CHECK (state <> 'needs_attention' OR (attention_cause IS NOT NULL AND lease_until = 0))
);

-- The queue of everything that may be claimed; a held saga stands in it at the end of its lease.
CREATE INDEX saga_due ON saga (next_at) WHERE state IN ('running', 'parked', 'unwinding');

-- The log: what happened, in order, append-only. A step's newest entry counts.
CREATE TABLE saga_step (
  tenant_id TEXT NOT NULL,
  saga_id TEXT NOT NULL,
  seq BIGINT NOT NULL CHECK (seq > 0),
  step TEXT NOT NULL,
  direction TEXT NOT NULL CHECK (direction IN ('do', 'undo')),
  outcome TEXT NOT NULL CHECK (outcome IN ('pending', 'applied', 'rejected')),
  nothing_to_do BIGINT NOT NULL CHECK (nothing_to_do IN (0, 1)),
  reply BYTEA NOT NULL,
  reason TEXT,
  attempts BIGINT NOT NULL CHECK (attempts >= 0),
  epoch BIGINT NOT NULL CHECK (epoch > 0),
  at TEXT NOT NULL,
  PRIMARY KEY (tenant_id, saga_id, seq),
  FOREIGN KEY (tenant_id, saga_id) REFERENCES saga (tenant_id, id),
  CHECK (outcome <> 'rejected' OR reason IS NOT NULL)
);

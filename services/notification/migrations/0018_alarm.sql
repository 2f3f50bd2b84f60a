-- How many words were sent to the order service about each subject that a person has to look at. The words themselves are
-- events in the outbox.
CREATE TABLE alarm (
  tenant_id TEXT NOT NULL,
  subject_type TEXT NOT NULL CHECK (subject_type IN ('delivery', 'webhook', 'event')),
  subject_id TEXT NOT NULL,
  last_seq BIGINT NOT NULL CHECK (last_seq > 0),
  PRIMARY KEY (tenant_id, subject_type, subject_id)
);

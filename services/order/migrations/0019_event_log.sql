-- The one order of all events of a tenant, for those who subscribe. Positions are gap-free from 1 and given out under the
-- lock of the tenant's row in event_log_head, so that nothing ever appears behind a position that somebody has read.
CREATE TABLE event_log_head (
  tenant_id TEXT PRIMARY KEY,
  last_position BIGINT NOT NULL CHECK (last_position >= 0)
);

CREATE TABLE event_log (
  tenant_id TEXT NOT NULL,
  position BIGINT NOT NULL CHECK (position > 0),
  event_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  order_seq BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, position),
  UNIQUE (tenant_id, order_id, order_seq),
  FOREIGN KEY (tenant_id, event_id) REFERENCES outbox (tenant_id, event_id)
);

-- What was told before there were positions.
INSERT INTO event_log (tenant_id, position, event_id, order_id, order_seq)
SELECT tenant_id, ROW_NUMBER() OVER (PARTITION BY tenant_id ORDER BY told_at, aggregate_id, aggregate_seq),
       event_id, aggregate_id, aggregate_seq
  FROM (SELECT tenant_id, event_id, aggregate_id, aggregate_seq,
               -- A clock may have stepped back; the sequence of an order never does.
               MAX(queued_at) OVER (PARTITION BY tenant_id, aggregate_id ORDER BY aggregate_seq) AS told_at
          FROM outbox WHERE aggregate_type = 'order') AS told;

INSERT INTO event_log_head (tenant_id, last_position)
SELECT tenant_id, MAX(position) FROM event_log GROUP BY tenant_id;

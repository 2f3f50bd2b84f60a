-- How far a tenant's events are known to stand in a broker's stream: up to this position they were acknowledged.
CREATE TABLE publication (
  tenant_id TEXT NOT NULL,
  stream TEXT NOT NULL,
  position BIGINT NOT NULL,
  acknowledged_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, stream),
  FOREIGN KEY (tenant_id, position) REFERENCES event_log (tenant_id, position)
);

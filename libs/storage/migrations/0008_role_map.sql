-- The role maps that tenants wrote, whole, by version. The newest is in force.
CREATE TABLE role_map (
    tenant_id  TEXT NOT NULL,
    version    BIGINT NOT NULL CHECK (version >= 1),
    roles      TEXT NOT NULL,
    written_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, version)
);
CREATE INDEX role_map_written ON role_map (written_at);

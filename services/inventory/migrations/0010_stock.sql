-- Warehouses, what they have of each article, and every movement that led there.
CREATE TABLE warehouse (
    tenant_id    TEXT NOT NULL,
    warehouse_id TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('own', 'dropship')),
    priority     BIGINT NOT NULL CHECK (priority >= 0),
    active       BIGINT NOT NULL CHECK (active IN (0, 1)),
    PRIMARY KEY (tenant_id, warehouse_id)
);
CREATE TABLE stock (
    tenant_id    TEXT NOT NULL,
    warehouse_id TEXT NOT NULL,
    sku          TEXT NOT NULL,
    on_hand      BIGINT NOT NULL,
    reserved     BIGINT NOT NULL,
    -- The number of the newest ledger entry of this row.
    ledger_seq   BIGINT NOT NULL CHECK (ledger_seq >= 1),
    PRIMARY KEY (tenant_id, warehouse_id, sku),
    FOREIGN KEY (tenant_id, warehouse_id) REFERENCES warehouse (tenant_id, warehouse_id),
    CHECK (0 <= reserved AND reserved <= on_hand)
);
CREATE INDEX stock_by_sku ON stock (tenant_id, sku, warehouse_id);
CREATE TABLE stock_ledger (
    tenant_id      TEXT NOT NULL,
    warehouse_id   TEXT NOT NULL,
    sku            TEXT NOT NULL,
    seq            BIGINT NOT NULL CHECK (seq >= 1),
    kind           TEXT NOT NULL CHECK (kind IN ('set', 'adjust', 'reserve', 'release', 'ship')),
    on_hand_delta  BIGINT NOT NULL,
    reserved_delta BIGINT NOT NULL,
    -- What caused the movement. Outside a saga: the request id, the method, and 'warehouse/sku' as the reservation.
    saga_id        TEXT NOT NULL,
    step           TEXT NOT NULL,
    direction      TEXT NOT NULL CHECK (direction IN ('do', 'undo')),
    reservation_id TEXT NOT NULL,
    order_id       TEXT NOT NULL,
    line_id        TEXT NOT NULL,
    at             TEXT NOT NULL,
    PRIMARY KEY (tenant_id, warehouse_id, sku, seq),
    -- Whatever is sent twice moves stock once.
    UNIQUE (tenant_id, saga_id, step, direction, reservation_id),
    FOREIGN KEY (tenant_id, warehouse_id, sku) REFERENCES stock (tenant_id, warehouse_id, sku),
    CHECK (CASE kind
        WHEN 'set' THEN reserved_delta = 0
        WHEN 'adjust' THEN reserved_delta = 0 AND on_hand_delta <> 0
        WHEN 'reserve' THEN on_hand_delta = 0 AND reserved_delta > 0
        WHEN 'release' THEN on_hand_delta = 0 AND reserved_delta < 0
        ELSE on_hand_delta < 0 AND reserved_delta = on_hand_delta END)
);

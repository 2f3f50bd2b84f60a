-- Units that buyers sent back, and promised units that turned out not to exist. A check can't be altered on SQLite, so the
-- ledger is written anew.
ALTER TABLE fulfilment_line ADD COLUMN returned TEXT CHECK (returned IN ('restocked', 'written_off'));
-- Of delivered units: the saga that claims them, as held_by is of shipped ones.
ALTER TABLE fulfilment_line ADD COLUMN claimed_by TEXT CHECK (claimed_by IS NULL OR state = 'delivered');
CREATE TABLE stock_ledger_new (
    tenant_id      TEXT NOT NULL,
    warehouse_id   TEXT NOT NULL,
    sku            TEXT NOT NULL,
    seq            BIGINT NOT NULL CHECK (seq >= 1),
    kind           TEXT NOT NULL CHECK (kind IN ('set', 'adjust', 'reserve', 'release', 'ship',
        'restock_label_void', 'restock_return', 'write_off', 'unship', 'reship', 'ship_after_cancel',
        'short_ship')),
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
        WHEN 'ship' THEN on_hand_delta < 0 AND reserved_delta = on_hand_delta
        WHEN 'short_ship' THEN on_hand_delta < 0 AND reserved_delta = on_hand_delta
        WHEN 'unship' THEN on_hand_delta > 0 AND reserved_delta = on_hand_delta
        WHEN 'write_off' THEN on_hand_delta = 0 AND reserved_delta = 0
        WHEN 'reship' THEN on_hand_delta < 0 AND reserved_delta = 0
        -- With its promise, if it still held one.
        WHEN 'ship_after_cancel' THEN on_hand_delta < 0 AND reserved_delta IN (0, on_hand_delta)
        ELSE on_hand_delta > 0 AND reserved_delta = 0 END)
);
INSERT INTO stock_ledger_new (tenant_id, warehouse_id, sku, seq, kind, on_hand_delta, reserved_delta, saga_id, step,
                              direction, reservation_id, order_id, line_id, at)
SELECT tenant_id, warehouse_id, sku, seq, kind, on_hand_delta, reserved_delta, saga_id, step, direction,
       reservation_id, order_id, line_id, at
  FROM stock_ledger;
DROP TABLE stock_ledger;
ALTER TABLE stock_ledger_new RENAME TO stock_ledger;

-- What may happen to units after they were shipped: claimed, cancelled, put back. Checks can't be altered on SQLite, so
-- both tables are written anew.
CREATE TABLE stock_ledger_new (
    tenant_id      TEXT NOT NULL,
    warehouse_id   TEXT NOT NULL,
    sku            TEXT NOT NULL,
    seq            BIGINT NOT NULL CHECK (seq >= 1),
    kind           TEXT NOT NULL CHECK (kind IN ('set', 'adjust', 'reserve', 'release', 'ship',
        'restock_label_void', 'restock_return', 'write_off', 'unship', 'reship', 'ship_after_cancel')),
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
        WHEN 'unship' THEN on_hand_delta > 0 AND reserved_delta = on_hand_delta
        WHEN 'write_off' THEN on_hand_delta = 0 AND reserved_delta = 0
        WHEN 'reship' THEN on_hand_delta < 0 AND reserved_delta = 0
        WHEN 'ship_after_cancel' THEN on_hand_delta < 0 AND reserved_delta = 0
        ELSE on_hand_delta > 0 AND reserved_delta = 0 END)
);
INSERT INTO stock_ledger_new (tenant_id, warehouse_id, sku, seq, kind, on_hand_delta, reserved_delta, saga_id, step,
                              direction, reservation_id, order_id, line_id, at)
SELECT tenant_id, warehouse_id, sku, seq, kind, on_hand_delta, reserved_delta, saga_id, step, direction,
       reservation_id, order_id, line_id, at
  FROM stock_ledger;
DROP TABLE stock_ledger;
ALTER TABLE stock_ledger_new RENAME TO stock_ledger;
CREATE TABLE fulfilment_line_new (
    tenant_id          TEXT NOT NULL,
    order_id           TEXT NOT NULL,
    fulfilment_line_id TEXT NOT NULL,
    fulfilment_id      TEXT NOT NULL,
    reservation_id     TEXT NOT NULL,
    line_id            TEXT NOT NULL,
    sku                TEXT NOT NULL,
    quantity           BIGINT NOT NULL CHECK (quantity > 0),
    state              TEXT NOT NULL CHECK (state IN ('allocated', 'submitted', 'shipped', 'delivered',
        'cancelled', 'cancelled_after_ship', 'shipped_after_cancel', 'unpacked')),
    -- Of shipped units: the saga that claims them without touching their reservation.
    held_by            TEXT,
    split_of           TEXT,
    tracking_number    TEXT,
    -- Units put back after they had been shipped, and units shipped again from there.
    restocked          BIGINT NOT NULL CHECK (restocked >= 0),
    reshipped          BIGINT NOT NULL CHECK (reshipped >= 0),
    -- A partner stopped these units and they are wanted after all: it takes them under a new number only.
    resubmit_needed    BIGINT NOT NULL CHECK (resubmit_needed IN (0, 1)),
    -- What the partner was asked about these units.
    task_id            TEXT,
    PRIMARY KEY (tenant_id, order_id, fulfilment_line_id),
    -- A reservation and its fulfilment line are one thing seen from two sides.
    UNIQUE (tenant_id, order_id, reservation_id),
    FOREIGN KEY (tenant_id, order_id, fulfilment_id)
        REFERENCES fulfilment (tenant_id, order_id, fulfilment_id),
    FOREIGN KEY (tenant_id, order_id, reservation_id)
        REFERENCES reservation (tenant_id, order_id, reservation_id),
    CHECK (held_by IS NULL OR state IN ('allocated', 'submitted', 'shipped')),
    CHECK ((state IN ('shipped', 'delivered', 'cancelled_after_ship', 'shipped_after_cancel'))
        = (tracking_number IS NOT NULL)),
    -- Nothing comes back more often than it went out.
    CHECK (restocked <= quantity + reshipped),
    CHECK (resubmit_needed = 0 OR state = 'allocated')
);
INSERT INTO fulfilment_line_new (tenant_id, order_id, fulfilment_line_id, fulfilment_id, reservation_id, line_id, sku,
                                 quantity, state, held_by, split_of, tracking_number, restocked, reshipped,
                                 resubmit_needed, task_id)
SELECT tenant_id, order_id, fulfilment_line_id, fulfilment_id, reservation_id, line_id, sku, quantity, state, held_by,
       split_of, tracking_number, 0, 0, 0, NULL
  FROM fulfilment_line;
DROP TABLE fulfilment_line;
ALTER TABLE fulfilment_line_new RENAME TO fulfilment_line;

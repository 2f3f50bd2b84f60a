-- What an order has in our warehouses. The row of `goods` is the order's lock.
CREATE TABLE goods (
    tenant_id  TEXT NOT NULL,
    order_id   TEXT NOT NULL,
    -- The number of the order's newest event from this service.
    event_seq  BIGINT NOT NULL CHECK (event_seq >= 0),
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, order_id)
);
CREATE TABLE goods_line (
    tenant_id         TEXT NOT NULL,
    order_id          TEXT NOT NULL,
    line_id           TEXT NOT NULL,
    sku               TEXT NOT NULL,
    -- All units ever reserved for the line: the sum over its reservations, whatever became of them.
    reserved_quantity BIGINT NOT NULL CHECK (reserved_quantity >= 1),
    -- Counters that only grow.
    allocated         BIGINT NOT NULL CHECK (allocated >= 0),
    deallocated       BIGINT NOT NULL CHECK (deallocated BETWEEN 0 AND allocated),
    submitted         BIGINT NOT NULL CHECK (submitted >= 0),
    shipped           BIGINT NOT NULL CHECK (shipped BETWEEN 0 AND submitted),
    unshipped         BIGINT NOT NULL CHECK (unshipped BETWEEN 0 AND shipped),
    delivered         BIGINT NOT NULL CHECK (delivered BETWEEN 0 AND shipped),
    PRIMARY KEY (tenant_id, order_id, line_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES goods (tenant_id, order_id),
    CHECK (allocated - deallocated <= reserved_quantity)
);
CREATE TABLE fulfilment (
    tenant_id     TEXT NOT NULL,
    order_id      TEXT NOT NULL,
    fulfilment_id TEXT NOT NULL,
    warehouse_id  TEXT NOT NULL,
    -- Follows from the fulfilment's lines.
    state         TEXT NOT NULL CHECK (state IN ('allocated', 'submitted', 'partially_shipped', 'shipped',
        'delivered', 'cancelled')),
    created_at    TEXT NOT NULL,
    PRIMARY KEY (tenant_id, order_id, fulfilment_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES goods (tenant_id, order_id),
    FOREIGN KEY (tenant_id, warehouse_id) REFERENCES warehouse (tenant_id, warehouse_id)
);
-- Requests name a fulfilment without its order.
CREATE UNIQUE INDEX fulfilment_by_id ON fulfilment (tenant_id, fulfilment_id);
CREATE TABLE reservation (
    tenant_id      TEXT NOT NULL,
    order_id       TEXT NOT NULL,
    reservation_id TEXT NOT NULL,
    line_id        TEXT NOT NULL,
    warehouse_id   TEXT NOT NULL,
    sku            TEXT NOT NULL,
    quantity       BIGINT NOT NULL CHECK (quantity > 0),
    state          TEXT NOT NULL CHECK (state IN ('active', 'held', 'released', 'consumed')),
    -- The saga that reserved the units, and the one that holds them now.
    saga_id        TEXT NOT NULL,
    held_by        TEXT,
    split_of       TEXT,
    fulfilment_id  TEXT,
    created_at     TEXT NOT NULL,
    PRIMARY KEY (tenant_id, order_id, reservation_id),
    FOREIGN KEY (tenant_id, order_id, line_id) REFERENCES goods_line (tenant_id, order_id, line_id),
    FOREIGN KEY (tenant_id, warehouse_id) REFERENCES warehouse (tenant_id, warehouse_id),
    FOREIGN KEY (tenant_id, order_id, split_of) REFERENCES reservation (tenant_id, order_id, reservation_id),
    FOREIGN KEY (tenant_id, order_id, fulfilment_id)
        REFERENCES fulfilment (tenant_id, order_id, fulfilment_id),
    CHECK ((state = 'held') = (held_by IS NOT NULL)),
    CHECK (state <> 'consumed' OR fulfilment_id IS NOT NULL)
);
CREATE TABLE fulfilment_line (
    tenant_id          TEXT NOT NULL,
    order_id           TEXT NOT NULL,
    fulfilment_line_id TEXT NOT NULL,
    fulfilment_id      TEXT NOT NULL,
    reservation_id     TEXT NOT NULL,
    line_id            TEXT NOT NULL,
    sku                TEXT NOT NULL,
    quantity           BIGINT NOT NULL CHECK (quantity > 0),
    state              TEXT NOT NULL CHECK (state IN ('allocated', 'submitted', 'shipped', 'delivered',
        'cancelled')),
    held_by            TEXT,
    split_of           TEXT,
    tracking_number    TEXT,
    PRIMARY KEY (tenant_id, order_id, fulfilment_line_id),
    -- A reservation and its fulfilment line are one thing seen from two sides.
    UNIQUE (tenant_id, order_id, reservation_id),
    FOREIGN KEY (tenant_id, order_id, fulfilment_id)
        REFERENCES fulfilment (tenant_id, order_id, fulfilment_id),
    FOREIGN KEY (tenant_id, order_id, reservation_id)
        REFERENCES reservation (tenant_id, order_id, reservation_id),
    CHECK (held_by IS NULL OR state IN ('allocated', 'submitted')),
    CHECK ((state IN ('shipped', 'delivered')) = (tracking_number IS NOT NULL))
);

-- What a shop with one database would keep for the same cancellation: the yardstick of `tests/bench/run.sh`.
-- 100,000 orders of three lines, 10,000 articles, one captured card each.
CREATE TABLE orders (id BIGINT PRIMARY KEY, state TEXT NOT NULL, reversed_minor BIGINT NOT NULL, version BIGINT NOT NULL);
CREATE TABLE order_line (order_id BIGINT, line BIGINT, sku TEXT NOT NULL, open BIGINT NOT NULL, cancelled BIGINT NOT NULL,
  reversed_minor BIGINT NOT NULL, PRIMARY KEY (order_id, line), CHECK (open >= 0));
CREATE TABLE change_order (id TEXT PRIMARY KEY, order_id BIGINT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
  amount_minor BIGINT NOT NULL, at TEXT NOT NULL);
CREATE INDEX ON change_order (order_id);
CREATE TABLE change_order_line (change_id TEXT, line BIGINT, quantity BIGINT NOT NULL, amount_minor BIGINT NOT NULL,
  PRIMARY KEY (change_id, line));
CREATE TABLE reservation (order_id BIGINT, line BIGINT, sku TEXT NOT NULL, quantity BIGINT NOT NULL, state TEXT NOT NULL,
  PRIMARY KEY (order_id, line));
CREATE TABLE stock (sku TEXT PRIMARY KEY, on_hand BIGINT NOT NULL, reserved BIGINT NOT NULL,
  CHECK (reserved BETWEEN 0 AND on_hand));
CREATE TABLE stock_ledger (change_id TEXT, line BIGINT, sku TEXT NOT NULL, reserved_delta BIGINT NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (change_id, line));
CREATE TABLE payment (order_id BIGINT PRIMARY KEY, captured_minor BIGINT NOT NULL, refunded_minor BIGINT NOT NULL,
  CHECK (refunded_minor <= captured_minor));
CREATE TABLE refund (id TEXT PRIMARY KEY, order_id BIGINT NOT NULL, amount_minor BIGINT NOT NULL, state TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX ON refund (order_id);
CREATE TABLE money_ledger (change_id TEXT, account TEXT, debit_minor BIGINT NOT NULL, credit_minor BIGINT NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (change_id, account));
CREATE TABLE timeline (order_id BIGINT, seq BIGINT, event TEXT NOT NULL, actor TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (order_id, seq));
CREATE TABLE outbox (id TEXT PRIMARY KEY, order_id BIGINT NOT NULL, type TEXT NOT NULL, payload BYTEA NOT NULL, at TEXT NOT NULL);
CREATE TABLE request_key (request_id TEXT PRIMARY KEY, change_id TEXT NOT NULL, at TEXT NOT NULL);
CREATE SEQUENCE next_order;

INSERT INTO orders SELECT id, 'confirmed', 0, 1 FROM generate_series(1, 100000) AS id;
INSERT INTO stock SELECT 'BENCH-' || n, 1000000, 300000 FROM generate_series(0, 9999) AS n;
INSERT INTO order_line SELECT id, line, 'BENCH-' || ((id * 3 + line) % 10000), 2, 0, 0
  FROM generate_series(1, 100000) AS id, generate_series(1, 3) AS line;
INSERT INTO reservation SELECT order_id, line, sku, 2, 'active' FROM order_line;
INSERT INTO payment SELECT id, 5994, 0 FROM generate_series(1, 100000) AS id;
VACUUM ANALYZE;

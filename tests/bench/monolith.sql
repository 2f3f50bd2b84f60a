-- One complete cancellation as fifteen statements of one transaction in one database, for pgbench.
BEGIN;
SELECT nextval('next_order') AS order_id, gen_random_uuid()::text AS change_id \gset
SELECT state, version FROM orders WHERE id = :order_id FOR UPDATE;
UPDATE orders SET state = 'cancelled', reversed_minor = 5994, version = version + 1 WHERE id = :order_id;
UPDATE order_line SET cancelled = cancelled + open, open = 0, reversed_minor = 1998 WHERE order_id = :order_id;
INSERT INTO change_order VALUES (:change_id, :order_id, 'completed', 'CUSTOMER_REQUEST', 5994, now()::text);
INSERT INTO change_order_line SELECT :change_id, line, 2, 1998 FROM order_line WHERE order_id = :order_id;
UPDATE reservation SET state = 'released' WHERE order_id = :order_id;
UPDATE stock SET reserved = reserved - 2 WHERE sku IN (SELECT sku FROM order_line WHERE order_id = :order_id);
INSERT INTO stock_ledger SELECT :change_id, line, sku, -2, now()::text FROM order_line WHERE order_id = :order_id;
SELECT captured_minor, refunded_minor FROM payment WHERE order_id = :order_id FOR UPDATE;
INSERT INTO refund VALUES (:change_id, :order_id, 5994, 'succeeded', now()::text);
UPDATE payment SET refunded_minor = refunded_minor + 5994 WHERE order_id = :order_id;
INSERT INTO money_ledger VALUES (:change_id, 'gateway', 0, 5994, now()::text), (:change_id, 'order', 5994, 0, now()::text);
INSERT INTO timeline VALUES (:order_id, 1, 'change_order.completed', 'bench', now()::text);
INSERT INTO outbox VALUES (:change_id, :order_id, 'ChangeOrderCompleted', '\x00', now()::text);
COMMIT;

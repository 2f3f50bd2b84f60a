-- SQLite cannot change a CHECK: the book is copied into one that knows disputes and payments by hand.
CREATE TABLE money_ledger_wider (
    tenant_id    TEXT NOT NULL,
    order_id     TEXT NOT NULL,
    seq          BIGINT NOT NULL CHECK (seq >= 1),
    tx_id        TEXT NOT NULL,
    account      TEXT NOT NULL,
    debit_minor  BIGINT NOT NULL CHECK (debit_minor BETWEEN 0 AND 1000000000000000),
    credit_minor BIGINT NOT NULL CHECK (credit_minor BETWEEN 0 AND 1000000000000000),
    currency     TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('capture', 'refund', 'reversal', 'dispute', 'by_hand')),
    reference_id TEXT NOT NULL,
    saga_id      TEXT NOT NULL,
    step         TEXT NOT NULL,
    direction    TEXT NOT NULL CHECK (direction IN ('do', 'undo')),
    at           TEXT NOT NULL,
    PRIMARY KEY (tenant_id, order_id, seq),
    UNIQUE (tenant_id, saga_id, step, direction, account, reference_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES account (tenant_id, order_id),
    CHECK ((debit_minor = 0) <> (credit_minor = 0))
);
INSERT INTO money_ledger_wider (tenant_id, order_id, seq, tx_id, account, debit_minor, credit_minor, currency, kind,
                                reference_id, saga_id, step, direction, at)
SELECT tenant_id, order_id, seq, tx_id, account, debit_minor, credit_minor, currency, kind, reference_id, saga_id, step,
       direction, at
  FROM money_ledger;
DROP TABLE money_ledger;
ALTER TABLE money_ledger_wider RENAME TO money_ledger;
CREATE TRIGGER money_ledger_no_update BEFORE UPDATE ON money_ledger
BEGIN SELECT RAISE(ABORT, 'money_ledger is append-only'); END;
CREATE TRIGGER money_ledger_no_delete BEFORE DELETE ON money_ledger
BEGIN SELECT RAISE(ABORT, 'money_ledger is append-only'); END;
CREATE TRIGGER store_credit_no_update BEFORE UPDATE ON store_credit
BEGIN SELECT RAISE(ABORT, 'store_credit is append-only'); END;
CREATE TRIGGER store_credit_no_delete BEFORE DELETE ON store_credit
BEGIN SELECT RAISE(ABORT, 'store_credit is append-only'); END;
CREATE TRIGGER dispute_stays BEFORE DELETE ON dispute
BEGIN SELECT RAISE(ABORT, 'a dispute is never deleted'); END;
CREATE TRIGGER gateway_event_stays BEFORE DELETE ON gateway_event
BEGIN SELECT RAISE(ABORT, 'a webhook is never forgotten'); END;
-- The cap, beside the account's lock and the captures' CHECK: what is disputed is not there to be refunded. A refund
-- that was made elsewhere is a fact and is not asked.
CREATE TRIGGER refund_cap BEFORE INSERT ON refund
    WHEN NEW.capture_id <> '' AND NEW.state NOT IN ('external', 'awaiting_capture', 'declined')
     AND EXISTS (SELECT 1 FROM capture AS c
                  WHERE c.tenant_id = NEW.tenant_id AND c.order_id = NEW.order_id AND c.capture_id = NEW.capture_id
                    AND c.refunded_minor + c.disputed_minor > c.amount_minor)
BEGIN SELECT RAISE(ABORT, 'more than is refundable'); END;

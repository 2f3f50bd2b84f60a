CREATE TRIGGER money_ledger_no_update BEFORE UPDATE ON money_ledger
BEGIN SELECT RAISE(ABORT, 'money_ledger is append-only'); END;
CREATE TRIGGER money_ledger_no_delete BEFORE DELETE ON money_ledger
BEGIN SELECT RAISE(ABORT, 'money_ledger is append-only'); END;
CREATE TRIGGER owed_position_no_update BEFORE UPDATE ON owed_position
BEGIN SELECT RAISE(ABORT, 'owed_position is append-only'); END;
CREATE TRIGGER owed_position_no_delete BEFORE DELETE ON owed_position
BEGIN SELECT RAISE(ABORT, 'owed_position is append-only'); END;
CREATE TRIGGER refund_stays BEFORE DELETE ON refund
BEGIN SELECT RAISE(ABORT, 'a refund is never deleted'); END;
CREATE TRIGGER capture_stays BEFORE DELETE ON capture
BEGIN SELECT RAISE(ABORT, 'a capture is never deleted'); END;
CREATE TRIGGER payment_stays BEFORE DELETE ON payment
BEGIN SELECT RAISE(ABORT, 'a payment is never deleted'); END;

CREATE TRIGGER message_keeps BEFORE UPDATE ON message
BEGIN SELECT RAISE(ABORT, 'message is append-only'); END;
CREATE TRIGGER message_stays BEFORE DELETE ON message
BEGIN SELECT RAISE(ABORT, 'message is append-only'); END;

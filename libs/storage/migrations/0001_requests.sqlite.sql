CREATE TRIGGER request_key_keeps BEFORE UPDATE ON request_key
BEGIN SELECT RAISE(ABORT, 'request_key is append-only'); END;
CREATE TRIGGER request_key_stays BEFORE DELETE ON request_key
BEGIN SELECT RAISE(ABORT, 'request_key is append-only'); END;

CREATE TRIGGER digest_keeps BEFORE UPDATE ON digest
BEGIN SELECT RAISE(ABORT, 'digest is append-only'); END;
CREATE TRIGGER digest_stays BEFORE DELETE ON digest
BEGIN SELECT RAISE(ABORT, 'digest is append-only'); END;
